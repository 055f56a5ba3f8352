"""Tools that nobody decorated are swapped in place: every reference sees it, and it is undone when the test ends."""

from __future__ import annotations

import pytest

API = '''
import functools
from pathlib import Path

WRITES = Path(__file__).with_name("real_writes.txt")

def really(name):
    raise AssertionError("a real tool ran: " + name)

def retry(function):
    @functools.wraps(function)
    def again(*args, **kwargs):
        retry.attempts += 1
        return function(*args, **kwargs)
    return again

retry.attempts = 0

def charge(card, cents, currency="EUR"):
    """Charge a card."""
    really("charge")

@retry
def guarded(card, cents): really("guarded")

async def acharge(card, cents): really("acharge")

def generate(count):
    yield from range(count)

@functools.lru_cache
def cached(card): really("cached")

partial = functools.partial(charge, "c-1")

class Client:
    def __init__(self, key): self.key = key
    def pay(self, cents): really("pay")
    @staticmethod
    def check(cents): really("check")
    @classmethod
    def make(cls, cents): really("make")

client = Client("k")
bound = client.pay

def closure():
    count = 0
    def inner(cents):
        nonlocal count
        really("inner" + str(count))
    return inner

enclosed = closure()
TOOLS = {"charge": charge, "guarded": guarded}
LIST = [charge, acharge]
OWN_PARTIAL = {"fixed": functools.partial(charge, "c-1")}
'''

TESTS = '''
import inspect
import functools
import pytest
import api
from api import charge
from pytest_agentreplay import Trace
from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.trace import ToolStep

KEPT = {"charge": charge}


def default(function=charge):
    return function("c-1", 100)


def golden(tool, **args):
    return Trace(steps=[ToolStep(tool=tool, args=args, result="stub")] * 1)


def replayed(agent_replay, call, tool, **args):
    run = agent_replay(golden(tool, **args), lambda: call() and None, check=False)
    assert [(step.tool, step.args, step.result) for step in run.calls()] == [(tool, args, "stub")]


REFERENCES = {
    "module": lambda: api.charge("c-1", 100),
    "import": lambda: charge("c-1", 100),
    "dict": lambda: KEPT["charge"]("c-1", 100),
    "other_dict": lambda: api.TOOLS["charge"]("c-1", 100),
    "default": default,
    "partial": lambda: api.partial(100),
    "keyword": lambda: charge(cents=100, card="c-1"),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_reference(agent_replay, name):
    agent_replay.swap("api:charge", effect="write")
    replayed(agent_replay, REFERENCES[name], "charge", card="c-1", cents=100)


def test_function_itself(agent_replay):
    agent_replay.swap(api.charge, effect="write", name="billing.charge")
    replayed(agent_replay, REFERENCES["module"], "billing.charge", card="c-1", cents=100)


def test_under_a_decorator(agent_replay):
    agent_replay.swap("api:guarded", effect="write")
    before = api.retry.attempts
    replayed(agent_replay, lambda: api.guarded("c-1", 100), "guarded", card="c-1", cents=100)
    assert api.retry.attempts == before + 1


def test_method(agent_replay):
    agent_replay.swap("api:Client.pay", effect="write")
    replayed(agent_replay, lambda: api.client.pay(5), "pay", cents=5)
    replayed(agent_replay, lambda: api.bound(5), "pay", cents=5)
    replayed(agent_replay, lambda: api.Client("x").pay(cents=5), "pay", cents=5)


def test_static_and_class_method(agent_replay):
    agent_replay.swap("api:Client.check", effect="read")
    agent_replay.swap("api:Client.make", effect="write")
    replayed(agent_replay, lambda: api.client.check(5), "check", cents=5)
    replayed(agent_replay, lambda: api.Client.make(5), "make", cents=5)


def test_closure(agent_replay):
    agent_replay.swap(api.enclosed, effect="write", name="inner")
    replayed(agent_replay, lambda: api.enclosed(5), "inner", cents=5)


@pytest.mark.asyncio
async def test_coroutine(agent_replay):
    agent_replay.swap("api:acharge", effect="write")
    assert inspect.iscoroutinefunction(api.acharge)
    with agent_replay(golden("acharge", card="c", cents=1), check=False):
        assert await api.acharge("c", 1) == "stub"


def test_kind_and_signature_stay(agent_replay):
    before = inspect.signature(api.charge), api.charge.__name__, api.charge.__doc__
    agent_replay.swap("api:charge")
    assert (inspect.signature(api.charge), api.charge.__name__, api.charge.__doc__) == before
    assert not inspect.iscoroutinefunction(api.charge)


def test_defaults_and_misfits(agent_replay):
    agent_replay.swap("api:charge", effect="write")
    replayed(agent_replay, lambda: api.charge("c-1", 100, "EUR"), "charge", card="c-1", cents=100, currency="EUR")
    def agent():
        with pytest.raises(TypeError):
            api.charge()
    with pytest.raises(Exception):
        agent_replay(golden("charge", card="c-1"), agent)


@pytest.mark.parametrize(
    "target", ["builtins:print", "api:partial", "api:cached", "api:generate", "api:Client", "api:client"]
)
def test_refused(agent_replay, target):
    with pytest.raises(ToolError) as caught:
        agent_replay.swap(target)
    assert caught.value.details["next"]


@pytest.mark.parametrize("target", ["api:chrge", "nowhere:charge", "charge", "api.charge"])
def test_unknown(agent_replay, target):
    with pytest.raises(Exception) as caught:
        agent_replay.swap(target)
    assert type(caught.value).__name__ in ("SettingsError", "ToolError")


def test_wrap_dict(agent_replay):
    agent_replay.wrap(api.TOOLS, effect="write")
    replayed(agent_replay, lambda: api.TOOLS["guarded"]("c-1", 100), "guarded", card="c-1", cents=100)


def test_wrap_list(agent_replay):
    assert agent_replay.wrap(api.LIST, effect="write") is api.LIST
    replayed(agent_replay, lambda: api.LIST[0]("c-1", 100), "charge", card="c-1", cents=100)


def test_wrap_what_can_not_be_swapped(agent_replay):
    before = api.OWN_PARTIAL["fixed"]
    agent_replay.wrap(api.OWN_PARTIAL, effect="write")
    run = agent_replay(Trace(steps=[ToolStep(tool="fixed", args={"cents": 100}, result="stub")]),
                       lambda: api.OWN_PARTIAL["fixed"](cents=100) and None, check=False)
    assert run.tools == ["fixed"] and run.calls()[0].result == "stub"


def test_z_undone():
    """Runs after the others: nothing is swapped any more."""
    for call in (lambda: api.charge("c-1", 100), lambda: api.guarded("c-1", 100), lambda: api.client.pay(5),
                 lambda: api.enclosed(5), lambda: api.TOOLS["charge"]("c-1", 1), lambda: api.OWN_PARTIAL["fixed"](1)):
        with pytest.raises(AssertionError, match="a real tool ran"):
            call()
    assert isinstance(api.OWN_PARTIAL["fixed"], functools.partial)


def test_z_undone_after_a_failure_too():
    with pytest.raises(AssertionError, match="a real tool ran"):
        api.charge("c-1", 100)
'''

INI_TESTS = """
import pytest
import api
from pytest_agentreplay import Trace
from pytest_agentreplay.trace import ToolStep

def test_swapped(agent_replay):
    run = agent_replay(Trace(steps=[ToolStep(tool="charge", args={"card": "c", "cents": 1}, result=5)]),
                       lambda: api.charge("c", 1) and None)
    assert [(step.tool, step.effect) for step in run.calls()] == [("charge", "write")]

def test_other():
    with pytest.raises(AssertionError, match="a real tool ran"):
        api.charge("c", 1)
"""


@pytest.fixture(scope="module")
def found(make_shop):
    """One session of tests that swap."""
    shop = make_shop("swapping")
    shop.module(API, "api")
    shop.test(TESTS)
    return shop.outcomes("test_it.py")


@pytest.mark.parametrize("name", ["module", "import", "dict", "other_dict", "default", "partial", "keyword"])
def test_every_reference_sees_the_swap(found, name):
    """Other imports, dicts, default arguments, partials: the function's body is what is swapped."""
    assert found[f"test_reference[{name}]"].outcome == "passed", found[f"test_reference[{name}]"].shown


@pytest.mark.parametrize(
    "name",
    [
        "function_itself",
        "under_a_decorator",
        "method",
        "static_and_class_method",
        "closure",
        "coroutine",
        "kind_and_signature_stay",
        "defaults_and_misfits",
    ],
)
def test_what_can_be_swapped(found, name):
    """Functions, methods, coroutines, closures, and what is under a decorator; they stay what they were."""
    assert found[f"test_{name}"].outcome == "passed", found[f"test_{name}"].shown


@pytest.mark.parametrize(
    "target", ["builtins:print", "api:partial", "api:cached", "api:generate", "api:Client", "api:client"]
)
def test_what_can_not_be_swapped_is_refused(found, target):
    """The alternative is named."""
    assert found[f"test_refused[{target}]"].outcome == "passed", found[f"test_refused[{target}]"].shown


@pytest.mark.parametrize("target", ["api:chrge", "nowhere:charge", "charge", "api.charge"])
def test_a_target_that_leads_nowhere_is_refused(found, target):
    """A typo swaps nothing in silence."""
    assert found[f"test_unknown[{target}]"].outcome == "passed", found[f"test_unknown[{target}]"].shown


@pytest.mark.parametrize("name", ["wrap_dict", "wrap_list", "wrap_what_can_not_be_swapped"])
def test_containers_are_wrapped(found, name):
    """Every tool of a dict or list, in place where it can be."""
    assert found[f"test_{name}"].outcome == "passed", found[f"test_{name}"].shown


def test_swaps_end_with_their_test(found):
    """The next test has the real functions again."""
    assert found["test_z_undone"].outcome == "passed", found["test_z_undone"].shown
    assert found["test_z_undone_after_a_failure_too"].outcome == "passed"


def test_the_ini_file_swaps_for_every_replay(make_shop):
    """A line `module:function = write` swaps it in tests that replay, and only in them."""
    shop = make_shop("ini")
    shop.module(API, "api")
    shop.test(INI_TESTS)
    shop.ini("agent_replay_tools =\n    api:charge = write\n")
    found = shop.outcomes("test_it.py")

    assert [test.outcome for test in found.values()] == ["passed", "passed"], [test.shown for test in found.values()]


@pytest.mark.parametrize("line", ["api:charge = wrote", "api:charge", "= read", "api:chrge = write"])
def test_a_line_that_can_not_be_used_is_told(make_shop, line):
    """No tool is left unclassified, or unswapped, by a typo."""
    shop = make_shop("ini")
    shop.module(API, "api")
    shop.ini(f"agent_replay_tools =\n    {line}\n")
    found = shop.outcomes("--agent-replay") if line == "api:chrge = write" else None
    if found is not None:
        assert found["refund"].outcome in ("failed", "error") and "chrge" in found["refund"].shown
        return
    with pytest.raises(FileNotFoundError):  # a usage error: the session never starts
        shop.outcomes("--agent-replay")
