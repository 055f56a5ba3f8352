from __future__ import annotations

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.tools.effects import UNCLASSIFIED, EffectResolver, parse_tool_lines
from pytest_agentreplay.tools.spec import ToolSpec


def _spec(effect=None, source="", name="search"):
    return ToolSpec(name, len, kind="function", effect=effect, effect_source=source)


@pytest.mark.parametrize("source", ["@tool", "swap", "wrap"])
def test_first_that_says_something_wins(source):
    """The trace, the author, the ini file, the hook, the framework, else write."""
    author, hinted, silent = _spec("read", source), _spec("read", "mcp"), _spec()
    trace, ini = {"search": "write"}, {"search": "write"}

    def hook(_):
        return "write"

    assert EffectResolver(trace, ini, hook).resolve(author) == ("write", "the trace's tools")
    assert EffectResolver({}, ini, hook).resolve(author) == ("read", source)
    assert EffectResolver({}, ini, None).resolve(hinted) == ("write", "agent_replay_tools")
    assert EffectResolver({}, {}, hook).resolve(hinted) == ("write", "the hook")
    assert EffectResolver({}, {}, lambda _: None).resolve(hinted) == ("read", "the hints of mcp")
    assert EffectResolver({}, {}, None).resolve(silent) == ("write", UNCLASSIFIED)


def test_hook_is_asked_once_per_tool():
    """Effects are decided once a session."""
    asked = []
    resolver = EffectResolver({}, {}, lambda tool: asked.append(tool.name) or "read")
    one = _spec()
    resolver.resolve(one), resolver.resolve(one), resolver.resolve(_spec(name="other"))

    assert asked == ["search", "other"]


def test_change_of_a_tool_is_seen():
    """A swap may declare an effect after the first call."""
    resolver, one = EffectResolver({}, {}, None), _spec()
    before = resolver.resolve(one)
    one.effect, one.effect_source = "read", "swap"

    assert (before[0], resolver.resolve(one)) == ("write", ("read", "swap"))


def test_hook_that_answers_nonsense_is_an_error():
    """A typo in a hook never makes a write a read."""
    with pytest.raises(SettingsError, match="agent_replay_effect for search gives the effect 'reads'"):
        EffectResolver({}, {}, lambda _: "reads").resolve(_spec())


def test_lines_are_read():
    """Names with a colon are swaps; blank lines and comments are passed over."""
    lines = ["search = read", "", "# note", "email.send=write", " shop.api:Client.charge = write ", "a = b = read"]

    assert parse_tool_lines(lines) == (
        {"search": "read", "email.send": "write", "a = b": "read"},
        {"shop.api:Client.charge": "write"},
    )


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        (["search"], "can't read the line 'search'"),
        (["= read"], "can't read the line"),
        (["search = reed"], "gives the effect 'reed'"),
        (["search ="], "gives the effect ''"),
        (["shop.api: = write"], "can't swap 'shop.api:'"),
        ([":charge = write"], "can't swap ':charge'"),
        (["shop api:charge = write"], "can't swap"),
        (["search = read", "search = write"], "both read and write of search"),
    ],
)
def test_malformed_lines_are_refused(lines, fact):
    """An effect that was meant and not understood must not be passed over."""
    with pytest.raises(SettingsError) as error:
        parse_tool_lines(lines)

    assert fact in error.value.fact and error.value.details["next"]
