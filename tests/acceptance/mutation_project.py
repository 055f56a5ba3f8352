"""One shop agent in four styles, and every way it may change: what each mutation does, and how it must be told.

An agent here follows a plan, a list of calls; a mutation is another plan. Its output holds every answer it was
given, so that a wrong answer shows as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

STYLES = ("plain", "async", "threads", "swallowing")

TOOLS = """
from pathlib import Path
from pytest_agentreplay import tool

def really(name):
    with Path(__file__).with_name("real_writes.txt").open("a") as file:
        file.write(name + "\\n")
    raise AssertionError("a real tool ran: " + name)

@tool(effect="read")
{define} lookup(order): really("lookup")

@tool(effect="read")
{define} price(sku): really("price")

@tool(effect="write")
{define} refund(order, amount): really("refund")

@tool
{define} notify(text): really("notify")

@tool
{define} stray(where="here"): really("stray")
"""

PLAIN = """
from tools_plain import really

{define} charge(card, cents, currency="EUR"): really("charge")
"""

AGENTS = """
import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import plain_async
import plain_plain
import tools_async
import tools_plain
from mutation_project import GOLDEN, MUTATIONS
from pytest_agentreplay import checkpoint

KEPT_CHARGE = {False: plain_plain.charge, True: plain_async.charge}


def call(op, is_async=False):
    name, args = op
    if name == "charge":
        function = KEPT_CHARGE[is_async]
    else:
        function = getattr(tools_async if is_async else tools_plain, name)
    return function(*args) if isinstance(args, tuple) else function(**args)


def special(op, run):
    name, value = op
    if name == "state":
        checkpoint(value[0], at=value[1])
    elif name == "raise":
        raise ValueError(value)
    elif name == "outlive":
        threading.Thread(target=outliving, args=value, daemon=True).start()
    elif name == "file":
        Path(value).write_text("escaped")
    elif name == "loop":
        while True:
            run(value)
    else:
        return False
    return True


def outliving(seconds, op):
    time.sleep(seconds)
    if op is not None:
        call(op)


def in_thread(op):
    held = []

    def body():
        try:
            held.append((call(op), None))
        except BaseException as error:
            held.append((None, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    answer, error = held[0]
    if error is not None:
        raise error
    return answer


def swallowed(op):
    try:
        return call(op)
    except Exception:
        return "failed"


def follow(plan, one, many):
    answers = []
    for op in plan:
        if isinstance(op, list):
            answers.append(sorted(map(str, many(op))))
        elif not special(op, one):
            answers.append(one(op))
    return answers


def plain_agent(plan, said):
    return {"said": said, "answers": follow(plan, call, lambda ops: [call(op) for op in ops])}


def threads_agent(plan, said):
    with ThreadPoolExecutor(4) as pool:
        return {"said": said, "answers": follow(plan, in_thread, lambda ops: list(pool.map(call, ops)))}


def swallowing_agent(plan, said):
    try:
        return {"said": said, "answers": follow(plan, swallowed, lambda ops: [swallowed(op) for op in ops])}
    except Exception:
        return {"said": "failed"}


async def async_agent(plan, said):
    answers = []
    for op in plan:
        if isinstance(op, list):
            answers.append(sorted(map(str, await asyncio.gather(*(call(one, True) for one in op)))))
        elif op[0] == "loop":
            while True:
                await call(op[1], True)
        elif not special(op, None):
            answers.append(await call(op, True))
    return {"said": said, "answers": answers}


def agent_of(style, mutation):
    plan, said = MUTATIONS[mutation].applied()
    drive = globals()[style + "_agent"]
    if style == "async":
        async def agent():
            return await drive(plan, said) if said is not None else await drive(plan, said) and None
    else:
        def agent():
            return drive(plan, said) if said is not None else drive(plan, said) and None
    return agent


for style in ("plain", "async", "threads", "swallowing"):
    for mutation in MUTATIONS:
        globals()[style + "_" + mutation] = agent_of(style, mutation)
"""

TRACE = """\
format: agentreplay.trace/1
agent: agents:{agent}
steps:
  - tool: lookup
    args: {{order: o-1}}
    result: {{amount: 39, items: [a, b]}}
  - {{tool: price, args: {{sku: a}}, result: 10, group: 1}}
  - {{tool: price, args: {{sku: b}}, result: 29, group: 1}}
  - state: {{total: 39}}
    at: priced
  - tool: refund
    args: {{order: o-1, amount: 39}}
    result: ok
  - tool: charge
    args: {{card: c-1, cents: 100}}
    result: {{id: ch_1}}
  - tool: notify
    args: {{text: refunded 39}}
    result: null
output:
  said: done
  answers:
    - {{amount: 39, items: [a, b]}}
    - ['10', '29']
    - ok
    - {{id: ch_1}}
    - null
"""

LOOKUP = ("lookup", {"order": "o-1"})
PRICE_A, PRICE_B = ("price", {"sku": "a"}), ("price", {"sku": "b"})
STATE = ("state", ({"total": 39}, "priced"))
REFUND = ("refund", {"order": "o-1", "amount": 39})
CHARGE = ("charge", {"card": "c-1", "cents": 100})
NOTIFY = ("notify", {"text": "refunded 39"})
GOLDEN: list[Any] = [LOOKUP, [PRICE_A, PRICE_B], STATE, REFUND, CHARGE, NOTIFY]

Plan = list[Any]


class Mutation:
    """One change of the agent.

    Attributes:
        told: the kinds that its first divergence may be of; empty for a harmless change.
        says: a text that the failure shows where nothing diverged.
    """

    def __init__(self, change: Callable[[Plan], Plan], *told: str, said: str | None = "done", says: str = "") -> None:
        self._change = change
        self._said = said
        self.told = told
        self.says = says

    @property
    def is_harmless(self) -> bool:
        return not self.told and not self.says

    def applied(self) -> tuple[Plan, str | None]:
        return self._change(list(GOLDEN)), self._said


def put(old: Any, *new: Any) -> Callable[[Plan], Plan]:
    """Put calls in the place of one."""
    return lambda plan: [after for op in plan for after in (new if op == old else [op])]


def add(*new: Any) -> Callable[[Plan], Plan]:
    return lambda plan: [*plan, *new]


HARMLESS = {
    "same": Mutation(list),
    "reordered_group": Mutation(put([PRICE_A, PRICE_B], [PRICE_B, PRICE_A])),
    "keywords_reordered": Mutation(put(REFUND, ("refund", {"amount": 39, "order": "o-1"}))),
    "positional": Mutation(put(REFUND, ("refund", ("o-1", 39)))),
    "default_spelled_out": Mutation(put(CHARGE, ("charge", ("c-1", 100, "EUR")))),
    "number_of_another_type": Mutation(put(REFUND, ("refund", {"order": "o-1", "amount": 39.0}))),
    "more_checkpoints": Mutation(add(("state", ({"any": 1}, "elsewhere")))),
    "thread_that_ends": Mutation(put(NOTIFY, ("outlive", (0.2, None)), NOTIFY)),
}

HARMFUL = {
    "argument": Mutation(put(REFUND, ("refund", {"order": "o-1", "amount": 40})), "arguments"),
    "argument_as_text": Mutation(put(REFUND, ("refund", {"order": "o-1", "amount": "39"})), "arguments"),
    "argument_as_boolean": Mutation(put(CHARGE, ("charge", {"card": "c-1", "cents": True})), "arguments"),
    "argument_nested": Mutation(put(REFUND, ("refund", {"order": ["o-1"], "amount": 39})), "arguments"),
    "default_overridden": Mutation(put(CHARGE, ("charge", ("c-1", 100, "USD"))), "arguments"),
    "argument_of_last": Mutation(put(NOTIFY, ("notify", {"text": "refunded 39 "})), "arguments"),
    "argument_in_group": Mutation(put([PRICE_A, PRICE_B], [PRICE_A, ("price", {"sku": "c"})]), "arguments"),
    "misfit": Mutation(put(REFUND, ("refund", {"order": "o-1", "amount": 39, "currency": "EUR"})), "arguments"),
    "extra_known_read": Mutation(put(REFUND, LOOKUP, REFUND), "extra"),
    "extra_unknown_read": Mutation(put(REFUND, ("lookup", {"order": "o-2"}), REFUND), "extra"),
    "extra_read_at_the_end": Mutation(add(LOOKUP), "extra"),
    "extra_in_group": Mutation(put([PRICE_A, PRICE_B], [PRICE_A, PRICE_B, PRICE_A]), "extra"),
    "extra_write": Mutation(add(("refund", {"order": "o-2", "amount": 1})), "extra"),
    "duplicate_write": Mutation(put(REFUND, REFUND, REFUND), "extra"),
    "duplicate_swapped": Mutation(put(CHARGE, CHARGE, CHARGE), "extra"),
    "duplicate_unclassified": Mutation(put(NOTIFY, NOTIFY, NOTIFY), "extra"),
    "extra_unclassified": Mutation(put(NOTIFY, ("stray", {}), NOTIFY), "extra"),
    "extra_misfit": Mutation(add(("refund", {"nothing": 1})), "extra"),
    "skipped_read": Mutation(put(LOOKUP), "missing"),
    "skipped_write": Mutation(put(REFUND), "missing"),
    "skipped_swapped": Mutation(put(CHARGE), "missing"),
    "skipped_in_group": Mutation(put([PRICE_A, PRICE_B], [PRICE_B]), "missing"),
    "skipped_group": Mutation(put([PRICE_A, PRICE_B]), "missing"),
    "skipped_last": Mutation(put(NOTIFY), "missing"),
    "nothing_done": Mutation(lambda _: [], "missing"),
    "reordered_writes": Mutation(lambda plan: [*plan[:3], CHARGE, REFUND, NOTIFY], "order"),
    "write_first": Mutation(lambda plan: [REFUND, *plan[:3], CHARGE, NOTIFY], "order"),
    "group_torn": Mutation(lambda _: [LOOKUP, PRICE_A, STATE, REFUND, PRICE_B, CHARGE, NOTIFY], "order"),
    "state": Mutation(put(STATE, ("state", ({"total": 40}, "priced"))), "state"),
    "no_state": Mutation(put(STATE), "not_observed"),
    "output": Mutation(list, "output", said="refunded"),
    "no_output": Mutation(list, "output", said=None),
    "exception": Mutation(add(("raise", "late")), "error", "output"),
    "loop_of_reads": Mutation(add(("loop", LOOKUP)), "extra"),
    "loop_of_writes": Mutation(add(("loop", NOTIFY)), "extra"),
    "outliving_thread": Mutation(add(("outlive", (60, None))), says="still at work"),
    "outliving_write": Mutation(add(("outlive", (3, REFUND))), says="still at work"),
    "escape": Mutation(add(("file", "escaped.txt")), "error", "output", says="left its sealed run"),
}

MUTATIONS = HARMLESS | HARMFUL


def modules() -> Iterator[tuple[str, str]]:
    """The modules of the project."""
    for style, define in (("plain", "def"), ("async", "async def")):
        yield f"tools_{style}", TOOLS.format(define=define)
        yield f"plain_{style}", PLAIN.format(define=define)
    yield "agents", AGENTS


def traces() -> Iterator[tuple[str, str]]:
    """One golden trace for each mutation in each style; all record the same run."""
    for style in STYLES:
        for mutation in MUTATIONS:
            yield f"{style}/{mutation}", TRACE.format(agent=f"{style}_{mutation}")
