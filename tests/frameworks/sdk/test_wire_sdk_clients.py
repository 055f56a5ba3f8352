"""The providers' own clients accept what `write_reply` writes, whole and streamed, and it means the same to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anthropic
import boto3
import openai
import pytest
from botocore.config import Config
from google import genai
from openai.lib.streaming.chat import ChatCompletionStreamState

from pytest_agentreplay.cassettes import load_cassette
from pytest_agentreplay.wire import ModelReply, ModelRequest, ToolUse, WireResponse, read_request, write_reply

RECORDED = sorted((Path(__file__).parents[4] / "shared" / "traces" / "vcr").rglob("*.yaml"))

REPLY = ModelReply(
    model="m-1",
    content="I look that up – 見る.",
    tool_uses=(ToolUse("search", {"query": 'refund "policy"', "limit": 2}, "call_a"), ToolUse("now", {}, "call_b")),
    usage={"input_tokens": 12, "output_tokens": 34},
)
CALLS = [(use.name, use.args) for use in REPLY.tool_uses]
FAILED = ModelReply(error="400 invalid_request_error: the tool is unknown")
BROKEN = ModelReply(content="So", error="overloaded_error: come back later")

Serve = Callable[[ModelReply | WireResponse], list[ModelRequest]]


@pytest.fixture
def provider() -> Iterator[tuple[str, Serve]]:
    """Imitate a provider: what a client asks is read, and answered by what `write_reply` makes of a reply."""
    replies: list[ModelReply | WireResponse] = []
    asked: list[ModelRequest] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = read_request("POST", f"http://provider{self.path}", self.headers, body)
            assert request is not None
            asked.append(request)
            reply = replies[-1]
            response = reply if isinstance(reply, WireResponse) else write_reply(request, reply)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, *args: Any) -> None:
            pass

    def serve(reply: ModelReply | WireResponse) -> list[ModelRequest]:
        replies.append(reply)
        return asked

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", serve
    server.shutdown()
    thread.join()
    server.server_close()


def test_openai_chat(provider: tuple[str, Serve]) -> None:
    """OpenAI's client reads content, calls and usage from a chat completion and from its stream."""
    url, serve = provider
    asked = serve(REPLY)
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
        messages = [{"role": "user", "content": "Can I get a refund?"}]
        tools = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
        completion = client.chat.completions.create(model="m", messages=messages, tools=tools)
        with client.chat.completions.stream(
            model="m", messages=messages, stream_options={"include_usage": True}
        ) as stream:
            streamed = [*stream] and stream.get_final_completion()
        serve(FAILED)
        with pytest.raises(openai.BadRequestError, match="the tool is unknown"):
            client.chat.completions.create(model="m", messages=messages)
        serve(BROKEN)
        with pytest.raises(openai.APIError, match="come back later"):
            list(client.chat.completions.create(model="m", messages=messages, stream=True))

    assert (asked[0].tools, asked[0].stream, asked[1].stream) == (("search",), False, True)
    for one in (completion, streamed):
        message = one.choices[0].message
        assert (one.model, message.content, one.choices[0].finish_reason) == ("m-1", REPLY.content, "tool_calls")
        assert [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls] == CALLS
        assert (one.usage.prompt_tokens, one.usage.completion_tokens) == (12, 34)


def test_openai_responses(provider: tuple[str, Serve]) -> None:
    """OpenAI's client reads a response, and builds the same one from its stream."""
    url, serve = provider
    searched = ToolUse("web_search", {"type": "search", "query": "refund"}, "ws_1", by_provider=True)
    reply = ModelReply(
        model=REPLY.model,
        content=REPLY.content,
        reasoning="They want money back.",
        tool_uses=(searched, *REPLY.tool_uses),
        usage=REPLY.usage,
    )
    serve(reply)
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
        response = client.responses.create(model="m", input="Can I get a refund?")
        with client.responses.stream(model="m", input="Can I get a refund?") as stream:
            streamed = [*stream] and stream.get_final_response()
        serve(FAILED)
        with pytest.raises(openai.BadRequestError, match="the tool is unknown"):
            client.responses.create(model="m", input="Can I get a refund?")
        serve(BROKEN)
        with pytest.raises(openai.APIError, match="come back later"):
            list(client.responses.create(model="m", input="Can I get a refund?", stream=True))

    for one in (response, streamed):
        called = [item for item in one.output if item.type == "function_call"]
        assert (one.model, one.status, one.output_text) == ("m-1", "completed", REPLY.content)
        assert [item.type for item in one.output][:2] == ["reasoning", "web_search_call"]
        assert one.output[0].summary[0].text == "They want money back."
        assert [(call.name, json.loads(call.arguments)) for call in called] == CALLS
        assert (one.usage.input_tokens, one.usage.output_tokens) == (12, 34)


def test_anthropic(provider: tuple[str, Serve]) -> None:
    """Anthropic's client reads a message, and builds the same one from its stream."""
    url, serve = provider
    serve(ModelReply(REPLY.model, REPLY.content, "They want money back.", REPLY.tool_uses, usage=REPLY.usage))
    with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        asked: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Refund?"}]}
        message = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            streamed = [*stream] and stream.get_final_message()
        serve(FAILED)
        with pytest.raises(anthropic.BadRequestError, match="the tool is unknown"):
            client.messages.create(**asked)
        serve(BROKEN)
        with pytest.raises(anthropic.APIError, match="come back later"):
            list(client.messages.create(**asked, stream=True))

    for one in (message, streamed):
        assert (one.model, one.stop_reason, one.content[0].thinking) == ("m-1", "tool_use", "They want money back.")
        assert one.content[1].text == REPLY.content
        assert [(block.name, block.input) for block in one.content[2:]] == CALLS
        assert (one.usage.input_tokens, one.usage.output_tokens) == (12, 34)


def test_gemini(provider: tuple[str, Serve]) -> None:
    """Google's client reads generated content, and the chunks of its stream."""
    url, serve = provider
    asked = serve(REPLY)
    with genai.Client(api_key="k", http_options={"base_url": url}) as client:
        whole = client.models.generate_content(model="gemini-x", contents="Refund?")
        chunks = list(client.models.generate_content_stream(model="gemini-x", contents="Refund?"))
        serve(FAILED)
        with pytest.raises(genai.errors.ClientError, match="the tool is unknown"):
            client.models.generate_content(model="gemini-x", contents="Refund?")

    assert [(one.model, one.stream) for one in asked[:2]] == [("gemini-x", False), ("gemini-x", True)]
    for pieces in ([whole], chunks):
        parts = [part for one in pieces for part in one.candidates[0].content.parts]
        assert "".join(part.text or "" for part in parts) == REPLY.content
        assert [(part.function_call.name, part.function_call.args) for part in parts if part.function_call] == CALLS
        assert pieces[-1].usage_metadata.prompt_token_count == 12


def test_bedrock(provider: tuple[str, Serve], monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's client reads an answer of converse, the event stream, and Anthropic's body of invoke."""
    config = Config(retries={"max_attempts": 0})
    url, serve = provider
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "k")
    serve(REPLY)
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url, config=config)
    asked: dict[str, Any] = {"modelId": "us.x-v1:0", "messages": [{"role": "user", "content": [{"text": "Refund?"}]}]}
    answer = client.converse(**asked)
    streamed = list(client.converse_stream(**asked)["stream"])
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": []})
    invoked = json.loads(client.invoke_model(modelId="us.x-v1:0", body=body)["body"].read())
    events = client.invoke_model_with_response_stream(modelId="us.x-v1:0", body=body)["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in events]
    serve(FAILED)
    with pytest.raises(client.exceptions.ClientError, match="the tool is unknown"):
        client.converse(**asked)
    client.close()

    blocks = answer["output"]["message"]["content"]
    assert blocks[0]["text"] == REPLY.content
    assert [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in blocks[1:]] == CALLS
    assert (answer["stopReason"], answer["usage"]["inputTokens"]) == ("tool_use", 12)
    deltas = [event["contentBlockDelta"]["delta"] for event in streamed if "contentBlockDelta" in event]
    assert deltas[0]["text"] == REPLY.content
    assert [json.loads(delta["toolUse"]["input"]) for delta in deltas[1:]] == [args for _, args in CALLS]
    assert [(block["name"], block["input"]) for block in invoked["content"][1:]] == CALLS
    assert [chunk["type"] for chunk in chunks][0::100] == ["message_start"]
    assert chunks[-1]["type"] == "message_stop"


# -- what was recorded of real models ----------------------------------------------------------


def _chat(url: str, body: dict[str, Any]) -> tuple[str, list[tuple[str, Any]]]:
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
        completion = client.chat.completions.create(**body)
        if body.get("stream"):
            state = ChatCompletionStreamState()
            for chunk in completion:
                state.handle_chunk(chunk)
            completion = state.get_final_completion()
    message = completion.choices[0].message
    functions = [call.function for call in message.tool_calls or ()] or [message.function_call or ()]
    return message.content or "", [(one.name, json.loads(one.arguments)) for one in functions if one]


def _response(url: str, body: dict[str, Any]) -> tuple[str, list[tuple[str, Any]]]:
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
        response = client.responses.create(**body)
    called = [item for item in response.output if item.type == "function_call"]
    return response.output_text, [(item.name, json.loads(item.arguments)) for item in called]


def _message(url: str, body: dict[str, Any]) -> tuple[str, list[tuple[str, Any]]]:
    asked = {key: value for key, value in body.items() if key != "stream"}
    with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        if not body.get("stream"):
            message = client.messages.create(**asked, timeout=60)
        else:
            with client.messages.stream(**asked) as stream:
                message = stream.get_final_message()
    said = "".join(block.text for block in message.content if block.type == "text")
    return said, [(block.name, block.input) for block in message.content if block.type.endswith("_use")]


CALLERS = {"openai-chat": _chat, "openai-responses": _response, "anthropic": _message}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of models that were current when they were recorded
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_replies_are_read_as_the_clients_read_them(provider: tuple[str, Serve], path: Path) -> None:
    """The bytes of real models, and what is written of them when they were read: the same texts and calls."""
    url, serve = provider
    for interaction in load_cassette(path).interactions:
        asked = interaction.request.asked
        if asked is None or asked.dialect not in CALLERS:
            continue
        reply, response = interaction.reply(), interaction.response
        headers = {"content-type": response.headers["content-type"][0]}
        for served in (WireResponse(response.status, headers, response.body), reply):
            serve(served)
            understood = CALLERS[asked.dialect](url, interaction.request.value)

            assert understood == (reply.content or "", [(use.name, use.args) for use in reply.tool_uses])
