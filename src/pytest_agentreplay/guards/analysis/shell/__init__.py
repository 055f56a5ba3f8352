"""Commands and code among the arguments of a call: what they would run and what that would do.

A script is read (`parser`), its words are expanded (`expansion`), and it is
followed without being run (`walk`): wrappers are taken off (`wrappers`), code in
other languages is looked through (`interpreters`), and every command is judged by
what it would do (`deeds`). Nothing here is a rule; packs make rules of it.
"""

from pytest_agentreplay.guards.analysis.shell.facts import Deed, Effect, ShellCommand, ShellFacts, ShellRedirect
from pytest_agentreplay.guards.analysis.shell.sources import facts_of, shell_facts

__all__ = ["Deed", "Effect", "ShellCommand", "ShellFacts", "ShellRedirect", "facts_of", "shell_facts"]
