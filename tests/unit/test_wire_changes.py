"""What changed between a recorded request and one that came, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.wire import Message, ModelRequest, ToolOutput, ToolUse, explain

MESSAGES = (
    Message("system", "Be brief."),
    Message("user", "Where is my order?"),
    Message("assistant", None, None, (ToolUse("search_docs", {"query": "order", "limit": 5}, "c1"),)),
    Message("tool", tool_outputs=(ToolOutput("nothing found", "c1", "search_docs"),)),
)
RECORDED = ModelRequest(
    "openai-chat",
    "gpt-4o",
    MESSAGES,
    ("search_docs", "refund"),
    False,
    {"temperature": 0.5},
    {"refund": {"description": "Pays back."}},
)


def _with(position: int, **changes: object) -> ModelRequest:
    messages = [*MESSAGES]
    messages[position] = replace(messages[position], **changes)
    return replace(RECORDED, messages=tuple(messages))


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        (RECORDED, []),
        (replace(RECORDED, model="gpt-5"), ["model: gpt-4o -> gpt-5"]),
        (replace(RECORDED, tools=("search_docs", "refund", "x")), ["tool added: x"]),
        (replace(RECORDED, tools=("search_docs",)), ["tool gone: refund"]),
        (replace(RECORDED, tools=("refund", "search_docs")), ["tools in another order: refund, search_docs"]),
        (
            replace(RECORDED, definitions={"refund": {"description": "Pays back twice."}}),
            ["tool refund: description: 'Pays back.' -> 'Pays back twice.'"],
        ),
        (replace(RECORDED, stream=True), ["stream: false -> true"]),
        (replace(RECORDED, settings={"temperature": 1}), ["temperature: 0.5 -> 1"]),
        (replace(RECORDED, settings={"temperature": 0.5, "seed": 3}), ["seed: nothing -> 3"]),
        (replace(RECORDED, settings={"temperature": 0.5, "user": "u-1"}), []),
        (replace(RECORDED, dialect="anthropic"), ["dialect: openai-chat -> anthropic"]),
        (_with(0, content="Be kind."), ["message 1 (system): 'Be brief.' -> 'Be kind.'"]),
        (
            _with(2, tool_uses=(ToolUse("search_docs", {"query": "refund", "limit": 5}, "other"),)),
            ["message 3 (call of search_docs): query: 'order' -> 'refund'"],
        ),
        (_with(2, tool_uses=(ToolUse("refund", {}, "c1"),)), ["message 3: call of search_docs -> call of refund"]),
        (
            _with(2, tool_uses=(ToolUse("search_docs", MISSING, "c1", "{"),)),
            ["""message 3 (call of search_docs): {"limit":5,"query":"order"} -> '{'"""],
        ),
        (_with(2, tool_uses=(*MESSAGES[2].tool_uses, ToolUse("refund", {}))), ["message 3: call of refund is new"]),
        (_with(2, tool_uses=()), ["message 3: call of search_docs is gone"]),
        (
            _with(3, tool_outputs=(ToolOutput("one document", "c9", "search_docs"),)),
            ["message 4 (tool result of search_docs): 'nothing found' -> 'one document'"],
        ),
        (
            _with(3, tool_outputs=(ToolOutput("nothing found", "c1", "search_docs", is_error=True),)),
            ["message 4 (tool result of search_docs) is an error: false -> true"],
        ),
        (
            replace(RECORDED, messages=(*MESSAGES, Message("user", "And?"))),
            ["message 5 (user) is new: 'And?'"],
        ),
        (
            replace(RECORDED, messages=(MESSAGES[0], Message("user", "Hello"), *MESSAGES[1:])),
            ["message 2 (user) is new: 'Hello'"],
        ),
        (
            replace(RECORDED, messages=MESSAGES[:-1]),
            ["message 4 (tool result of search_docs) is gone: 'nothing found'"],
        ),
        (
            replace(_with(1, content="Where?"), model="gpt-5", tools=("search_docs",)),
            [
                "message 2 (user): 'Where is my order?' -> 'Where?'",
                "tool gone: refund",
                "model: gpt-4o -> gpt-5",
            ],
        ),
    ],
)
def test_every_change_is_told_once_where_it_is(incoming: ModelRequest, expected: list[str]) -> None:
    """Messages first, by number and by what they are; then what surrounds them. Ids are no change."""
    assert explain(RECORDED, incoming) == expected


def test_long_texts_are_shown_around_their_first_difference() -> None:
    """A prompt of pages differs in a word."""
    before, after = "The rules are these. " * 40 + "Never refund.", "The rules are these. " * 40 + "Always refund."

    [change] = explain(_with(0, content=before), _with(0, content=after))
    assert "Never refund" in change and "Always refund" in change and len(change) < 200


def test_blocks_are_compared_leaf_by_leaf() -> None:
    """Not as one text."""
    before = [{"type": "text", "text": "a"}, {"type": "image", "source": {"data": "x" * 500}}]
    after = [{"type": "text", "text": "b"}, before[1]]

    assert explain(_with(1, content=before), _with(1, content=after)) == ["message 2 (user): [0].text: 'a' -> 'b'"]


def test_many_differences_in_one_value_are_counted() -> None:
    """The first few are enough to see."""
    before, after = ({str(key): f"{what} {key}" for key in range(9)} for what in ("a", "b"))

    changes = explain(
        _with(2, tool_uses=(ToolUse("f", before),)),
        _with(2, tool_uses=(ToolUse("f", after),)),
    )
    assert changes[-1] == "message 3 (call of f): 6 more differences" and len(changes) == 4


messages = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "tool"]),
    st.none() | st.text(max_size=3) | st.lists(st.dictionaries(st.text(max_size=2), st.integers()), max_size=2),
    st.none() | st.text(max_size=3),
    st.lists(st.builds(ToolUse, st.sampled_from(["f", "g"]), st.dictionaries(st.text(max_size=2), st.integers()))).map(
        tuple
    ),
    st.lists(
        st.builds(ToolOutput, st.text(max_size=3), st.none() | st.text(max_size=2), st.sampled_from(["f", None]))
    ).map(tuple),
)
requests = st.builds(ModelRequest, st.just("x"), st.sampled_from(["m", "n"]), st.lists(messages, max_size=4).map(tuple))


@given(old=requests, new=requests)
def test_any_two_requests_can_be_explained(old: ModelRequest, new: ModelRequest) -> None:
    """One and the same needs no words; two that differ get some."""
    changes = explain(old, new)

    assert explain(old, old) == [] == explain(new, new)
    assert all(changes)
    without_ids = [_without_ids(one) for one in (old, new)]
    assert bool(changes) == (without_ids[0] != without_ids[1])


def _without_ids(request: ModelRequest) -> ModelRequest:
    def bare(message: Message) -> Message:
        outputs = tuple(replace(output, id=None) for output in message.tool_outputs)
        return replace(
            message, tool_uses=tuple(replace(use, id=None) for use in message.tool_uses), tool_outputs=outputs
        )

    return replace(request, messages=tuple(map(bare, request.messages)))
