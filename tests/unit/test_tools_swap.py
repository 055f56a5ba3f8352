from __future__ import annotations

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import threading
import traceback
import typing

import pytest

from pytest_agentreplay.errors import SettingsError, ToolError
from pytest_agentreplay.tools import find_spec, gate, tool
from pytest_agentreplay.tools.binding import bind
from pytest_agentreplay.tools.swap import swap


class FakeGate:
    """Notes every call; runs the body, or answers in its place."""

    def __init__(self, *, live=True):
        self.live = live
        self.asked = []

    def call(self, spec, args, kwargs):
        self.asked.append((spec.name, bind(spec, args, kwargs)))
        return spec.body(*args, **kwargs) if self.live else "answered"

    async def acall(self, spec, args, kwargs):
        self.asked.append((spec.name, bind(spec, args, kwargs)))
        return await spec.body(*args, **kwargs) if self.live else "answered"


@pytest.fixture(autouse=True)
def _no_session():
    """No session is active, and no quarantine that an earlier run of this process left behind."""
    before = gate.active
    gate.set_active(None)
    yield
    gate.set_active(before)


@pytest.fixture
def put_in_force():
    """Start a session when the test says so."""
    return lambda **options: gate.set_active(FakeGate(**options)) or gate.active


@pytest.fixture
def swapping():
    """Swap, and undo when the test ends."""
    swaps = []
    yield lambda *args, **options: swaps.append(swap(*args, **options)) or swaps[-1]
    for swapped in swaps:
        swapped.undo()


def charge(amount: int, currency: str = "EUR", *, note: str | None = None) -> str:
    """Charge an amount."""
    if amount < 0:
        raise ValueError(f"negative: {amount}")
    return f"charged {amount} {currency} {note}"


def factorial(n):
    """Call itself."""
    return 1 if n == 0 else n * factorial(n - 1)


async def notify(to, text="hi"):
    """Wait, then answer."""
    await asyncio.sleep(0)
    return f"{to}: {text}"


def retry(function):
    """Try three times."""

    @functools.wraps(function)
    def attempt(*args, **kwargs):
        for left in (2, 1, 0):
            try:
                return function(*args, **kwargs)
            except ValueError:
                if not left:
                    raise

    return attempt


@retry
def flaky(x):
    """Fail."""
    raise ValueError(x)


@tool(effect="read", name="docs.search")
def search(query):
    """Search, as a tool."""
    return query


retried_search = retry(search)
cached = functools.lru_cache(charge)
retried_cached = retry(functools.lru_cache(charge))
discounted = functools.partial(charge, 1)
twice = [charge, {"charge": charge}]


def later(x, pay=charge):
    """Hold a function as a default argument."""
    return pay(x)


class Shop:
    def pay(self, amount):
        return (type(self).__name__, __class__.__name__, amount)

    async def apay(this, amount):  # noqa: N805 - some call it otherwise
        return amount

    @classmethod
    def make(cls, kind):
        return cls, kind

    @staticmethod
    def rate(self):
        return self

    @retry
    def order(self, item):
        return item

    @property
    def total(self):
        return 1


class Outlet(Shop):
    pass


shop = Shop()


def stream():
    """Count."""
    yield 1


async def astream():
    """Count."""
    yield 1


HERE = __name__


def test_every_reference_sees_the_boundary(put_in_force, swapping):
    """Imports elsewhere, containers, default arguments and closures hold the same function."""
    stored = twice[1]["charge"]
    swapping(f"{HERE}:charge")
    session = put_in_force(live=False)

    assert [charge(1), stored(2), twice[0](3), later(4), discounted()] == ["answered"] * 5
    assert session.asked[:2] == [("charge", {"amount": 1}), ("charge", {"amount": 2})]


def test_without_a_session_a_swapped_function_is_itself(swapping):
    """Same result, defaults, exceptions and identity."""
    swapping(charge)

    assert charge(1, note="n") == "charged 1 EUR n"
    with pytest.raises(ValueError, match="negative: -1"):
        charge(-1)
    with pytest.raises(TypeError, match=r"charge\(\) missing 1 required positional argument: 'amount'"):
        charge()
    assert pickle.loads(pickle.dumps(charge)) is charge and copy.deepcopy(charge) is charge


def test_introspection_stays(swapping):
    """What frameworks read off a function is what it was."""

    def look():
        return (
            inspect.signature(charge),
            inspect.getfullargspec(charge),
            typing.get_type_hints(charge),
            inspect.getsource(charge),
            inspect.getdoc(charge),
            charge.__defaults__,
            charge.__kwdefaults__,
            charge.__qualname__,
            charge.__module__,
            charge.__code__.co_name,
            charge.__code__.co_qualname,
            charge.__code__.co_filename,
            charge.__code__.co_firstlineno,
            inspect.signature(shop.pay),
            inspect.iscoroutinefunction(notify),
            inspect.iscoroutinefunction(charge),
        )

    before = look()
    for target in (charge, notify, Shop.pay):
        swapping(target)

    assert look() == before


def test_undo_restores_exactly():
    """Nothing is left behind, however often it is undone."""
    before = (charge.__code__, dict(charge.__dict__))
    swapped = swap(charge)
    body = swapped.spec.body
    swapped.undo()
    swapped.undo()

    assert (charge.__code__, charge.__dict__) == before and charge.__code__ is before[0] is body.__code__
    assert find_spec(charge) is None


def test_recursion_passes_the_gate_each_time(put_in_force, swapping):
    """The body's own call of itself is a call of the tool."""
    swapping(factorial)
    session = put_in_force()

    assert factorial(3) == 6
    assert [args["n"] for _, args in session.asked] == [3, 2, 1, 0]


def test_closures_share_their_cells(put_in_force, swapping):
    """Nonlocal state is one, before, during and after."""
    count = 0

    def counted(step):
        nonlocal count
        count += step
        return count

    counted(1)
    swapped = swapping(counted)
    put_in_force()
    counted(10)
    swapped.undo()
    counted(100)

    assert count == 111 and counted.__code__.co_freevars == ("count",)


def test_debuggers_can_read_the_frames(swapping):
    """Trace functions and tracebacks see locals and the original's first line, without a crash."""
    total = 1

    def added(x):
        return total / x

    swapping(added)
    seen = []

    def trace(frame, event, _):
        if frame.f_code.co_name == "added":
            seen.append((event, frame.f_lineno, dict(frame.f_locals)))
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(ZeroDivisionError) as raised:
            added(0)
    finally:
        sys.settrace(previous)
    frames = [item for item in traceback.extract_tb(raised.value.__traceback__) if item.name == "added"]

    assert {line for _, line, _ in seen[:2]} == {added.__code__.co_firstlineno}
    assert [item.line for item in frames] == ["def added(x):", "return total / x"]
    assert any(local.get("total") == 1 for *_, local in seen)


def test_retry_decorator_passes_the_gate_each_time(put_in_force, swapping):
    """The function under the decorator is swapped, by name and as an object."""
    swapped = swapping(f"{HERE}:flaky")
    session = put_in_force()
    with pytest.raises(ValueError, match="7"):
        flaky(7)

    assert session.asked == [("flaky", {"x": 7})] * 3
    assert flaky.__wrapped__.__code__ is not swapped.spec.body.__code__


def test_coroutine_functions_stay_coroutine_functions(put_in_force, swapping):
    """An event loop sees no difference."""
    swapping(notify)
    session = put_in_force()

    async def together():
        return await asyncio.gather(notify("a"), notify("b", text="c"))

    assert inspect.iscoroutinefunction(notify)
    assert asyncio.run(together()) == ["a: hi", "b: c"]
    assert session.asked == [("notify", {"to": "a"}), ("notify", {"to": "b", "text": "c"})]


@pytest.mark.parametrize(
    ("target", "use", "bound"),
    [
        (f"{HERE}:Shop.pay", lambda: shop.pay(1), {"amount": 1}),
        (f"{HERE}:shop.pay", lambda: Shop().pay(1), {"amount": 1}),
        (f"{HERE}:Outlet.pay", lambda: Outlet().pay(1), {"amount": 1}),
        (shop.pay, lambda: Shop.pay(shop, 1), {"amount": 1}),
        (Shop.pay, lambda: shop.pay(amount=1), {"amount": 1}),
        (f"{HERE}:Shop.make", lambda: Outlet.make("k"), {"kind": "k"}),
        (Shop.make, lambda: shop.make("k"), {"kind": "k"}),
        (vars(Shop)["make"], lambda: shop.make("k"), {"kind": "k"}),
        (f"{HERE}:Shop.rate", lambda: Shop.rate("r"), {"self": "r"}),
        (vars(Shop)["rate"], lambda: shop.rate("r"), {"self": "r"}),
        (f"{HERE}:Shop.order", lambda: shop.order("i"), {"item": "i"}),
        (Shop.order, lambda: shop.order("i"), {"item": "i"}),
    ],
)
def test_methods_are_swapped_without_their_instance(target, use, bound, put_in_force, swapping):
    """By class, by instance, inherited, class and static methods, and under a decorator."""
    swapping(target)
    session = put_in_force(live=False)

    assert use() == "answered"
    assert [args for _, args in session.asked] == [bound]


@pytest.mark.parametrize("target", [f"{HERE}:Shop.apay", shop.apay], ids=["path", "bound method"])
def test_method_that_calls_its_instance_otherwise(target, put_in_force, swapping):
    """A class path or a bound method tells that the first argument is the instance, whatever its name."""
    swapping(target)
    session = put_in_force()

    assert asyncio.run(shop.apay(2)) == 2
    assert session.asked == [("apay", {"amount": 2})]


def test_bound_method_stored_before_the_swap_passes_the_gate(put_in_force, swapping):
    """An agent that kept a method at import time is covered, and super's cell still works."""
    stored = Outlet().pay
    swapping(f"{HERE}:Shop.pay")
    session = put_in_force()

    assert stored(3) == ("Outlet", "Shop", 3)
    assert session.asked == [("pay", {"amount": 3})]


def test_tool_gets_no_second_boundary(put_in_force, swapping):
    """A decorated tool, or what wraps one, takes effect and name of the swap until it is undone."""
    spec = find_spec(search)
    swapped = swapping(f"{HERE}:retried_search", effect="write", name="search")
    session = put_in_force()
    retried_search("q")
    during = (swapped.spec, spec.name, spec.effect, spec.effect_source)
    swapped.undo()

    assert during == (spec, "search", "write", "swap")
    assert session.asked == [("search", {"query": "q"})]
    assert (spec.name, spec.effect, spec.effect_source) == ("docs.search", "read", "@tool")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_swaps_of_one_function_are_undone_in_any_order(order, put_in_force):
    """The boundary stays until the last swap goes, and the newest one left counts."""
    code = charge.__code__
    swaps = [swap(charge, effect="read"), swap(charge, name="pay"), swap(charge, effect="write")]
    session = put_in_force(live=False)
    left = {0, 1, 2}
    for undone in order:
        charge(1)
        spec = find_spec(charge)

        assert spec.name == ("pay" if 1 in left else "charge")
        assert spec.effect == ("write" if 2 in left else "read" if 0 in left else None)
        swaps[undone].undo()
        left.remove(undone)

    assert len(session.asked) == 3
    assert charge.__code__ is code and find_spec(charge) is None


def test_decorator_applied_during_a_swap_keeps_nothing_of_it(swapping):
    """A wrapper made while a function was swapped is no tool once the swap is undone."""
    swapped = swapping(charge)
    wrapper = retry(charge)
    inside = find_spec(wrapper)
    swapped.undo()

    assert inside is swapped.spec
    assert find_spec(wrapper) is None


@pytest.mark.parametrize(
    ("target", "problem", "remedy"),
    [
        (len, "not written in Python", "agent_replay.wrap"),
        ("math:sqrt", "not written in Python", "@tool"),
        (discounted, "a partial", "agent_replay.wrap"),
        (cached, "a cache", "agent_replay.wrap"),
        (retried_cached, "a cache", "agent_replay.wrap"),
        (stream, "a generator function", "@tool"),
        (retry(stream), "a generator function", "@tool"),
        (astream, "a generator function", "@tool"),
        (functools.singledispatch(lambda x: x), "a singledispatch function", "@tool"),
        (Shop, "a class", f"swap the method that acts, as {HERE}:Shop.method"),
        (f"{HERE}:Shop.total", "no function", "name a function"),
        (type("Tool", (), {"__call__": lambda self: 1})(), "not written in Python", "agent_replay.wrap"),
    ],
)
def test_what_cannot_be_swapped_is_refused_with_the_alternative(target, problem, remedy):
    """A swap that would miss calls is no swap."""
    with pytest.raises(ToolError) as error:
        swap(target)

    assert problem in error.value.fact and remedy in error.value.details["next"]


@pytest.mark.parametrize(
    ("target", "fact", "closest"),
    [
        ("charge", "names no function", None),
        (f"{HERE}:", "names no function", None),
        (f"{HERE}:chrage", "has no chrage", "charge"),
        (f"{HERE}:Shop.pya", "Shop has no pya", "pay"),
        ("no_such_module_anywhere:f", "ModuleNotFoundError", None),
    ],
)
def test_target_that_leads_nowhere_says_where_it_ended(target, fact, closest):
    """A typo is answered with the nearest there is."""
    with pytest.raises(SettingsError) as error:
        swap(target)

    assert fact in error.value.fact and error.value.details["next"]
    assert error.value.details.get("closest") == closest


def test_module_that_fails_to_import_keeps_its_cause(tmp_path, monkeypatch):
    """What went wrong inside a module isn't hidden."""
    tmp_path.joinpath("broken_for_swap.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match="ZeroDivisionError") as error:
        swap("broken_for_swap:f")

    assert isinstance(error.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("options", [{"effect": "reed"}, {"name": ""}, {"name": "a#1"}])
def test_wrong_options_are_refused_before_anything_is_swapped(options):
    """Nothing is half done."""
    with pytest.raises(ToolError):
        swap(charge, **options)

    assert find_spec(charge) is None


def test_lambda_is_named_by_its_target(put_in_force, swapping, monkeypatch):
    """The attribute's name is a name; the object alone has none."""
    monkeypatch.setattr(sys.modules[HERE], "quick", lambda x: x, raising=False)

    assert swapping(f"{HERE}:quick").spec.name == "quick"
    with pytest.raises(ToolError, match="no name"):
        swap(lambda x: x)


def test_swapping_while_threads_call_is_safe():
    """Every call gets a right answer whichever path it takes."""
    stop, wrong = threading.Event(), []

    def hammer():
        while not stop.is_set():
            if charge(2) != "charged 2 EUR None" or factorial(4) != 24:
                wrong.append(1)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        swaps = [swap(charge), swap(factorial), swap(charge)]
        for swapped in swaps:
            swapped.undo()
    stop.set()
    for thread in threads:
        thread.join()

    assert not wrong and find_spec(charge) is None is find_spec(factorial)


def test_swaps_leave_nothing_in_memory():
    """A swapped function can go when its owner lets it go."""
    gone = []

    def make():
        state = []

        class Watch:
            def __del__(self):
                gone.append(1)

        watch = Watch()

        def held():
            return state, watch

        return held

    held = make()
    swap(held).undo()
    del held
    gc.collect()

    assert gone == [1]


def test_calls_in_flight_survive_the_undo(put_in_force):
    """A call that began under a swap ends with its body's answer."""
    reached, go = threading.Event(), threading.Event()
    results = []

    def slow():
        reached.set()
        go.wait(5)
        return "done"

    swapped = swap(slow)
    put_in_force()
    thread = threading.Thread(target=lambda: results.append(slow()))
    thread.start()
    reached.wait(5)
    swapped.undo()
    go.set()
    thread.join()

    assert results == ["done"]
