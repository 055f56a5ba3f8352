"""Egress: whether a call hands its arguments to somebody outside.

It does when it names a host other than this machine; one that is only mentioned in
what is written to a file doesn't count. A shell command that reaches
for no host doesn't, unless it can't be read. A read tool that names no host doesn't.
Any other write tool does, since where it writes to is not known, save one that takes
the path of a file and neither an e-mail address nor a recipient.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_agentreplay.guards.analysis.outgoing import is_outgoing
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.guards.context import DecisionContext

_ADDRESS: Final = re.compile(r"[^\s@]@[^\s@]+\.\w|\[redacted:email:")
_FILE_KEYS: Final = frozenset(
    [
        "path",
        "paths",
        "file",
        "files",
        "filename",
        "filepath",
        "file_path",
        "file_name",
        "target_file",
        "source",
        "destination",
        "directory",
        "dir",
        "folder",
        "notebook_path",
    ]
)


def is_egress(context: DecisionContext) -> bool:
    """Tell whether a call sends data out."""
    outgoing = is_outgoing(context)
    to_file = not outgoing and any(last_key(at) in _FILE_KEYS for at, _ in context.texts)
    if any(not url.local and (url.whole or not to_file) for url in context.urls):
        return True
    if any(command.opaque for command in context.shell):
        return True
    if context.effect == "read" or any(command.certain for command in context.shell):
        return False
    return outgoing or not to_file or any(_ADDRESS.search(text) for _, text in context.texts)
