from __future__ import annotations

import functools
import operator
from types import MappingProxyType

import pytest

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.tools import find_spec, gate, tool
from pytest_agentreplay.tools.binding import bind
from pytest_agentreplay.tools.swap import wrap


class FakeGate:
    """Notes every call and answers in the body's place."""

    def __init__(self):
        self.asked = []

    def call(self, spec, args, kwargs):
        self.asked.append((spec.name, bind(spec, args, kwargs)))
        return "answered"

    def generate(self, spec, args, kwargs):
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


@pytest.fixture
def wrapping():
    """Wrap, and undo when the test ends."""
    done = []
    yield lambda *args, **options: done.append(wrap(*args, **options)) or done[-1]
    for wrapped in done:
        wrapped.undo()


def search(query):
    """Search."""
    return [query]


def send(to, text=""):
    """Send."""
    return to, text


def stream(n):
    """Count."""
    yield from range(n)


@tool(effect="read", name="docs.read")
def read_doc(name):
    """Read, as a tool."""
    return name


class Client:
    def __init__(self, site):
        self.site = site

    def query(self, text):
        return self.site, text


class Scorer:
    def __call__(self, text):
        return len(text)


def test_dict_names_its_tools(session, wrapping):
    """The key is the tool's name; functions are swapped in place, so the container stays as it is."""
    tools = {"find": search, "mail": send, "doc": read_doc}
    wrapping(tools, effect="read", effects={"mail": "write"})
    search("q"), tools["mail"]("a"), read_doc("n")

    assert tools == {"find": search, "mail": send, "doc": read_doc}
    assert session.asked == [("find", {"query": "q"}), ("mail", {"to": "a"}), ("doc", {"name": "n"})]
    assert [find_spec(item).effect for item in tools.values()] == ["read", "write", "read"]
    assert find_spec(search).effect_source == "wrap"


def test_undo_gives_everything_back(wrapping):
    """Functions, decorated tools and containers are what they were."""
    code, partial = send.__code__, functools.partial(search, "q")
    tools = {"mail": send, "doc": read_doc, "part": partial}
    wrapped = wrapping(tools, effect="write")
    wrapped.undo()
    wrapped.undo()
    spec = find_spec(read_doc)

    assert send.__code__ is code and find_spec(send) is None
    assert (spec.name, spec.effect, spec.effect_source) == ("docs.read", "read", "@tool")
    assert tools == {"mail": send, "doc": read_doc, "part": partial}


@pytest.mark.parametrize(
    ("item", "args", "bound"),
    [
        (functools.partial(send, "a"), ("t",), {"text": "t"}),
        (operator.add, (1, 2), {"a": 1, "b": 2}),
        (functools.lru_cache(search), ("q",), {"query": "q"}),
        (functools.singledispatch(search), ("q",), {"query": "q"}),
        (Scorer(), ("t",), {"text": "t"}),
    ],
    ids=["partial", "builtin", "cache", "singledispatch", "object"],
)
def test_what_cannot_be_swapped_is_replaced_in_a_dict(item, args, bound, session, wrapping):
    """The container holds a decorated function until it is undone."""
    tools = {"it": item}
    wrapped = wrapping(tools)

    assert tools["it"](*args) == "answered"
    assert session.asked == [("it", bound)]
    wrapped.undo()
    assert tools["it"] is item


def test_generator_function_is_replaced_in_a_list(session, wrapping):
    """A list's tools go by their own names."""
    tools = [search, stream]
    wrapped = wrapping(tools)

    assert list(tools[1](3)) == ["answered"] and search("q") == "answered"
    assert [name for name, _ in session.asked] == ["stream", "search"]
    wrapped.undo()
    assert tools == [search, stream]


def test_replaced_tool_is_put_back_where_it_is_now(wrapping):
    """A container may change while it is wrapped."""
    tools = [search, stream]
    wrapped = wrapping(tools)
    tools.insert(0, send)
    tools.remove(search)
    wrapped.undo()

    assert tools == [send, stream]


def test_replaced_tool_that_was_taken_out_stays_out(wrapping):
    """Undo adds nothing to a container."""
    tools = {"s": stream}
    wrapped = wrapping(tools)
    del tools["s"]
    wrapped.undo()

    assert tools == {}


@pytest.mark.parametrize("make", [tuple, set, frozenset])
def test_tuple_and_set_are_swapped_or_refused(make, session, wrapping):
    """Where nothing can be replaced, all must be swappable."""
    wrapping(make([search, send]))
    with pytest.raises(ToolError) as error:
        wrap(make([stream]))

    assert search("q") == send("a") == "answered"
    assert "a generator function" in error.value.fact and "a dict or a list" in error.value.details["next"]


def test_one_refusal_undoes_all():
    """Half a container is never wrapped."""
    tools = {"find": search, "part": functools.partial(search, "q"), "bad": Client}
    before = dict(tools)
    with pytest.raises(ToolError, match="is a class"):
        wrap(tools)

    assert tools == before and find_spec(search) is None


def test_one_function_under_two_keys_keeps_both_names(session, wrapping):
    """Each key is a tool, methods of two instances included."""
    tools = {"eu": Client("eu").query, "us": Client("us").query, "again": search, "more": search}
    wrapped = wrapping(tools)
    for call in tools.values():
        call("x")

    assert [name for name, _ in session.asked] == ["eu", "us", "again", "more"]
    assert [args for _, args in session.asked[:2]] == [{"text": "x"}] * 2
    wrapped.undo()
    gate.set_active(None)
    assert [call("x") for call in tools.values()] == [("eu", "x"), ("us", "x"), ["x"], ["x"]]


@pytest.mark.parametrize(
    ("tools", "options", "fact"),
    [
        (search, {}, "no dict, list, tuple or set"),
        ("search", {}, "no dict, list, tuple or set"),
        ({"find": "search"}, {}, "can't be called"),
        ({1: search}, {}, "is a text"),
        ({"a#1": search}, {}, "address"),
        ([Scorer()], {}, "no name"),
        ([search], {"effect": "reed"}, "effect can't be"),
        ([search], {"effects": {"search": "reed"}}, "effect can't be"),
        ([search], {"effects": {"serch": "read"}}, "none of the tools"),
        (MappingProxyType({"a": search, "b": search}), {}, "the names a and b at once"),
    ],
)
def test_what_is_no_container_of_tools_is_refused(tools, options, fact):
    """Typos and wrong values never leave a tool unguarded in silence."""
    with pytest.raises(ToolError) as error:
        wrap(tools, **options)

    assert fact in error.value.fact and error.value.details["next"]
    assert find_spec(search) is None


def test_unknown_effect_name_suggests_the_nearest():
    """A typo among the names is answered with the tool that was meant."""
    with pytest.raises(ToolError) as error:
        wrap([search], effects={"serch": "read"})

    assert error.value.details["closest"] == "search"
