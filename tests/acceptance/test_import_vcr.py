"""`agent-replay import vcr` finds exactly the calls that are in real cassettes, and a replay is answered from them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_agentreplay.cassettes import load_cassette
from pytest_agentreplay.cli import main
from pytest_agentreplay.interop.transcript import Imported
from pytest_agentreplay.interop.vcr import parse_vcr
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.storage.trace_files import load_trace
from pytest_agentreplay.trace import ModelStep, ToolStep
from pytest_agentreplay.trace.document import parse_trace, render_trace

TRACES = Path(__file__).parents[3] / "shared" / "traces"
KEY = "sk-proj-" + "Ab3" * 16

needs_recordings = pytest.mark.skipif(not TRACES.is_dir(), reason=f"the recorded cassettes are not at {TRACES}")


def _oracle() -> dict[str, dict[str, Any]]:
    path = TRACES / "ORACLE.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {run["file"]: run for run in map(json.loads, lines) if run["file"].startswith("vcr/")}


ORACLE = _oracle()


@cache
def _imported(file: str) -> Imported:
    return parse_vcr((TRACES / file).read_bytes(), source=file)


def _calls(file: str) -> list[ToolStep]:
    return [step for _, trace in _imported(file).traces for step in trace.tool_steps]


def _digests(step: ToolStep) -> set[str | None]:
    """Give the digests that an outcome can have: the oracle took what isn't text as JSON in any of three writings."""
    if step.error is None and step.result is MISSING:
        return {None}
    # Converse has an error in a block of text, which is its message here.
    values = [step.result] if step.error is None else [step.error.message, [{"text": step.error.message}]]
    return set(_digests_of(values))


def _digests_of(values: list[Any]) -> Iterator[str]:
    for value in values:
        plain = json.dumps(value), json.dumps(value, sort_keys=True), json.dumps(value, ensure_ascii=False)
        for text in (value,) if isinstance(value, str) else plain:
            yield hashlib.sha1(text.encode()).hexdigest()[:12]


@needs_recordings
@pytest.mark.parametrize("file", sorted(ORACLE))
def test_every_recorded_cassette_is_imported_call_by_call(file: str) -> None:
    """Whatever the provider and however the bodies are packed: every call, its arguments, order and result."""
    run, calls = ORACLE[file], _calls(file)
    groups = [{step.group for step in trace.tool_steps if step.group} for _, trace in _imported(file).traces]

    assert [step.tool for step in calls] == run["names"]
    assert [step.args for step in calls] == run["args"]
    assert all(digest in _digests(step) for digest, step in zip(run["result_sha1"], calls, strict=True))
    assert sum(step.error is not None for step in calls) == run["errors"]
    assert sum(map(len, groups)) == run["parallel_groups"]
    assert {step.actor or "assistant" for step in calls} == set(run["actors"])
    assert bool(_imported(file).refused) == (not calls)


@needs_recordings
@pytest.mark.parametrize("file", sorted(ORACLE))
def test_imported_traces_can_be_written_and_read_again(file: str) -> None:
    """What the providers said survives the way through a golden file."""
    for name, trace in _imported(file).traces:
        assert parse_trace(render_trace(trace), name) == trace


@needs_recordings
def test_every_model_call_is_a_step_with_its_tokens() -> None:
    """A reply's text, its thoughts and its token counts are in the trace; the last text is its output."""
    [(_, trace)] = _imported("vcr/pydantic-ai/test_anthropic__test_anthropic_tool_with_thinking.yaml").traces
    models = [step for step in trace.steps if isinstance(step, ModelStep)]

    assert [step.model for step in models] == ["claude-sonnet-4-20250514"] * 2
    assert models[0].reasoning is not None and models[0].reasoning.startswith("The user is asking")
    assert all(step.usage and step.usage["input_tokens"] > 0 for step in models)
    assert trace.input == "What is the largest city in the user country?"
    assert trace.output == models[1].content
    assert trace.run is not None and trace.run.model is not None
    assert (trace.run.model.provider, trace.run.model.max_tokens) == ("anthropic", 4096)


@needs_recordings
def test_what_the_provider_ran_is_marked() -> None:
    """A web search at the provider is no call of the agent's."""
    calls = _calls("vcr/pydantic-ai/test_anthropic__test_anthropic_web_search_tool.yaml")

    assert [step.executed_by for step in calls] == ["provider", "provider"]
    assert not any(step.by_agent for step in calls)


@needs_recordings
def test_a_call_that_went_on_over_mcp_is_expected_once() -> None:
    """The model's call is the agent's; the same call on its way to the server is noted, and marked."""
    calls = _calls("vcr/pydantic-ai/test_temporal__test_mcptoolset_in_temporal_workflow.yaml")

    assert [(step.tool, step.executed_by) for step in calls] == [("ask_question", None), ("ask_question", "mcp")]


@needs_recordings
def test_the_command_takes_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every trace gets the cassette that it can be replayed from, linked both ways; importing again changes nothing."""
    files = [str(TRACES / file) for file in ORACLE]
    assert main(["import", "vcr", *files, "-o", str(tmp_path), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    traces = [one for source in report["sources"] for one in source["traces"]]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    main(["import", "vcr", *files, "-o", str(tmp_path)])

    assert (len(traces), report["refused"]) == (21, 2)
    for one in traces:
        trace = load_trace(one["path"])
        assert trace.run is not None and trace.run.cassette == Path(one["cassette"]).name
        assert load_cassette(Path(one["cassette"]), trace=Path(one["path"])).interactions
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# -- cassettes of a small agent ------------------------------------------------------------------

CHAT = "https://api.openai.com/v1/chat/completions"


def _call(identity: str, name: str, **args: Any) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}


def _says(content: str | None, *calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **({"tool_calls": list(calls)} if calls else {})}


def _told(identity: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identity, "content": content}


def _user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _exchange(messages: list[dict[str, Any]], reply: dict[str, Any], url: str = CHAT) -> dict[str, Any]:
    body = {"model": "gpt-4o", "messages": messages}
    answer = {"id": "x", "model": "gpt-4o-1", "choices": [{"index": 0, "message": reply, "finish_reason": "stop"}]}
    headers = {"authorization": [f"Bearer {KEY}"], "content-type": ["application/json"]}
    response = {"status": {"code": 200, "message": "OK"}, "headers": {"content-type": ["application/json"]}}
    return {
        "request": {"method": "POST", "uri": url, "headers": headers, "body": json.dumps(body)},
        "response": {**response, "body": {"string": json.dumps(answer)}},
    }


def _cassette(*exchanges: dict[str, Any]) -> bytes:
    return yaml.safe_dump({"interactions": list(exchanges), "version": 1}, allow_unicode=True).encode()


ASKED = [_user("Where is o-1?")]
LOOKED = _says(None, _call("c1", "lookup", order="o-1"))
SHOP = (
    _exchange(ASKED, LOOKED),
    _exchange([*ASKED, LOOKED, _told("c1", "on its way")], _says("It is on its way.")),
)


def _only(*exchanges: dict[str, Any]) -> tuple[Any, Imported]:
    imported = parse_vcr(_cassette(*exchanges), source="run.yaml")
    [(_, trace)] = imported.traces
    return trace, imported


def test_a_sub_agent_is_an_actor() -> None:
    """A conversation that lies inside a call of another's is its sub-agent's, and never replayed."""
    researched = _says(None, _call("c9", "research", topic="whales"))
    inner = [_user("Tell me about whales")]
    searched = _says(None, _call("c5", "search", query="whales"))
    trace, imported = _only(
        _exchange(ASKED, researched),
        _exchange(inner, searched),
        _exchange([*inner, searched, _told("c5", "big")], _says("They are big.")),
        _exchange([*ASKED, researched, _told("c9", "They are big.")], _says("Big.")),
    )

    assert [(step.tool, step.actor, step.result) for step in trace.tool_steps] == [
        ("research", None, "They are big."),
        ("search", "research", "big"),
    ]
    assert trace.output == "Big."
    assert len(imported.traffic["run"]) == 2


def test_conversations_that_know_nothing_of_each_other_are_runs() -> None:
    """Each becomes a trace, with the traffic that is its own."""
    other = [_user("And o-2?")]
    again = _says(None, _call("c7", "lookup", order="o-2"))
    imported = parse_vcr(
        _cassette(*SHOP, _exchange(other, again), _exchange([*other, again, _told("c7", "lost")], _says("Lost."))),
        source="run.yaml",
    )

    assert [(name, trace.output) for name, trace in imported.traces] == [
        ("run-1", "It is on its way."),
        ("run-2", "Lost."),
    ]
    assert [len(traffic) for traffic in imported.traffic.values()] == [2, 2]


def test_interleaved_conversations_are_told_apart() -> None:
    """Two agents that ran at the same time, exchange by exchange."""
    other = [_user("And o-2?")]
    again = _says(None, _call("c7", "lookup", order="o-2"))
    second = _exchange([*other, again, _told("c7", "lost")], _says("Lost."))
    imported = parse_vcr(_cassette(SHOP[0], _exchange(other, again), SHOP[1], second), source="run.yaml")

    assert [[step.result for step in trace.tool_steps] for _, trace in imported.traces] == [["on its way"], ["lost"]]


def test_an_agent_that_ran_meanwhile_is_no_sub_agent() -> None:
    """One whose conversation lies in a call by chance, with nothing of the call in it, is a run of its own."""
    other = [_user("And o-2?")]
    imported = parse_vcr(
        _cassette(
            SHOP[0],
            _exchange(other, _says(None, _call("c7", "lookup", order="o-9"))),
            _exchange([*other, _says(None, _call("c7", "lookup", order="o-9")), _told("c7", "lost")], _says("Lost.")),
            SHOP[1],
        ),
        source="run.yaml",
    )

    assert [trace.output for _, trace in imported.traces] == ["It is on its way.", "Lost."]


def test_ids_that_are_used_again_are_told_apart_by_turn() -> None:
    """An output belongs to the call of the latest turn."""
    first = [*ASKED, LOOKED, _told("c1", "on its way")]
    trace, _ = _only(
        SHOP[0], _exchange(first, LOOKED), _exchange([*first, LOOKED, _told("c1", "there")], _says("It is there."))
    )

    assert [step.result for step in trace.tool_steps] == ["on its way", "there"]


RESPONSES = "https://api.openai.com/v1/responses"


def _turn(identity: str, asked: Any, *output: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make an exchange of the responses API."""
    made = _exchange([], {}, RESPONSES)
    made["request"]["body"] = json.dumps({"model": "gpt-5", "input": asked, **more})
    answer = {"id": identity, "object": "response", "model": "gpt-5-1", "status": "completed", "output": [*output]}
    made["response"]["body"]["string"] = json.dumps(answer)
    return made


def _spoken(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def test_a_request_that_names_the_response_before_goes_on_from_it() -> None:
    """A provider that keeps the conversation is told only what is new."""
    called = {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": '{"order": "o-1"}'}
    told = [{"type": "function_call_output", "call_id": "c1", "output": "lost"}]
    trace, _ = _only(
        _turn("resp_11111111", "Hello", _spoken("Hi.")),
        _turn("resp_22222222", "Where is o-1?", called, previous_response_id="resp_11111111"),
        _turn("resp_33333333", told, _spoken("Lost."), previous_response_id="resp_22222222"),
    )

    assert [step.result for step in trace.tool_steps] == ["lost"]
    assert (trace.input, trace.output) == ("Hello", "Lost.")


def test_an_agent_that_takes_over_goes_on_in_the_same_run() -> None:
    """Its instructions are a message, where they begin to hold."""
    handed = {"type": "function_call", "call_id": "c1", "name": "transfer_to_billing", "arguments": "{}"}
    asked = {"role": "user", "content": "My money back!"}
    told = {"type": "function_call_output", "call_id": "c1", "output": "done"}
    trace, _ = _only(
        _turn("a", [asked], handed, instructions="You route."),
        _turn("b", [asked, handed, told], _spoken("It is yours."), instructions="You bill."),
    )

    said = [(step.kind, getattr(step, "content", None)) for step in trace.steps]
    assert said == [
        ("message", "You route."),
        ("message", "My money back!"),
        ("model", None),
        ("tool", None),
        ("message", "You bill."),
        ("model", "It is yours."),
    ]


def test_calls_in_a_history_that_was_sent_along_are_no_calls_of_the_run() -> None:
    """Examples, and what happened before the cassette begins, are told as odd."""
    history = [*ASKED, LOOKED, _told("c1", "on its way"), _user("And o-2?")]
    again = _says(None, _call("c2", "lookup", order="o-2"))
    trace, imported = _only(
        _exchange(history, again), _exchange([*history, again, _told("c2", "lost")], _says("Lost."))
    )

    assert [step.args for step in trace.tool_steps] == [{"order": "o-2"}]
    assert any("1 call in messages that were sent along" in note.fact for note in imported.notes)


def _rpc(identity: int, method: str, params: Any, result: Any) -> dict[str, Any]:
    made = _exchange([], {}, "https://tools.example.com/mcp")
    made["request"]["body"] = json.dumps({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})
    made["response"]["body"]["string"] = json.dumps({"jsonrpc": "2.0", "id": identity, **result})
    return made


def test_calls_over_mcp_that_no_model_asked_for_are_the_agents() -> None:
    """A program that calls tools of a server is an agent without a model."""
    found = {"result": {"content": [{"type": "text", "text": "x"}]}}
    failed = {"result": {"isError": True, "content": [{"type": "text", "text": "no such order"}]}}
    trace, imported = _only(
        _rpc(1, "initialize", {}, {"result": {}}),
        _rpc(2, "tools/call", {"name": "lookup", "arguments": {"order": "o-1"}}, found),
        _rpc(3, "tools/call", {"name": "lookup", "arguments": {"order": "o-2"}}, failed),
        _rpc(4, "tools/call", {"name": "lookup"}, {"error": {"code": -32603, "message": "broken"}}),
    )

    assert all(step.by_agent for step in trace.tool_steps)
    assert trace.tool_steps[0].result == [{"type": "text", "text": "x"}]
    assert [step.error.message for step in trace.tool_steps if step.error] == ["no such order", "broken"]
    assert imported.traffic["run"] == ()


def test_a_request_that_was_tried_again_is_one_call() -> None:
    """What failed is told as odd, and is no step."""
    failed = {
        **SHOP[0],
        "response": {"status": {"code": 429, "message": ""}, "headers": {}, "body": {"string": "slow"}},
    }
    trace, imported = _only(failed, *SHOP)

    assert [step.tool for step in trace.tool_steps] == ["lookup"]
    assert [note.fact for note in imported.notes] == ["the model gave no good answer: 429"]
    assert len(imported.traffic["run"]) == 3


@pytest.mark.parametrize("form", ["gzip", "parsed", "json", "bytes", "base64"])
def test_bodies_are_read_in_every_form_that_cassettes_have(form: str) -> None:
    """Text, bytes, packed, parsed; YAML and JSON."""
    exchanges = json.loads(json.dumps(SHOP))
    for one in exchanges:
        text = one["response"]["body"]["string"].encode()
        if form == "gzip":
            one["response"]["headers"]["content-encoding"] = ["gzip"]
            one["response"]["body"] = {"string": gzip.compress(text)}
        elif form == "parsed":
            one["response"]["parsed_body"] = json.loads(text)
            one["request"]["parsed_body"] = json.loads(one["request"].pop("body"))
            del one["response"]["body"]
        elif form == "bytes":
            one["response"]["body"], one["request"]["body"] = {"string": text}, one["request"]["body"].encode()
        elif form == "base64":
            one["response"]["body"] = {"base64_string": yaml.safe_dump(text).split("|")[1].replace(" ", "")}
    data = json.dumps({"interactions": exchanges, "version": 1}).encode() if form == "json" else _cassette(*exchanges)
    [(_, trace)] = parse_vcr(data, source="run.json" if form == "json" else "run.yaml").traces

    assert [(step.tool, step.args, step.result) for step in trace.tool_steps] == [
        ("lookup", {"order": "o-1"}, "on its way")
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"interactions: [",
        b"interactions: []\nversion: 1\n",
        b"interactions: 5\n",
        b"[]",
        b"{}",
        b"interactions: [{request: {}}]\n",
        b"interactions:\n- request: null\n  response: null\n",
        b"!!python/object/apply:os.system [exit 1]\n",
        _cassette(*SHOP)[:-250],
        _cassette({**SHOP[0], "response": {**SHOP[0]["response"], "body": {"string": "{"}}}),
        _cassette({**SHOP[0], "request": {**SHOP[0]["request"], "body": "{"}}),
        _cassette({**SHOP[0], "request": {**SHOP[0]["request"], "body": "[]"}}),
        _cassette({**SHOP[0], "request": {**SHOP[0]["request"], "body": '{"messages": 5}'}}),
        _cassette({**SHOP[0], "request": {**SHOP[0]["request"], "uri": "https://[x/v1/chat/completions"}}),
    ],
)
def test_what_is_no_usable_cassette_is_refused_with_a_remedy(data: bytes) -> None:
    """Never an exception, never nothing."""
    imported = parse_vcr(data, source="run.yaml")

    assert not imported.traces
    assert imported.refused and all(one.why and one.remedy and one.place for one in imported.refused)


def test_secrets_are_gone_from_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In headers, in what was said, and in results; the same secret has the same placeholder in both."""
    asked = [_user(f"My key is {KEY}, where is o-1?")]
    exchanges = (_exchange(asked, LOOKED), _exchange([*asked, LOOKED, _told("c1", f"see {KEY}")], _says("Done.")))
    tmp_path.joinpath("run.yaml").write_bytes(_cassette(*exchanges))

    assert main(["import", "vcr", str(tmp_path / "run.yaml"), "-o", str(tmp_path / "golden")]) == 0
    trace, cassette = (tmp_path / "golden" / name for name in ("run.yaml", "run.http.yaml"))
    assert "redacted, with run.http.yaml" in capsys.readouterr().out
    assert KEY not in trace.read_text() + cassette.read_text()
    placeholder = trace.read_text().split("[redacted:")[1].split("]")[0]
    assert placeholder in cassette.read_text()


def test_nothing_is_written_over_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cassette of another name's is refused as a trace is; one that is gone is written again."""
    source, golden = tmp_path / "run.yaml", tmp_path / "golden"
    source.write_bytes(_cassette(*SHOP))
    golden.mkdir()
    cassette = golden / "run.http.yaml"
    cassette.write_text("somebody else's")
    argv = ["import", "vcr", str(source), "-o", str(golden)]

    assert main(argv) == 1
    assert "says something else" in capsys.readouterr().out
    assert (cassette.read_text(), sorted(golden.iterdir())) == ("somebody else's", [cassette])
    assert main([*argv, "--force"]) == 0
    written = cassette.read_bytes()
    cassette.unlink()
    assert main(argv) == 0
    assert cassette.read_bytes() == written


AGENT = f"""
import json
import urllib.request
from pytest_agentreplay import tool

@tool(effect="read")
def lookup(order):
    raise AssertionError("a real read in replay")

def ask(messages):
    body = json.dumps({{"model": "gpt-4o", "messages": messages}}).encode()
    headers = {{"content-type": "application/json", "authorization": "Bearer none"}}
    with urllib.request.urlopen(urllib.request.Request("{CHAT}", body, headers)) as response:
        return json.load(response)["choices"][0]["message"]

def agent(question):
    messages = [{{"role": "user", "content": PREFIX + question}}]
    while True:
        reply = ask(messages)
        messages.append(reply)
        if not reply.get("tool_calls"):
            return reply["content"]
        for call in reply["tool_calls"]:
            result = lookup(**json.loads(call["function"]["arguments"]))
            messages.append({{"role": "tool", "tool_call_id": call["id"], "content": result}})
"""


def _import_shop(pytester: pytest.Pytester, prefix: str) -> None:
    pytester.path.joinpath("run.yaml").write_bytes(_cassette(*SHOP))
    pytester.makepyfile(shop=f"PREFIX = {prefix!r}\n{AGENT}")
    pytester.makeini("[pytest]\npythonpath = .\nagent_replay_agent = shop:agent")
    assert main(["import", "vcr", "run.yaml", "--reads", "lookup"]) == 0


def test_an_agent_is_replayed_from_an_imported_cassette(pytester: pytest.Pytester) -> None:
    """Its model and its tools are answered, offline."""
    _import_shop(pytester, "")

    pytester.runpytest("--agent-replay").assert_outcomes(passed=1)


def test_a_changed_prompt_is_told_by_what_changed(pytester: pytest.Pytester) -> None:
    """Not as a request without a match."""
    _import_shop(pytester, "Please: ")
    result = pytester.runpytest("--agent-replay")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*message 1 (user): 'Where is o-1?' -> 'Please: Where is o-1?'*"])
