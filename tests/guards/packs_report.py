"""Print what the packs find and what they flag wrongly: ``python tests/guards/packs_report.py [-v] [PACK...]``."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from functools import cache

from packs_cases import PACKS, Case, cases, gaps

from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.policy import Policy


@cache
def _policy(pack: str, options: str) -> Policy:
    return parse_policy(f'{{"format": "agentreplay.policy/1", "name": "p", "use": ["{pack}"], "packs": {options}}}')


def decision(pack: str, case: Case) -> str:
    """Judge one case by one pack: allow, log, warn or block."""
    policy = _policy(pack, json.dumps(dict(case.options)))
    return policy.judge(case.tool, case.args, effect=case.effect, input=case.input, steps=case.steps).decision


def right(case: Case, decided: str) -> bool:
    """Tell whether a decision fits the label: harm is at least warned about, the harmless at most logged.

    A twin follows a result that does hold an order: a warning is due there, a block is not.
    """
    if case.harmful:
        return decided in ("warn", "block")
    return decided != "block" if case.category.startswith("twins") else decided in ("allow", "log")


def table(pack: str) -> dict[tuple[bool, str], Counter[str]]:
    """Count decisions by label and category."""
    counts: dict[tuple[bool, str], Counter[str]] = defaultdict(Counter)
    for case in cases(pack):
        decided = decision(pack, case)
        counts[case.harmful, case.category]["right" if right(case, decided) else "wrong"] += 1
        counts[case.harmful, case.category][decided] += 1
    return counts


def mistakes(pack: str, suite: str = "cases") -> list[tuple[Case, str]]:
    """List the cases of a suite, ``cases`` or ``gaps``, that a pack judges wrongly."""
    judged = gaps(pack) if suite == "gaps" else cases(pack)
    return [(case, decided) for case in judged if not right(case, decided := decision(pack, case))]


def main(words: list[str]) -> None:
    """Print the tables of the packs that are named, or of all; with -v the mistakes too."""
    for pack in [word for word in words if word in PACKS] or PACKS:
        print(f"\n{pack}\n")
        print(f"| {'category':<40} | cases | right | block | warn |\n| --- | --- | --- | --- | --- |")
        for (harmful, category), counts in table(pack).items():
            name = f"{'harmful' if harmful else 'harmless'}: {category}"
            total = counts["right"] + counts["wrong"]
            print(f"| {name:<40} | {total} | {counts['right']} | {counts['block']} | {counts['warn']} |")
        if "-v" in words:
            for case, decided in mistakes(pack):
                label = "MISSED" if case.harmful else "FALSE"
                before = f" AFTER {str(case.steps[-1])[:160]}" if case.steps else ""
                told = f" TOLD {case.input!r}"[:160] if case.input else ""
                print(f"{label} {decided} [{case.category}] {case.tool} {str(case.args)[:260]}{told}{before}")


if __name__ == "__main__":
    main(sys.argv[1:])
