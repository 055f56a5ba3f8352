from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import pickle
import subprocess
import sys
import typing

import pytest

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.tools import find_spec, gate, tool
from pytest_agentreplay.tools.binding import bind


class FakeGate:
    """Answers every call with what it was asked, and notes the tool."""

    def __init__(self):
        self.asked = []

    def call(self, spec, args, kwargs):
        self.asked.append((spec.name, args, kwargs))
        return "answered"

    async def acall(self, spec, args, kwargs):
        return self.call(spec, args, kwargs)

    def generate(self, spec, args, kwargs):
        yield self.call(spec, args, kwargs)

    async def agenerate(self, spec, args, kwargs):
        yield self.call(spec, args, kwargs)


@pytest.fixture(autouse=True)
def _no_session():
    """No session is active, and no quarantine that an earlier run of this process left behind."""
    before = gate.active
    gate.set_active(None)
    yield
    gate.set_active(before)


@pytest.fixture
def session():
    """A session is active."""
    fake = FakeGate()
    gate.set_active(fake)
    return fake


@tool(effect="read")
def search_docs(query: str, limit: int = 5) -> dict[str, int]:
    """Search the docs."""
    if not query:
        raise ValueError("empty query")
    return {query: limit}


@tool
async def fetch(url: str) -> str:
    """Fetch a page."""
    await asyncio.sleep(0)
    return f"<{url}>"


@tool
def stream(n: int):
    """Count, and return what was sent."""
    got = []
    for i in range(n):
        got.append((yield i))
    return got


@tool
async def astream(n: int):
    """Count, and answer what was sent or thrown."""
    for i in range(n):
        try:
            sent = yield i
        except KeyError:
            yield "caught"
        else:
            if sent is not None:
                yield f"sent {sent}"


class Shop:
    @tool
    def charge(self, amount: int) -> str:
        return f"charged {amount}"

    @tool
    @staticmethod
    def rate(code: str) -> str:
        return code

    @staticmethod
    @tool
    def tax(code: str) -> str:
        return code

    @tool
    @classmethod
    def make(cls, kind: str) -> tuple[type, str]:
        return cls, kind

    @classmethod
    @tool
    def build(cls, kind: str) -> tuple[type, str]:
        return cls, kind


class Outlet(Shop):
    def charge(self, amount: int) -> str:
        return super().charge(amount) + " here"


def test_outside_a_session_a_tool_is_its_function():
    """Same result, same exceptions, same documentation and introspection."""
    plain = search_docs.__wrapped__

    assert search_docs("a", limit=2) == {"a": 2}
    assert search_docs.__name__ == "search_docs" and search_docs.__doc__ == "Search the docs."
    assert inspect.signature(search_docs) == inspect.signature(plain)
    assert typing.get_type_hints(search_docs) == {"query": str, "limit": int, "return": dict[str, int]}
    with pytest.raises(ValueError, match="empty query"):
        search_docs("")
    with pytest.raises(TypeError, match=r"search_docs\(\) missing 1 required positional argument: 'query'"):
        search_docs()


def test_tool_is_pickled_by_reference_and_copied_as_itself():
    """Pools and deep copies of agents keep working."""
    assert pickle.loads(pickle.dumps(search_docs)) is search_docs
    assert copy.deepcopy({"f": search_docs})["f"] is search_docs


def test_each_kind_of_function_stays_what_it_is():
    """Frameworks that ask inspect are answered as before."""
    assert inspect.iscoroutinefunction(fetch) and asyncio.run(fetch("u")) == "<u>"
    assert inspect.isgeneratorfunction(stream) and list(stream(3)) == [0, 1, 2]
    assert inspect.isasyncgenfunction(astream)
    assert not inspect.iscoroutinefunction(search_docs) and not inspect.isgeneratorfunction(search_docs)
    assert [find_spec(f).kind for f in (search_docs, fetch, stream, astream)] == [
        "function",
        "coroutine",
        "generator",
        "async_generator",
    ]


def test_generator_tool_takes_what_is_sent_and_returns_what_it_returned():
    """Two-way generators work through the boundary."""
    running = stream(2)
    next(running)
    running.send("first")
    with pytest.raises(StopIteration) as end:
        running.send("second")

    assert end.value.value == ["first", "second"]


def test_async_generator_tool_takes_sends_throws_and_closes():
    """asend, athrow and aclose reach the body."""
    closed = []

    @tool
    async def watched():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def use():
        running = astream(3)
        seen = [await anext(running), await running.asend("x"), await anext(running), await running.athrow(KeyError())]
        rest = [item async for item in running]
        short = watched()
        await anext(short)
        await short.aclose()
        return seen, rest, list(closed)

    assert asyncio.run(use()) == ([0, "sent x", 1, "caught"], [2], [True])


def test_every_kind_asks_the_gate_that_is_active(session):
    """In a session no body runs unless the gate says so."""

    async def all_async():
        return [await fetch("u"), [item async for item in astream(9)]]

    assert search_docs("q", limit=1) == "answered"
    assert list(stream(9)) == ["answered"]
    assert asyncio.run(all_async()) == ["answered", ["answered"]]
    assert session.asked == [
        ("search_docs", ("q",), {"limit": 1}),
        ("stream", (9,), {}),
        ("fetch", ("u",), {}),
        ("astream", (9,), {}),
    ]


def test_call_that_does_not_fit_reaches_the_gate(session):
    """A call is a call all the same; the gate decides what comes of it."""
    assert search_docs(nonsense=1) == "answered"


def test_methods_leave_self_out(session):
    """Instances and classes are no arguments, in both orders of the decorators."""
    shop = Shop()
    shop.charge(5)
    shop.rate("eur")
    Shop.tax("eur")
    shop.make("small")
    Shop.build("small")
    bound = [bind(find_spec(getattr(Shop, name)), args, kwargs) for name, args, kwargs in session.asked]

    assert bound == [{"amount": 5}, {"code": "eur"}, {"code": "eur"}, {"kind": "small"}, {"kind": "small"}]


def test_methods_work_outside_a_session():
    """Binding to instances, classes and super() is Python's own."""
    assert Outlet().charge(2) == "charged 2 here"
    assert Outlet.make("k") == Outlet.build("k") == (Outlet, "k")
    assert Shop.rate("x") == Shop().tax("x") == "x"
    assert find_spec(Shop().charge) is find_spec(Shop.charge) is not None


def test_first_parameter_called_self_outside_a_class_is_an_argument():
    """Only a function defined in a class has an instance."""

    @tool
    def odd(self, x):
        return self, x

    assert bind(find_spec(odd), (1, 2), {}) == {"self": 1, "x": 2}


def test_method_under_a_decorator_leaves_self_out():
    """What counts is the innermost function's first parameter."""

    def retried(function):
        @functools.wraps(function)
        def attempt(*args, **kwargs):
            return function(*args, **kwargs)

        return attempt

    class Client:
        @tool
        @retried
        def pay(self, amount):
            return amount

    assert find_spec(Client.pay).has_self
    assert Client().pay(3) == 3


def test_decorated_twice_is_one_boundary(session):
    """The body is asked for once, under what the outer decorator declares."""
    again = tool(search_docs)
    renamed = tool(effect="write", name="docs.search")(search_docs)
    renamed("q")

    assert again is search_docs
    assert session.asked == [("docs.search", ("q",), {})]
    assert find_spec(renamed).effect == "write" and find_spec(renamed).body is find_spec(search_docs).body
    assert find_spec(search_docs).effect == "read"


def test_decorated_twice_runs_the_body_once_per_call():
    """One boundary doesn't mean a lost or a doubled call."""
    calls = []
    inner = tool(lambda: calls.append(1), name="count")
    tool(inner, name="count_again")()

    assert calls == [1]


def test_decorator_above_a_tool_is_kept():
    """functools.wraps copies a tool's mark; what wraps the tool is still called."""
    attempts = []

    def twice(function):
        @functools.wraps(function)
        def attempt(*args):
            attempts.append(args)
            return function(*args)

        return attempt

    outer = tool(twice(search_docs), name="outer")
    outer("q")

    assert attempts == [("q",)]
    assert find_spec(twice(search_docs)) is find_spec(search_docs)
    assert find_spec(outer).name == "outer"


@pytest.mark.parametrize(
    ("made", "args", "result", "parameters"),
    [
        (tool(functools.partial(search_docs.__wrapped__, limit=1)), ("q",), {"q": 1}, ["query", "limit"]),
        (tool(functools.partial(search_docs.__wrapped__, "q")), (), {"q": 5}, ["limit"]),
        (tool(Shop().charge.__wrapped__.__get__(Shop())), (3,), "charged 3", ["amount"]),
        (tool(len), ("abc",), 3, ["obj"]),
        (tool(lambda x: x, name="echo"), (4,), 4, ["x"]),
    ],
    ids=["partial", "partial-positional", "bound-method", "builtin", "lambda"],
)
def test_other_callables_become_functions(made, args, result, parameters):
    """Partials, bound methods, builtins and lambdas work as tools."""
    assert inspect.isfunction(made) and made(*args) == result
    assert list(inspect.signature(made).parameters) == parameters
    assert list(bind(find_spec(made), args, {})) == parameters[: len(args)]


def test_other_callables_keep_kind_name_and_annotations():
    """A partial of a coroutine function is one, named after it, without what it already has."""
    made = tool(functools.partial(fetch.__wrapped__, "u"))

    assert inspect.iscoroutinefunction(made) and asyncio.run(made()) == "<u>"
    assert made.__name__ == find_spec(made).name == "fetch"
    assert typing.get_type_hints(made) == {"return": str}


def test_callable_object_needs_a_name_and_keeps_its_kind():
    """An object with an async __call__ becomes a coroutine function."""

    class Search:
        async def __call__(self, query: str) -> str:
            return query

    made = tool(Search(), name="search")

    assert inspect.iscoroutinefunction(made) and asyncio.run(made("q")) == "q"
    assert bind(find_spec(made), ("q",), {}) == {"query": "q"}
    with pytest.raises(ToolError, match="no name that a trace could use"):
        tool(Search())


def test_cache_under_a_tool_can_still_be_cleared():
    """What lru_cache adds to a function stays within reach."""
    calls = []

    @tool
    @functools.lru_cache
    def slow(x):
        calls.append(x)
        return x

    slow(1), slow(1)
    slow.cache_clear()
    slow(1)

    assert calls == [1, 1] and slow.cache_info().misses == 1


@pytest.mark.parametrize(
    ("make", "fact", "remedy"),
    [
        (lambda: tool(Shop), "is a class", "decorate the method"),
        (lambda: tool("read"), "takes a function", "@tool(effect="),
        (lambda: tool(property(len)), "can't be called", "below @property"),
        (lambda: tool(lambda: 1), "no name", "tool(name="),
        (lambda: tool(effect="reed"), "effect can't be 'reed'", 'effect="read"'),
        (lambda: tool(name=""), "can't be empty", "leave `name` out"),
        (lambda: tool(name=3), "is a text", "name="),
        (lambda: tool(name="a#1"), "address", "choose one without"),
        (lambda: tool(name="a@b"), "address", "choose one without"),
        (lambda: tool(name="tool:model"), "address", "choose one without"),
        (lambda: tool(name="a\nb"), "address", "choose one without"),
    ],
)
def test_refusals_name_the_remedy(make, fact, remedy):
    """What can't be a tool is refused where it is declared."""
    with pytest.raises(ToolError) as error:
        make()

    assert fact in error.value.fact and remedy in error.value.details["next"]


def test_reserved_words_are_good_names():
    """Traces address tools called model, state and end as ``tool:model#1``."""
    assert find_spec(tool(len, name="model")).name == "model"


def test_traceback_leads_to_the_body():
    """Exceptions are the body's own, one frame later."""
    with pytest.raises(ValueError, match="empty query") as raised:
        search_docs("")

    assert [entry.name for entry in raised.traceback][1:] == ["call", "search_docs"]


def test_find_spec_gives_none_for_what_is_no_tool():
    """Plain functions, classes, and proxies that have every attribute."""

    class Proxy:
        def __getattr__(self, name):
            return Proxy()

    assert find_spec(len) is find_spec(None) is find_spec(Shop) is find_spec(Proxy()) is None


def test_importing_and_decorating_loads_neither_inspect_nor_anything_heavy():
    """Production code pays for what it uses."""
    code = (
        "import sys; import typing; before = set(sys.modules)\n"
        "from pytest_agentreplay.tools import tool\n"
        "@tool\n"
        "def f(x): return x\n"
        "f(1)\n"
        "print(*sorted(n for n in set(sys.modules) - before if not n.startswith('pytest_agentreplay')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(done.stdout.split()) <= {"__future__"}
