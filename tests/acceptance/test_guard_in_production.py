"""`with guard(...)` and `@guard(...)` in production code: sync, async, threads, nested, with an audit log."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_agentreplay import (
    AgentReplayError,
    GuardBlocked,
    PolicyFormatError,
    Trace,
    checkpoint,
    guard,
    load_policy,
    tool,
)
from pytest_agentreplay.runtime.bound_guards import GuardGate
from pytest_agentreplay.tools import gate

POLICY = """\
format: agentreplay.policy/1
name: bank
version: 2
environments: {dev: log, staging: warn}
rules:
  - id: large
    severity: critical
    version: 1
    tools: [pay, apay, stream, astream]
    match: {args.amount: {gt: 100}}
    reason: more than 100
  - id: planned
    version: 1
    tools: [transfer]
    match: {args.amount: {not: $plan.amount}}
  - id: seen
    version: 1
    severity: medium
    tools: [look]
"""

ran = []


@tool(effect="write")
def pay(amount, password=None):
    ran.append(("pay", amount))
    return f"paid {amount}"


@tool(effect="write")
async def apay(amount):
    await asyncio.sleep(0)
    ran.append(("apay", amount))
    return f"paid {amount}"


@tool(effect="write")
def transfer(amount):
    ran.append(("transfer", amount))


@tool(effect="read")
def look(what):
    if what == "nothing":
        raise LookupError("there is nothing")
    return {"seen": what}


@tool(effect="write")
def stream(amount):
    sent = yield "first"
    ran.append(("stream", amount))
    yield f"sent {sent}"
    return "end"


@tool(effect="write")
async def astream(amount):
    sent = yield "first"
    ran.append(("astream", amount))
    yield f"sent {sent}"


@tool(effect="write")
def book(amount):
    """A tool that uses another one."""
    return pay(amount)


@pytest.fixture(autouse=True)
def _nothing_left():
    ran.clear()
    yield
    assert not isinstance(gate.active, GuardGate), "a guard stayed in force"


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "bank.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def write(tmp_path):
    def write(name, rules):
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"format: agentreplay.policy/1\nname: {name}\nrules:\n{rules}")
        return path

    return write


# -- a context manager and a decorator -------------------------------------------------------------


def test_a_block_is_raised_before_the_tool_runs(policy):
    """What the policy allows runs as ever; what it blocks never starts, and the error says all of it."""
    with guard(policy):
        assert pay(100) == "paid 100"
        with pytest.raises(GuardBlocked, match="the guard blocked pay: more than 100") as caught:
            pay(amount=101)

    assert ran == [("pay", 100)]
    assert (caught.value.tool, caught.value.reason) == ("pay", "more than 100")
    assert (caught.value.verdict.decision, caught.value.verdict.policy) == ("block", "bank@2")
    assert isinstance(caught.value, AgentReplayError)
    assert pay(101) == "paid 101"  # outside nothing judges


def test_the_gate_is_left_as_it_was_found(policy):
    """Also where the code inside fails."""
    before = gate.active

    with pytest.raises(KeyError), guard(policy):
        raise KeyError("the agent's own")

    assert gate.active is before
    assert pay(101) == "paid 101"


def test_a_block_leaves_the_guard_like_any_exception(policy):
    """An agent that doesn't catch it ends in it."""
    with pytest.raises(GuardBlocked), guard(policy):
        pay(101)

    assert ran == []


def test_errors_can_be_pickled(policy):
    """A block crosses processes with its verdict, as pools and task queues need it."""
    with guard(policy), pytest.raises(GuardBlocked) as caught:
        pay(101)
    copy = pickle.loads(pickle.dumps(caught.value))

    assert str(copy) == str(caught.value)
    assert (copy.tool, copy.reason, copy.verdict) == ("pay", "more than 100", caught.value.verdict)


def test_decorated_functions_keep_their_kind(policy):
    """Plain, coroutine, generator and async generator functions are guarded for as long as they are at work."""
    by = guard(policy)

    @by
    def plain(amount):
        return pay(amount)

    @by
    async def coroutine(amount):
        await asyncio.sleep(0)
        return await apay(amount)

    @by
    def generator(amount):
        yield 1
        yield pay(amount)

    @by
    async def async_generator(amount):
        yield 1
        yield await apay(amount)

    async def read(items):
        return [item async for item in items]

    assert plain(1) == asyncio.run(coroutine(1)) == "paid 1"
    assert list(generator(1)) == asyncio.run(read(async_generator(1))) == [1, "paid 1"]
    assert plain.__name__ == "plain" and asyncio.iscoroutinefunction(coroutine)
    for attempt in (
        lambda: plain(101),
        lambda: asyncio.run(coroutine(101)),
        lambda: list(generator(101)),
        lambda: asyncio.run(read(async_generator(101))),
    ):
        with pytest.raises(GuardBlocked):
            attempt()


def test_what_a_function_returns_unfinished_is_guarded_too(policy):
    """A plain function that hands out a coroutine or a stream has not done its work when it returns."""

    class Agent:
        async def __call__(self, amount):
            return await apay(amount)

    guarded = guard(policy)(Agent())
    streaming = guard(policy)(lambda amount: (pay(one) for one in (1, amount)))

    assert asyncio.run(guarded(1)) == "paid 1"
    with pytest.raises(GuardBlocked):
        asyncio.run(guarded(101))
    with pytest.raises(GuardBlocked):
        list(streaming(101))
    assert ran == [("apay", 1), ("pay", 1)]


@pytest.mark.parametrize("what", [dict, "agent"])
def test_what_cannot_be_guarded_is_refused(policy, what):
    """A guard around nothing would look closed and be open."""
    with pytest.raises(AgentReplayError, match="a guard goes around the calls of a function"):
        guard(policy)(what)


def test_each_entry_has_a_memory_of_its_own(write):
    """What one run did is no history of the next; inside one run it is."""
    by = guard(write("once", "  - {id: once, tools: [pay], repeat: {max: 1}}\n"))

    @by
    def agent(times):
        return [pay(1) for _ in range(times)]

    assert agent(1) == agent(1) == ["paid 1"]
    with by:
        pay(1)
        with pytest.raises(GuardBlocked):
            pay(1)
    with by:
        pay(1)
    with pytest.raises(GuardBlocked):
        agent(2)


def test_rules_see_what_checkpoints_tell(policy):
    """The plan is the one that was told last; without one the rule can't say, and refuses."""
    with guard(policy):
        with pytest.raises(GuardBlocked, match="unavailable"):
            transfer(5)
        checkpoint({"step": 1}, plan={"amount": 5})
        transfer(5)
        with pytest.raises(GuardBlocked):
            transfer(6)

    assert ran == [("transfer", 5)]


def test_rules_see_the_input(write):
    """`input` is what `guard(input=...)` says, or the arguments of the decorated call."""
    path = write("grounded", "  - {id: named, tools: [pay], grounded: {args.amount: [input]}}\n")

    @guard(path)
    def agent(request, *, pays):
        return pay(pays)

    assert agent("pay 40 to Ann", pays=40) == "paid 40"
    with guard(path, input="pay 40 to Ann"):
        pay(40)
        with pytest.raises(GuardBlocked):
            pay(41)
    with guard(path), pytest.raises(GuardBlocked):
        pay(40)  # nobody said what the agent was asked


def test_rules_see_earlier_results(write):
    """Results, errors and blocked calls of the same run are the history."""
    rules = (
        "  - {id: seen-first, tools: [pay], unless_called: {tool: look}}\n"
        "  - {id: as-seen, tools: [pay], grounded: {args.amount: [results.look.seen]}}\n"
    )
    with guard(write("seen", rules)):
        for attempt in (lambda: pay(7), lambda: look("nothing"), lambda: pay(7)):
            with pytest.raises((GuardBlocked, LookupError)):
                attempt()
        look(7)
        pay(7)

    assert ran == [("pay", 7)]


# -- streams and nested tools ----------------------------------------------------------------------


def test_streams_are_judged_at_their_first_item(policy):
    """A stream that is refused never starts; one that is not goes on as it is, sends included."""
    with guard(policy):
        refused, given_on = stream(101), stream(1)
        assert next(given_on) == "first"
        with pytest.raises(GuardBlocked):
            pay(101)  # between two items the agent is at work, not the tool
        assert given_on.send("this") == "sent this"
        with pytest.raises(StopIteration) as ended:
            next(given_on)
        with pytest.raises(GuardBlocked):
            next(refused)

    assert ended.value.value == "end"
    assert ran == [("stream", 1)]


def test_async_streams_are_judged_at_their_first_item(policy):
    """As plain ones are."""

    async def agent():
        async with guard(policy):
            given_on = astream(1)
            assert await anext(given_on) == "first"
            with pytest.raises(GuardBlocked):
                pay(101)
            assert await given_on.asend("this") == "sent this"
            with pytest.raises(StopAsyncIteration):
                await anext(given_on)
            with pytest.raises(GuardBlocked):
                await anext(astream(101))

    asyncio.run(agent())

    assert ran == [("astream", 1)]


def test_what_a_stream_yielded_is_its_result(write):
    """Rules that look back see the items, also of a stream that was not read to its end."""
    path = write("quoted", "  - {id: quoted, tools: [pay], grounded: {args.amount: [results.numbers]}}\n")

    @tool(effect="read", name="numbers")
    def numbers():
        yield 5
        yield 6

    with guard(path):
        reading = numbers()
        next(reading)
        reading.close()
        pay(5)
        with pytest.raises(GuardBlocked):
            pay(6)


def test_a_tools_own_calls_are_its_business(policy):
    """The outermost call is the one that is judged; what a tool does inside is its implementation."""
    with guard(policy):
        assert book(101) == "paid 101"


# -- threads, pools, tasks -------------------------------------------------------------------------


def test_threads_are_judged(policy):
    """Plain threads, pools that were warm before, and threads of the event loop lose no guard."""
    warm = ThreadPoolExecutor(2)
    warm.submit(int).result()
    blocked = []

    def attempt():
        try:
            pay(101)
        except GuardBlocked:
            blocked.append(threading.current_thread().name)

    async def in_loop():
        await asyncio.to_thread(attempt)
        await asyncio.get_running_loop().run_in_executor(warm, attempt)

    with guard(policy):
        plain = threading.Thread(target=attempt)
        plain.start()
        plain.join()
        warm.submit(attempt).result()
        with ThreadPoolExecutor(2) as own:
            own.submit(attempt).result()
        asyncio.run(in_loop())
    warm.shutdown()

    assert len(blocked) == 5
    assert ran == []


def test_many_threads_share_one_memory(write):
    """A budget holds over all threads of a run: none slips through between two looks."""
    path = write("few", "  []\nuse: [loops]\npacks: {loops: {budget: 10, max: 1000, cycle: 1000}}\n")
    outcomes = Counter()

    def attempt(number):
        try:
            look(number)
        except GuardBlocked:
            outcomes["blocked"] += 1
        else:
            outcomes["ran"] += 1

    with guard(path), ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(40)))

    assert outcomes["ran"] + outcomes["blocked"] == 40
    assert 10 <= outcomes["ran"] <= 18  # calls that are at work count once they have come back


def test_concurrent_tasks_have_their_own_guards(policy, write):
    """A guard belongs to the task that entered it, and to the tasks and threads that this one starts."""
    other = write("other", "  - {id: never, tools: [look]}\n")

    async def attempt(call, *args):
        try:
            found = call(*args)
            return await found if asyncio.iscoroutine(found) else found
        except GuardBlocked as error:
            return error.verdict.policy

    async def first(entered, go_on):
        async with guard(policy):
            entered.set()
            await go_on.wait()
            return await asyncio.gather(attempt(apay, 101), asyncio.create_task(attempt(look, "a")))

    async def second(entered, go_on):
        async with guard(other):
            entered.set()
            await go_on.wait()
            return [await attempt(apay, 101), await asyncio.to_thread(asyncio.run, attempt(look, "a"))]

    async def both():
        entered, go_on = [asyncio.Event(), asyncio.Event()], asyncio.Event()
        work = [asyncio.create_task(first(entered[0], go_on)), asyncio.create_task(second(entered[1], go_on))]
        for each in entered:
            await each.wait()
        go_on.set()
        return await asyncio.gather(*work)

    assert asyncio.run(both()) == [["bank@2", {"seen": "a"}], ["paid 101", "other"]]


def test_a_thread_that_belongs_to_nobody_is_judged_by_all(policy, write):
    """Among several guards a call without a context of its own has to please every one."""
    other = write("other", "  - {id: never, tools: [look]}\n")
    outcomes = []
    entered, go_on = threading.Barrier(3), threading.Event()

    def hold(by):
        with by:
            entered.wait(10)
            go_on.wait(10)

    def attempt(call, *args):
        try:
            call(*args)
        except GuardBlocked as error:
            outcomes.append(error.verdict.policy)

    holders = [threading.Thread(target=hold, args=(guard(path),)) for path in (policy, other)]
    for holder in holders:
        holder.start()
    entered.wait(10)
    for args in ((pay, 101), (look, "a"), (pay, 1)):
        nobodys = threading.Thread(target=attempt, args=args)
        nobodys.start()
        nobodys.join()
    go_on.set()
    for holder in holders:
        holder.join()

    assert outcomes == ["bank@2", "other"]
    assert ran == [("pay", 1)]


def test_nested_guards_both_judge(policy, write):
    """The inner one adds, and takes nothing back; when it ends, the outer one is as it was."""
    inner = write("inner", "  - {id: never, tools: [look]}\n")

    with guard(policy):
        with guard(inner):
            with pytest.raises(GuardBlocked) as by_inner:
                look("a")
            with pytest.raises(GuardBlocked) as by_outer:
                pay(101)
            with guard(inner, mode="off"), pytest.raises(GuardBlocked):
                pay(101)
        assert look("a") == {"seen": "a"}
        with pytest.raises(GuardBlocked):
            pay(101)

    assert (by_inner.value.verdict.policy, by_outer.value.verdict.policy) == ("inner", "bank@2")


# -- modes, environments, policies -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "blocks"),
    [
        ({}, True),
        ({"env": "production"}, True),
        ({"env": "nowhere known"}, True),
        ({"env": "staging"}, False),
        ({"env": "dev"}, False),
        ({"mode": "audit"}, False),
        ({"mode": "off"}, False),
        ({"mode": "enforce", "env": "dev"}, False),
    ],
    ids=str,
)
def test_mode_and_environment_decide_what_is_applied(policy, settings, blocks):
    """The default is the strict one, and an environment that nobody named is strict too."""
    with guard(policy, **settings):
        if blocks:
            with pytest.raises(GuardBlocked):
                pay(101)
        else:
            assert pay(101) == "paid 101"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("gone.yaml", PolicyFormatError),
        ([], AgentReplayError),
        (["bank.yaml", "gone.yaml"], PolicyFormatError),
    ],
    ids=["missing", "none", "one is missing"],
)
def test_a_policy_that_cannot_be_read_is_told_at_once(policy, tmp_path, monkeypatch, given, error):
    """Where the guard is made, not at the first call that would have needed it."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(error):
        guard(given)


def test_a_mode_that_is_none_is_refused(policy):
    """A typo in a setting switches nothing off."""
    with pytest.raises(AgentReplayError, match="there is no guard mode 'enfroce'"):
        guard(policy, mode="enfroce")


def test_policies_are_paths_or_loaded_or_several(policy, write):
    """The strictest of several wins."""
    other = write("other", "  - {id: warned, tools: [pay], severity: medium}\n")

    for given in (str(policy), load_policy(policy), [other, policy], (load_policy(policy), str(other))):
        with guard(given), pytest.raises(GuardBlocked):
            pay(101)


def test_effects_are_said_for_tools_that_say_none(write):
    """`effects` classifies what `@tool` didn't; a tool that nobody classified is a write to every rule."""
    path = write("writes", "  - {id: no-writes, match: {effect: write}}\n")

    @tool(name="unclassified")
    def unclassified():
        return "done"

    with guard(path, effects={"unclassified": "read"}):
        assert unclassified() == "done"
    with guard(path), pytest.raises(GuardBlocked):
        unclassified()


def test_arguments_that_do_not_fit_are_judged_and_fail_as_ever(write):
    """A call with wrong arguments reaches the rules, and the tool's own TypeError reaches the agent."""
    path = write("none", "  - {id: never, tools: [look]}\n")

    with guard(path):
        with pytest.raises(GuardBlocked):
            look(1, 2, 3)
        with pytest.raises(TypeError):
            pay(1, 2, 3)


def test_a_rule_that_fails_refuses_the_call(write):
    """Whatever goes wrong in a rule, the tool doesn't run."""
    path = write("python", "  - {id: broken, tools: [pay], python: 'no_such_module:rule'}\n")

    with guard(path), pytest.raises(GuardBlocked) as caught:
        pay(1)

    assert caught.value.verdict.unavailable
    assert ran == []


# -- the audit log ---------------------------------------------------------------------------------


def read(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_log_tells_decisions_and_outcomes(policy, tmp_path):
    """Each call has a decision and an outcome under one id, whatever became of it."""
    log = tmp_path / "audit.jsonl"

    with guard(policy, audit_log=log):
        pay(1)
        with pytest.raises(GuardBlocked):
            pay(101)
        with pytest.raises(LookupError):
            look("nothing")
    opened, *entries = read(log)
    pairs = list(zip(entries[::2], entries[1::2], strict=True))

    assert opened["kind"] == "opened" and opened["pid"] == os.getpid()
    assert [(one["kind"], other["kind"]) for one, other in pairs] == [("decision", "outcome")] * 3
    assert all(one["id"] == other["id"] for one, other in pairs)
    assert [one["tool"] for one, _ in pairs] == ["pay", "pay", "look"]
    assert [one["args"] for one, _ in pairs] == [{"amount": 1}, {"amount": 101}, {"what": "nothing"}]
    assert pairs[0][1]["result"] == "paid 1"
    assert "result" not in pairs[1][1] and "error" not in pairs[1][1]
    assert pairs[2][1]["error"]["type"] == "LookupError"
    assert pairs[1][0]["verdict"]["decision"] == "block"
    assert pairs[1][0]["verdict"]["findings"][0]["rule"] == "large"
    assert pairs[1][0]["verdict"]["policy"] == "bank@2"


def test_a_decision_is_on_disk_before_the_tool_runs(policy, tmp_path):
    """A process that dies in a tool leaves behind that it was let in."""
    log = tmp_path / "audit.jsonl"
    seen = []

    @tool(effect="read", name="peek")
    def peek():
        seen.extend(entry["kind"] for entry in read(log))

    with guard(policy, audit_log=log):
        peek()

    assert seen == ["opened", "decision"]


def test_the_log_holds_no_secret(policy, tmp_path):
    """Arguments, results, reasons and context are redacted before they are written."""
    log = tmp_path / "audit.jsonl"

    with guard(policy, audit_log=log):
        checkpoint(plan={"password": "hunter2-hunter2"})
        pay(1, password="hunter2-hunter2")
        look("ann@example.com")
    text = log.read_text()

    assert "hunter2" not in text and "ann@example.com" not in text
    assert "[redacted:password:" in text and "[redacted:email:" in text


def test_the_log_is_only_ever_appended_to(policy, tmp_path):
    """A second guard, thread or process adds to what is there, a whole line each."""
    log = tmp_path / "audit.jsonl"

    with guard(policy, audit_log=log):
        pay(1)
    first = log.read_text()
    by = guard(policy, audit_log=log)
    with by, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: look("x" * 2000 + str(number)), range(50)))

    assert log.read_text().startswith(first)
    assert Counter(entry["kind"] for entry in read(log)) == {"opened": 2, "decision": 51, "outcome": 51}


def test_a_log_that_cannot_be_written_stops_the_work(policy, tmp_path):
    """What can't be logged isn't done: at the guard's making, and at the call."""
    with pytest.raises(AgentReplayError, match="the audit log can't be written"):
        guard(policy, audit_log=tmp_path / "no such folder" / "audit.jsonl")
    log = tmp_path / "audit.jsonl"
    by = guard(policy, audit_log=log)
    log.unlink()
    log.mkdir()

    with by, pytest.raises(AgentReplayError, match="the audit log can't be written"):
        pay(1)
    assert ran == []


def test_the_log_tells_what_audit_mode_let_through(policy, tmp_path):
    """`would` is what enforcing would have done."""
    log = tmp_path / "audit.jsonl"

    with guard(policy, mode="audit", audit_log=log):
        pay(101)
    verdict = read(log)[1]["verdict"]

    assert (verdict["decision"], verdict["would"]) == ("warn", "block")


# -- beside a replay -------------------------------------------------------------------------------


def replayed(*calls):
    return Trace.model_validate({"steps": [{"tool": name, "args": args, "result": "recorded"} for name, args in calls]})


def test_a_guard_of_the_agents_own_works_in_a_replay(policy, agent_replay):
    """`@guard` on the agent under test judges as in production, and the run shows the verdict."""

    @guard(policy)
    def agent():
        first = pay(1)
        try:
            pay(101)
        except GuardBlocked as error:
            return [first, error.reason]

    run = agent_replay(
        replayed(("pay", {"amount": 1})), agent, expect={"verdicts": {"pay#1": "allow", "pay#2": "block"}}
    )

    assert run.output == ["recorded", "more than 100"]
    assert run.verdict("pay#2").policy == "bank@2"
    assert ran == []


def test_a_guard_around_a_replay_judges_it_too(policy, agent_replay):
    """The boundary asks every guard that is in force, and the gate is the guard's again after it."""
    with guard(policy):
        with agent_replay(replayed(("pay", {"amount": 1})), expect={"verdicts": {"pay#2": "block"}}) as run:
            assert pay(1) == "recorded"
            with pytest.raises(GuardBlocked):
                pay(101)
        with pytest.raises(GuardBlocked):
            pay(101)

    assert [verdict.decision for verdict in run.verdicts.values()] == ["allow", "block"]


def test_production_imports_no_pytest(policy, tmp_path):
    """A guarded program runs without pytest being imported at all."""
    program = f"""
import sys
from pytest_agentreplay import GuardBlocked, guard, tool

@tool
def pay(amount): return amount

with guard({str(policy)!r}):
    pay(1)
    try:
        pay(101)
    except GuardBlocked as error:
        print(error)
print(sorted({{"pytest", "_pytest"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)

    assert done.stderr == ""
    assert done.stdout == "the guard blocked pay: more than 100\n[]\n"
