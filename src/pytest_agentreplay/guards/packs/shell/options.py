"""The options of the shell pack: what a user may switch off, allow or judge otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from typing import Any, Final

from pytest_agentreplay.guards.analysis.shell import Deed
from pytest_agentreplay.guards.analysis.shell.places import resolve
from pytest_agentreplay.guards.packs.options import refuse_unknown, take_texts
from pytest_agentreplay.trace import Decision

TAKES: Final = {
    "allow_commands": "patterns of commands that are never objected to, as 'terraform apply*'",
    "allow_paths": "patterns of targets that are never objected to",
    "off": "rules that are left out",
    "workdirs": "directories that may be deleted in",
    "treat_opaque": "what is decided on commands that can't be read: allow, log, warn or block",
}
_OF_PATHS: Final = frozenset(("delete", "overwrite", "permission"))
_DECISIONS: Final[tuple[Decision, ...]] = ("allow", "log", "warn", "block")
_VCS: Final = re.compile(r"(?:^|/)\.(?:git|hg|svn)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Options:
    """What a policy says under ``packs: {shell: {...}}``.

    Attributes:
        off: rules that are left out.
        commands: commands that are never objected to.
        paths: targets that are never objected to.
        workdirs: directories that may be deleted in, though not themselves.
        treat_opaque: the decision about commands that can't be read to their end.
    """

    off: frozenset[str] = frozenset()
    commands: tuple[re.Pattern[str], ...] = ()
    paths: tuple[re.Pattern[str], ...] = ()
    workdirs: tuple[str, ...] = ()
    treat_opaque: Decision = "warn"

    def permits(self, deed: Deed) -> bool:
        """Tell whether the user allowed a deed."""
        if self.commands and any(pattern.match(deed.command) for pattern in self.commands):
            return True
        if self.paths and deed.target and any(pattern.match(deed.target) for pattern in self.paths):
            return True
        return bool(self.workdirs) and deed.effect in _OF_PATHS and self._is_inside(deed.target)

    def _is_inside(self, target: str) -> bool:
        path = resolve(target, "").rstrip("/")
        roots = (workdir + "/" for workdir in self.workdirs)
        below = next((path[len(root) :] for root in roots if path.startswith(root)), "")
        return below.strip("*./") != "" and not _VCS.search(below) and "$" not in below


def read_options(options: Mapping[str, Any], rule_ids: tuple[str, ...]) -> Options:
    """Check the options of a policy.

    Raises:
        ValueError: for an option, a rule or a value that there isn't.
    """
    refuse_unknown("shell", options, TAKES)
    off = [
        rule if rule.startswith("shell/") else f"shell/{rule}"
        for rule in take_texts("shell", options, "off", "rules") or ()
    ]
    for rule in off:
        if rule not in rule_ids:
            raise ValueError(f"shell.off names {rule!r}, which is no rule; the rules are {', '.join(rule_ids)}")
    opaque = options.get("treat_opaque", "warn")
    if opaque not in _DECISIONS:
        raise ValueError(f"shell.treat_opaque is {opaque!r}; it takes one of {', '.join(_DECISIONS)}")
    return Options(
        frozenset(off),
        _patterns(take_texts("shell", options, "allow_commands", "patterns")),
        _patterns(take_texts("shell", options, "allow_paths", "patterns")),
        tuple(resolve(path, "").rstrip("/") for path in take_texts("shell", options, "workdirs", "directories") or ()),
        opaque,
    )


def _patterns(texts: tuple[str, ...] | None) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(translate(text)) for text in texts or ())
