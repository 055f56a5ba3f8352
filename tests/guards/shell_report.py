"""Print, per category, what the shell pack finds and flags: ``python tests/guards/shell_report.py [CORPUS...]``.

The labelled commands, the grammar and any corpus file (a command a line, taken
for harmless; a label before a tab is its category) are judged; none is run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from shell_grammar import Sample, harmful, harmless

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.guards.analysis.shell import facts_of
from pytest_agentreplay.guards.document import parse_policy

CASES = Path(__file__).parent / "shell_cases"
POLICY = parse_policy("format: agentreplay.policy/1\nname: p\nuse: [shell]\n")


def allowed(command: str) -> bool:
    """Judge a command; an analysis that breaks is no answer, so it is asked first by itself."""
    facts_of(command, "args.command")
    return POLICY.judge("bash", {"command": command}).decision == "allow"


def labelled(kind: str) -> Iterator[Sample]:
    """Give the labelled commands of one kind, ``hostile`` or ``harmless``."""
    for path in sorted(CASES.glob(f"{kind}*.yaml")):
        for category, commands in yaml_codec.parse(path.read_text(encoding="utf-8")).items():
            yield from (Sample(category, path.stem, command) for command in commands)


def wrong(samples: Iterable[Sample], *, is_harmful: bool) -> tuple[dict[str, int], dict[str, list[Sample]]]:
    """Count the samples of each category, and list those that are judged wrongly."""
    counts: dict[str, int] = {}
    misjudged: dict[str, list[Sample]] = {}
    for sample in samples:
        counts[sample.category] = counts.get(sample.category, 0) + 1
        if allowed(sample.command) is is_harmful:
            misjudged.setdefault(sample.category, []).append(sample)
    return counts, misjudged


def of_corpus(path: Path) -> Iterator[Sample]:
    """Read a corpus of harmless commands."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        label, tab, command = line.partition("\t")
        if line.strip():
            yield Sample(label if tab else path.name, "corpus", command if tab else line)


def table(title: str, samples: Iterable[Sample], *, is_harmful: bool, show: int) -> None:
    """Print one table."""
    counts, misjudged = wrong(samples, is_harmful=is_harmful)
    total, bad = sum(counts.values()), sum(map(len, misjudged.values()))
    print(f"\n{title}: {bad} of {total} {'missed' if is_harmful else 'flagged'}")
    for category, count in counts.items():
        found = misjudged.get(category, [])
        print(f"  {category:24} {count:7} {len(found):6}  {100 * len(found) / count:6.2f} %")
        for sample in found[:show]:
            print(f"      {sample.way}: {sample.command[:160]!r}")


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", type=Path)
    parser.add_argument("-n", type=int, default=20_000, help="how many samples of the grammar, each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3, help="how many wrong ones to print per category")
    asked = parser.parse_args()
    table("labelled, harmful", labelled("hostile"), is_harmful=True, show=asked.show)
    table("labelled, harmless", labelled("harmless"), is_harmful=False, show=asked.show)
    table("grammar, harmful", harmful(asked.n, asked.seed), is_harmful=True, show=asked.show)
    table("grammar, harmless", harmless(asked.n, asked.seed), is_harmful=False, show=asked.show)
    for path in asked.corpora:
        table(f"corpus {path.name}", of_corpus(path), is_harmful=False, show=asked.show)


if __name__ == "__main__":
    main()
