"""Requests to models, as each provider's clients send them."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.wire import Message, ModelRequest, ToolOutput, ToolUse, WireError, read_reply, read_request

CALL = ToolUse("f", {"a": 1}, "c1")
ARGS = '{"a": 1}'


def _read(url: str, body: Any, **headers: str) -> ModelRequest:
    request = read_request("POST", url, headers, body)
    assert request is not None
    return request


CHAT = {
    "model": "gpt-4o",
    "temperature": 0.5,
    "stream": True,
    "messages": [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]},
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "hm",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": ARGS}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "custom": {"name": "sql"}},
        {"type": "web_search"},
    ],
}


def test_openai_chat() -> None:
    """The developer's word is the system's; an output is named by the call that it answers."""
    request = _read("https://api.openai.com/v1/chat/completions", CHAT)

    assert request == ModelRequest(
        "openai-chat",
        "gpt-4o",
        (
            Message("system", "Be brief."),
            Message("user", CHAT["messages"][1]["content"]),  # type: ignore[index]
            Message("assistant", None, "hm", (CALL,)),
            Message("tool", tool_outputs=(ToolOutput("one", "c1", "f"),)),
        ),
        ("f", "sql", "web_search"),
        True,
        {"temperature": 0.5},
        dict(zip(("f", "sql", "web_search"), CHAT["tools"], strict=True)),  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://x.openai.azure.com/openai/deployments/gpt-4/chat/completions?api-version=1", "openai-chat"),
        ("http://localhost:4000/chat/completions", "openai-chat"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "openai-chat"),
        ("https://api.openai.com/v1/responses", "openai-responses"),
        ("https://api.anthropic.com/v1/messages?beta=true", "anthropic"),
        ("https://x/v1/projects/p/locations/l/publishers/anthropic/models/claude@1:rawPredict", "anthropic"),
        ("https://x/v1/projects/p/locations/l/publishers/anthropic/models/claude@1:streamRawPredict", "anthropic"),
        ("https://x/v1beta/models/gemini-2.5-pro:generateContent", "gemini"),
        ("https://x/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent?alt=sse", "gemini"),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.amazon.nova%3A0/converse", "bedrock"),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/model/x/converse-stream", "bedrock"),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%2Fprofile%2Fx/invoke", "bedrock-invoke"),
        ("https://api.openai.com/v1/embeddings", None),
        ("https://api.openai.com/v1/threads/thread_1/messages", None),
        ("https://api.anthropic.com/v1/messages/count_tokens", None),
        ("https://api.anthropic.com/v1/messages/batches", None),
        ("https://survey.example.com/forms/7/responses", None),
        ("https://x/v1beta/models/gemini:embedContent", None),
        ("not a url at all", None),
        ("https://[broken", None),
    ],
)
def test_a_request_is_known_by_where_it_goes(url: str, dialect: str | None) -> None:
    """Whatever the host: gateways and imitations are anywhere."""
    body = {"anthropic_version": "1", **({} if "forms" in url else {"model": "m"}), "messages": [], "contents": []}
    request = read_request("POST", url, {}, json.dumps(body))

    assert (request.dialect if request else None) == dialect
    assert read_request("GET", url, {}, b"") is None


@pytest.mark.parametrize(
    ("url", "model", "stream"),
    [
        ("https://x/openai/deployments/gpt-4/chat/completions", "gpt-4", False),
        ("https://x/publishers/anthropic/models/claude@1:streamRawPredict", "claude@1", True),
        ("https://x/models/gemini-2.5-pro:streamGenerateContent", "gemini-2.5-pro", True),
        ("https://x/model/us.amazon.nova%3A0/converse-stream", "us.amazon.nova:0", True),
        ("https://x/model/arn%3Aaws%2Fx/invoke", "arn:aws/x", False),
    ],
)
def test_what_the_path_says_is_read_from_it(url: str, model: str, stream: bool) -> None:
    """The model, and whether a stream is asked for."""
    request = _read(url, {"messages": [], "anthropic_version": "1"})

    assert (request.model, request.stream) == (model, stream)


def test_other_bodies_of_bedrocks_invoke_are_no_known_format() -> None:
    """Each maker of models has its own."""
    assert read_request("POST", "https://x/model/m/invoke", {}, {"prompt": "hi"}) is None


def test_anthropic() -> None:
    """A turn that holds nothing but results is the tools'; one with a text beside them is the user's."""
    result = {"type": "tool_result", "tool_use_id": "c1", "is_error": True, "content": [{"type": "text", "text": "no"}]}
    body = {
        "model": "claude",
        "system": [{"type": "text", "text": "Be brief."}],
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "a"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "x"},
                    {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
                ],
            },
            {"role": "user", "content": [result]},
            {"role": "user", "content": [result, {"type": "text", "text": "go on"}]},
        ],
        "tools": [{"name": "f"}, {"type": "web_search_20250305", "name": "web_search"}],
    }
    request = _read("https://api.anthropic.com/v1/messages", body)

    told = (ToolOutput("no", "c1", "f", is_error=True),)
    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "a"),
        Message("assistant", None, "hm", (CALL,)),
        Message("tool", tool_outputs=told),
        Message("user", "go on", tool_outputs=told),
    )
    assert (request.tools, request.settings) == (("f", "web_search"), {"max_tokens": 9})


def test_openai_responses() -> None:
    """Neighbouring items of the assistant are one message, what tools gave are others."""
    body = {
        "model": "gpt-5",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "so", "annotations": []}],
            },
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": ARGS},
            {"type": "custom_tool_call", "call_id": "c2", "name": "sql", "input": "SELECT 1"},
            {"type": "local_shell_call", "call_id": "c3", "action": {"command": ["ls"]}},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "1"}]},
            {"type": "item_reference", "id": "msg_1"},
        ],
        "tools": [{"type": "function", "name": "f"}, {"type": "mcp", "server_label": "wiki"}, {"type": "web_search"}],
    }
    request = _read("https://api.openai.com/v1/responses", body)

    calls = (CALL, ToolUse("sql", {"input": "SELECT 1"}, "c2"), ToolUse("local_shell", {"command": ["ls"]}, "c3"))
    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "a"),
        Message("assistant", "so", "hm", calls),
        Message("tool", tool_outputs=(ToolOutput("one", "c1", "f"),)),
        Message("tool", tool_outputs=(ToolOutput("1", "c2", "sql"),)),
        Message("user", [{"type": "item_reference", "id": "msg_1"}]),
    )
    assert request.tools == ("f", "wiki", "web_search")


@pytest.mark.parametrize("snake", [False, True])
def test_gemini(snake: bool) -> None:
    """In either spelling of its keys."""
    body = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {
                "role": "model",
                "parts": [{"text": "hm", "thought": True}, {"functionCall": {"name": "f", "args": {"a": 1}}}],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "one"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}],
        "generationConfig": {"temperature": 0.5},
    }
    text = json.dumps(body)
    for camel, other in (
        ("systemInstruction", "system_instruction"),
        ("functionCall", "function_call"),
        ("functionResponse", "function_response"),
        ("functionDeclarations", "function_declarations"),
    ):
        text = text.replace(f'"{camel}"', f'"{other}"') if snake else text
    request = _read("https://x/models/g:generateContent", text)

    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "a"),
        Message("assistant", None, "hm", (ToolUse("f", {"a": 1}),)),
        Message("tool", tool_outputs=(ToolOutput({"result": "one"}, None, "f"),)),
    )
    assert (request.tools, request.settings) == (("f", "googleSearch"), {"generationConfig": {"temperature": 0.5}})


def test_bedrock_converse() -> None:
    """Results are texts, JSON, or what was said to have failed."""
    body = {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}}]},
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "c1", "content": [{"json": {"found": 1}}]}},
                    {"toolResult": {"toolUseId": "c1", "content": [{"text": "no"}], "status": "error"}},
                ],
            },
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}], "toolChoice": {"auto": {}}},
    }
    request = _read("https://x/model/m/converse", body)

    outputs = (ToolOutput({"found": 1}, "c1", "f"), ToolOutput("no", "c1", "f", is_error=True))
    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "a"),
        Message("assistant", tool_uses=(CALL,)),
        Message("tool", tool_outputs=outputs),
    )
    assert (request.tools, request.settings) == (("f",), {"toolChoice": {"auto": {}}})


@pytest.mark.parametrize(
    ("arguments", "args", "raw"),
    [
        (ARGS, {"a": 1}, None),
        ("", {}, None),
        ("  ", {}, None),
        (None, {}, None),
        ({"a": 1}, {"a": 1}, None),
        ('{"a": ', MISSING, '{"a": '),
        ("[1]", MISSING, "[1]"),
        (7, MISSING, "7"),
    ],
)
def test_arguments_that_are_no_json_object_stay_as_they_were_sent(arguments: Any, args: Any, raw: str | None) -> None:
    """An empty text is how some say that there are none."""
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    body = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}

    [use] = read_reply("openai-chat", 200, {}, body).tool_uses
    assert (use.args, use.raw_args) == (args, raw)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"messages": {}}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]}, "messages[0].tool_calls[0]"),
        ({"messages": [], "tools": 5}, "tools"),
    ],
)
def test_what_a_format_does_not_allow_is_told_with_its_place(body: Any, where: str) -> None:
    """A path inside the body."""
    with pytest.raises(WireError) as caught:
        read_request("POST", "https://x/v1/chat/completions", {}, body)

    assert caught.value.details["path"] == where


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", _raw_deflate),
        ("gzip", bytes),
        ("deflate", bytes),
        ("br", bytes),
        ("zstd", bytes),
        ("identity", bytes),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ],
)
def test_packed_bodies_are_unpacked(encoding: str, pack: Any) -> None:
    """Also when the header was lost on the way into a cassette, or the packing was."""
    body = pack(json.dumps(CHAT).encode())

    for headers in (
        {"Content-Encoding": encoding},
        {"content-encoding": [encoding]},
        [(b"Content-Encoding", encoding)],
    ):
        request = read_request("POST", "https://x/v1/chat/completions", headers, body)
        assert request is not None and request.model == "gpt-4o"


@pytest.mark.parametrize(("encoding", "library"), [("br", "brotli"), ("zstd", "zstandard")])
def test_packings_of_other_libraries_are_unpacked(encoding: str, library: str) -> None:
    """Where the library is there; else the error names it."""
    module = pytest.importorskip(library)
    body = module.compress(json.dumps(CHAT).encode())

    assert _read("https://x/v1/chat/completions", body, **{"content-encoding": encoding}).model == "gpt-4o"


def test_a_packing_whose_library_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(__import__("sys").modules, name, None)

    with pytest.raises(WireError, match="packed with br") as caught:
        read_reply("openai-chat", 200, {"content-encoding": "br"}, b"\x0b\x02\x80hello\x03")
    assert "install" in caught.value.details["next"]
