"""The normal form: equal for two runs of the same agent, and for nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.jsonable import equal
from pytest_agentreplay.wire import normal_form, read_request


def _chat(first: str, second: str) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": "f", "arguments": '{"id": "o-1", "limit": 2}'}}
    return {
        "model": "gpt-4o",
        "user": f"user of {first}",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": None, "tool_calls": [{"id": first, **call}, {"id": second, **call}]},
            {"role": "tool", "tool_call_id": first, "content": "one"},
            {"role": "tool", "tool_call_id": second, "content": f"two, by {second}"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"properties": {"id": {}, "user": {}}}}}
        ],
    }


def _responses(first: str, second: str) -> dict[str, Any]:
    return {
        "model": "gpt-5",
        "metadata": {"run": first},
        "prompt_cache_key": second,
        "previous_response_id": f"resp_{first}",
        "input": [
            {"role": "user", "content": "hi"},
            {"type": "reasoning", "id": f"rs_{first}", "summary": [], "encrypted_content": second},
            {"type": "function_call", "id": f"fc_{first}", "call_id": first, "name": "f", "arguments": '{"id": "o-1"}'},
            {"type": "function_call", "id": f"fc_{second}", "call_id": second, "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": first, "output": "one"},
            {"type": "function_call_output", "call_id": second, "output": "two"},
        ],
    }


def _anthropic(first: str, second: str) -> dict[str, Any]:
    return {
        "model": "claude",
        "metadata": {"user_id": first},
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": first},
                    {"type": "tool_use", "id": first, "name": "f", "input": {"id": "o-1"}},
                    {"type": "tool_use", "id": second, "name": "f", "input": {"id": "o-2"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": first, "content": [{"type": "text", "text": "one"}]},
                    {"type": "tool_result", "tool_use_id": second, "content": "two"},
                ],
            },
        ],
    }


def _gemini(first: str, second: str) -> dict[str, Any]:
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": {"id": first, "name": "f", "args": {"id": "o-1"}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"id": first, "name": "f", "response": {"id": "r-1", "at": "now"}}}],
            },
            {"role": "model", "parts": [{"text": "so", "thoughtSignature": second}]},
        ],
        "labels": {"run": first},
    }


def _bedrock(first: str, second: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": [{"text": "hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"toolUse": {"toolUseId": first, "name": "f", "input": {"id": "o-1"}}},
                    {"toolUse": {"toolUseId": second, "name": "f", "input": {}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": first, "content": [{"json": {"id": "r-1"}}]}},
                    {"toolResult": {"toolUseId": second, "content": [{"text": "two"}]}},
                ],
            },
        ],
        "requestMetadata": {"run": first},
    }


BODIES = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "bedrock": _bedrock,
}
ids = st.lists(
    st.from_regex(r"(call_|toolu_|msg_)?[A-Za-z0-9]{8,24}", fullmatch=True), min_size=2, max_size=2, unique=True
)
dialects = pytest.mark.parametrize("dialect", list(BODIES))


@dialects
@given(mine=ids, others=ids)
def test_other_ids_make_no_difference(dialect: str, mine: list[str], others: list[str]) -> None:
    """Ids of calls, items, responses and users, and what is signed."""
    body = BODIES[dialect]

    assert equal(normal_form(dialect, body(*mine), ()), normal_form(dialect, body(*others), ()))


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*path, index))]
    return [path]


OF_THE_RUN = {"user", "metadata", "labels", "requestMetadata", "prompt_cache_key", "previous_response_id"}
SIGNED = {"signature", "encrypted_content", "thoughtSignature"}
IDS = {"id", "call_id", "tool_call_id", "tool_use_id", "toolUseId"}
AGENTS_OWN = {"arguments", "input", "args", "response", "json", "tools"}


def _is_id(path: tuple[Any, ...]) -> bool:
    below_root = {key for key in path[2:] if isinstance(key, str)} | ({"tools"} & {path[0]})
    return path[-1] in IDS and not AGENTS_OWN & below_root


@dialects
def test_any_other_content_makes_a_difference(dialect: str) -> None:
    """Every leaf of a body that is no id: also an argument, a result or a parameter that is called like one."""
    body = BODIES[dialect]("call_aaaaaaaaaaaa", "call_bbbbbbbbbbbb")
    known = normal_form(dialect, body, ())
    leaves = [path for path in _leaves(body) if not _is_id(path)]

    assert len(leaves) > 6
    for path in leaves:
        other = copy.deepcopy(body)
        holder = other
        for key in path[:-1]:
            holder = holder[key]
        leaf = holder[path[-1]]
        in_json = "arguments" in path and "o-1" in leaf
        holder[path[-1]] = leaf.replace("o-1", "o-9") if in_json else f"{leaf} other"
        says_nothing = path[0] in OF_THE_RUN or path[-1] in SIGNED
        assert equal(normal_form(dialect, other, ()), known) == says_nothing, path


@dialects
@given(mine=ids)
def test_ids_that_are_mixed_up_make_a_difference(dialect: str, mine: list[str]) -> None:
    """An output that answers another call is another conversation."""
    if dialect == "gemini":
        return
    body = BODIES[dialect](*mine)
    mixed = json.loads(json.dumps(body))
    text = json.dumps(mixed["messages" if "messages" in mixed else "input"][-2:])
    swapped = text.replace(mine[0], "\0").replace(mine[1], mine[0]).replace("\\u0000", mine[1]).replace("\0", mine[1])
    mixed["messages" if "messages" in mixed else "input"][-2:] = json.loads(swapped)
    if dialect in ("anthropic", "bedrock"):
        mixed["messages"][-2] = body["messages"][-2]

    assert not equal(normal_form(dialect, mixed, ()), normal_form(dialect, body, ()))


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic", "bedrock"])
def test_parallel_results_may_come_in_any_order(dialect: str) -> None:
    """They are put in the order of their calls."""
    body = BODIES[dialect]("call_aaaaaaaaaaaa", "call_bbbbbbbbbbbb")
    other = copy.deepcopy(body)
    outputs = other["messages" if "messages" in other else "input"]
    if dialect in ("anthropic", "bedrock"):
        outputs = outputs[-1]["content"]
    outputs[-2:] = reversed(outputs[-2:])

    assert equal(normal_form(dialect, other, ()), normal_form(dialect, body, ()))


def test_arguments_are_compared_as_json() -> None:
    """Blanks and the order of keys in a text of JSON say nothing."""
    body, other = _chat("a", "b"), _chat("a", "b")
    other["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{ "limit": 2, "id": "o-1" }'

    assert equal(normal_form("openai-chat", other, ()), normal_form("openai-chat", body, ()))


@pytest.mark.parametrize("kind", ["text", "input_text"])
def test_a_lone_text_may_be_in_a_list(kind: str) -> None:
    """Clients write it either way; two texts, or one with more to it, are something else."""
    block = {"type": kind, "text": "hi"}
    forms = [
        normal_form("openai-chat", {"messages": [{"role": "user", "content": content}]}, ())
        for content in ("hi", [block], [block, block], [{**block, "cache_control": {}}])
    ]

    assert equal(forms[0], forms[1])
    assert not equal(forms[0], forms[2]) and not equal(forms[0], forms[3])


@pytest.mark.parametrize(
    ("drop", "same"),
    [
        (["nonce"], True),
        (["messages.*.nonce", "messages.*.tool_calls.*.function.arguments.nonce"], True),
        (["messages.0.nonce", "messages.1.tool_calls.0.function.arguments.nonce"], True),
        (["messages.*.nonce"], False),
        (["messages.nonce"], False),
        ([], False),
    ],
)
def test_what_is_to_be_dropped_is_named_by_key_or_by_path(drop: list[str], same: bool) -> None:
    """A key at any depth, also in arguments; a path from the root, where a star is any key or index."""

    def body(nonce: str) -> dict[str, Any]:
        call = {"id": "c", "function": {"name": "f", "arguments": json.dumps({"nonce": nonce})}}
        return {"messages": [{"role": "user", "nonce": nonce}, {"role": "assistant", "tool_calls": [call]}]}

    assert equal(normal_form("openai-chat", body("1"), drop), normal_form("openai-chat", body("2"), drop)) is same


def test_bodies_of_no_known_format_keep_all_but_counters() -> None:
    """MCP numbers its messages; all else of such a body is content."""
    body = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "f", "_meta": {"progressToken": 3}}}
    other = {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "f", "_meta": {"progressToken": 9}}}

    assert equal(normal_form(None, body, ()), normal_form(None, other, ()))
    assert not equal(normal_form(None, {"user": "a"}, ()), normal_form(None, {"user": "b"}, ()))
    assert normal_form(None, ["a", 1, None], ()) == ["a", 1, None]


@given(
    body=st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["messages", "role", "id", "type", "content", "toolResult", "arguments", "input"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ),
    dialect=st.sampled_from([*BODIES, None]),
)
def test_any_body_has_a_normal_form(body: Any, dialect: str | None) -> None:
    """Whatever is where the format has something else; it is left as it was, and forming again changes nothing."""
    before = json.dumps(body)
    formed = normal_form(dialect, body, ["x"])

    assert json.dumps(body) == before
    assert equal(normal_form(dialect, body, ["x"]), formed)


def test_a_form_is_of_what_was_asked() -> None:
    """Two requests with one normal form ask the same."""
    one, other = _chat("call_a", "call_b"), _chat("call_c", "call_d")
    asked = [read_request("POST", "https://x/v1/chat/completions", {}, body) for body in (one, other)]

    assert asked[0] is not None and asked[1] is not None
    assert [use.args for message in asked[0].messages for use in message.tool_uses] == [
        use.args for message in asked[1].messages for use in message.tool_uses
    ]
