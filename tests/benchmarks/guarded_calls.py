"""Calls and policies to measure a guard with: what agents really send, 1 KB of it, no two texts alike.

Nothing here knows how anything is measured.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

PACKS = ("shell", "secrets", "egress", "injection", "jailbreak", "loops")
DOCS = Path(__file__).parents[2] / "docs"
WORDS = re.findall(r"\b[A-Za-z][a-z]+\b", "\n".join(path.read_text() for path in sorted(DOCS.rglob("*.md"))))
"""The words of the documentation as often as they stand there: some thousands, in no order that means anything."""
PLAIN = re.findall(r"\w+", "order refund paid status customer invoice shipped pending address total price meeting")
FOREIGN = re.findall(
    r"\w+",
    "Größe Straße möchten über Lieferung Bestellung für Rückgabe Überweisung жалоба заказ оплата доставка"
    " 注文 返金 配送 住所 café naïve señor mañana façade",
)
COMMANDS = (
    "git status --short",
    "git diff HEAD~1 -- src/{w}/{v}.py",
    "git commit -m 'Fix the {w} of the {v}'",
    "ls -la src/{w}",
    "cat src/{w}/{v}_{n}.py",
    "grep -rn '{w}_{v}' src/ | head -{n}",
    "python -m pytest -q tests/test_{w}_{n}.py -k {v}",
    "npm run build -- --mode {w}{n}",
    "cd /workspace/{w} && make test TARGET={v}{n}",
    "sed -n '{n},{n}0p' src/{w}/{v}.py",
    "find . -name '*{w}{n}*.py' -not -path './node_modules/*'",
    "docker compose logs --tail {n} {w}-{v}",
    "curl -s https://api.example.com/{w}/{n} | jq .{v}",
    'for f in {w}/*.txt; do wc -l "$f"; done > {v}{n}.log 2>&1',
    "rm -f build/{w}-{n}.o",
    "pip install -r requirements/{w}{n}.txt",
)
SCRIPT = (
    "set -euo pipefail",
    "echo 'Building {w} {v}'",
    "cd services/{w} && npm ci --silent",
    'VERSION_{n}="$(git describe --tags --always)"',
    "mkdir -p build/{w}/{v}{n}",
    "cp -r src/{w}/*.js build/{w}/{v}{n}/",
    'if [ -f config/{w}.json ]; then jq ".{v} = {n}" config/{w}.json > build/{w}/config.json; fi',
    "grep -c '{v}' build/{w}/config.json || echo 'no {v} there'",
    "tar czf build/{w}-{n}.tar.gz -C build/{w} .",
    "# the {w} of the {v} is made again by the next step",
    "python scripts/{w}.py --{v} {n} --output build/{w}.csv",
)


class Call(NamedTuple):
    """One call as a boundary hands it on."""

    tool: str
    args: dict[str, Any]
    effect: str


def calls_of(shape: str, seed: int, count: int) -> list[Call]:
    """Make distinct calls of one shape."""
    chance = random.Random(f"{shape} {seed}")
    return [SHAPES[shape](chance) for _ in range(count)]


def _prose(chance: random.Random, size: int, words: list[str] = WORDS) -> str:
    written: list[str] = []
    length = 0
    while length < size:
        word = chance.choice(words) + ("," if chance.random() < 0.08 else "." if chance.random() < 0.08 else "")
        word = f"{word}{chance.randrange(100)}" if chance.random() < 0.05 else word
        written.append(word)
        length += len(word) + 1
    return " ".join(written)


def _filled(chance: random.Random, line: str) -> str:
    return (
        line.replace("{w}", chance.choice(WORDS))
        .replace("{v}", chance.choice(WORDS))
        .replace("{n}", str(chance.randrange(10_000)))
    )


def _mail(chance: random.Random, words: list[str] = WORDS) -> Call:
    to = f"{chance.choice(WORDS)}{chance.randrange(10_000)}@example.com"
    args = {"to": to, "subject": _prose(chance, 30, words), "body": _prose(chance, 930, words)}
    return Call("send_email", args, "write")


def _payload(chance: random.Random) -> Call:
    items = [
        {
            "sku": f"{chance.choice(WORDS)}-{chance.randrange(10_000)}",
            "name": _prose(chance, 20),
            "quantity": chance.randrange(1, 20),
            "price": round(chance.random() * 200, 2),
        }
        for _ in range(11)
    ]
    return Call("update_order", {"order_id": f"A-{chance.randrange(100_000)}", "amount": 120, "items": items}, "write")


def _command(chance: random.Random) -> Call:
    command = _filled(chance, chance.choice(COMMANDS))
    return Call("bash", {"command": command, "description": _prose(chance, 40), "timeout": 120}, "write")


def _commit(chance: random.Random) -> Call:
    """Make a command of 1 KB, most of which is data: how agents write commits and files."""
    message = _prose(chance, 900).replace(". ", ".\n")
    command = f"git add -A && git commit -m \"$(cat <<'EOF'\n{message}\nEOF\n)\" && git status"
    return Call("bash", {"command": command, "description": _prose(chance, 30)}, "write")


def _script(chance: random.Random) -> Call:
    lines: list[str] = []
    while sum(map(len, lines)) + len(lines) < 980:
        lines.append(_filled(chance, chance.choice(SCRIPT)))
    return Call("bash", {"command": "\n".join(lines)}, "write")


def _fetch(chance: random.Random) -> Call:
    path = f"{chance.choice(WORDS)}/{chance.randrange(10_000)}?page=2&sort={chance.choice(WORDS)}"
    headers = {"Accept": "application/json", "User-Agent": f"agent/{chance.randrange(100)}.0"}
    return Call(
        "http_get",
        {"url": f"https://api.example.com/v1/{path}", "headers": headers, "prompt": _prose(chance, 800)},
        "read",
    )


def _sql(chance: random.Random) -> Call:
    columns = ", ".join(f"t.{chance.choice(WORDS)}_{chance.randrange(100)}" for _ in range(40))
    wheres = " AND ".join(f"t.{chance.choice(WORDS)} > {chance.randrange(1000)}" for _ in range(15))
    return Call("run_query", {"query": f"SELECT {columns} FROM orders AS t WHERE {wheres} ORDER BY 1 LIMIT 50"}, "read")


def _edit(chance: random.Random) -> Call:
    lines = [
        f"    {chance.choice(WORDS)}_{n} = self.{chance.choice(WORDS)}({chance.randrange(100)})" for n in range(24)
    ]
    path = f"/workspace/src/{chance.choice(WORDS)}/{chance.choice(WORDS)}_{chance.randrange(10_000)}.py"
    old, new = "\n".join(lines[:12]), "\n".join(lines[12:])
    return Call("edit_file", {"file_path": path, "old_string": old, "new_string": new}, "write")


SHAPES: dict[str, Callable[[random.Random], Call]] = {
    "a mail of 1 KB": _mail,
    "a mail of 1 KB in other scripts": lambda chance: _mail(chance, FOREIGN + WORDS[:20]),
    "a nested payload of 1 KB": _payload,
    "an edit of 1 KB": _edit,
    "a URL and a prompt of 1 KB": _fetch,
    "SQL of 1 KB": _sql,
    "a shell command": _command,
    "a shell command with 1 KB of data": _commit,
    "a shell script of 1 KB": _script,
}


def policy_text(rules: int, packs: tuple[str, ...] = PACKS) -> str:
    """Write a policy whose own rules are a mix of the rule language; most are about one tool of many."""
    chance = random.Random(rules)
    makers = [rule for rule, weight in RULES for _ in range(weight)]
    lines = ["format: agentreplay.policy/1", "name: bench", "deadline_ms: 60000", f"use: [{', '.join(packs)}]"]
    lines += ["rules:"] if rules else []
    for number in range(rules):
        lines.append(f"- id: rule-{number}\n  severity: high\n{makers[number % len(makers)](chance, number)}")
    return "\n".join([*lines, ""])


TOOLS = ("send_email", "update_order", "bash", "http_get", "run_query", "edit_file")


def _tools(chance: random.Random, number: int) -> str:
    """Name the tools of a rule: one that is called, one that isn't, a pattern, or none."""
    kind = chance.random()
    if kind < 0.4:
        return f"  tools: [{chance.choice(TOOLS)}]\n"
    if kind < 0.8:
        return f"  tools: [tool_{number}, 'service_{number}.*']\n"
    return f"  tools: ['{chance.choice(TOOLS)[:4]}*']\n" if kind < 0.9 else ""


def _matches(chance: random.Random, number: int) -> str:
    field = chance.choice(("body", "command", "url", "query", "new_string", "subject"))
    word = chance.choice(WORDS)
    return f"{_tools(chance, number)}  match: {{args.{field}: {{matches: '(?i)\\bsecret-{word}-{number}[0-9]+\\b'}}}}\n"


def _contains(chance: random.Random, number: int) -> str:
    field = chance.choice(("body", "command", "url", "query", "new_string"))
    return f"{_tools(chance, number)}  match: {{args.{field}: {{contains: 'never {number}'}}}}\n"


def _number(chance: random.Random, number: int) -> str:
    return f"{_tools(chance, number)}  match: {{args.amount: {{gt: {100_000 + number}}}}}\n"


def _several(chance: random.Random, number: int) -> str:
    checks = f"effect: write, args.amount: {{ge: 1}}, args.order_id: {{starts_with: Z{number}}}"
    return f"{_tools(chance, number)}  match: {{{checks}}}\n"


def _derived(chance: random.Random, number: int) -> str:
    facts = ("urls.host: evil{}.example", "shell.programs: forbidden{}", "paths.path: {{starts_with: /srv/{}}}")
    return f"{_tools(chance, number)}  match: {{{chance.choice(facts).format(number)}}}\n"


def _plan(chance: random.Random, number: int) -> str:
    return "  tools: [update_order]\n  match: {args.amount: {gt: $plan.most}}\n"


def _called(chance: random.Random, number: int) -> str:
    return f"{_tools(chance, number)}  called: {{tool: forbidden_{number}, args: {{id: {{gt: 3}}}}}}\n"


def _unless_called(chance: random.Random, number: int) -> str:
    return "  tools: [update_order]\n  unless_called: {tool: lookup_order, args: {order_id: $input.order}}\n"


def _grounded(chance: random.Random, number: int) -> str:
    return "  tools: [send_email]\n  grounded: {args.kind: [input, 'results.get_contacts[*].email']}\n"


def _flow(chance: random.Random, number: int) -> str:
    return f"{_tools(chance, number)}  flow: {{from: {{tool: read_vault_{number % 3}}}, to: {{effect: egress}}}}\n"


def _repeat(chance: random.Random, number: int) -> str:
    return f"{_tools(chance, number)}  repeat: {{same: [tool, args], max: {3 + number % 3}}}\n"


def _combined(chance: random.Random, number: int) -> str:
    return (
        f"{_tools(chance, number)}  any:\n  - match: {{args.command: {{starts_with: 'forbidden{number} '}}}}\n"
        f"  - all:\n    - match: {{args.to: {{ends_with: '@rival{number}.example'}}}}\n"
        "    - not: {match: {args.subject: {contains: refund}}}\n"
    )


RULES = (
    (_matches, 10),
    (_contains, 10),
    (_number, 6),
    (_several, 4),
    (_derived, 5),
    (_plan, 2),
    (_called, 3),
    (_unless_called, 1),
    (_grounded, 1),
    (_flow, 2),
    (_repeat, 2),
    (_combined, 4),
)
"""What rules are made of, and how many in fifty."""


def trace_steps(count: int) -> Iterator[dict[str, Any]]:
    """Give the steps of a trace in which the rules that look back find what they look for."""
    chance = random.Random(count)
    for number in range(count):
        if number % 10 == 0:
            args, result = {"order_id": f"A-{number // 10}"}, {"status": "paid", "total": number}
            yield {"tool": "lookup_order", "args": args, "result": result}
        elif number % 10 == 5:
            result = f"value{number} of the vault"
            yield {"tool": "read_vault_0", "args": {"name": f"key{number}"}, "result": result}
        else:
            args, result = {"query": _prose(chance, 40, PLAIN)}, _prose(chance, 200, PLAIN)
            yield {"tool": "search", "args": args, "result": result}
