"""What a request to the model costs that a cassette answers, and that it costs the same in a long one.

In process, through `urllib`; where OpenAI's own client is installed, also through it and beside
the same client over a stub transport. The best of five rounds.
"""

from __future__ import annotations

import importlib.util
import json
import urllib.request
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from measuring import Row

from pytest_agentreplay.cassettes import HttpRequest, HttpResponse, Interaction, Tape, intercepted, load_cassette
from pytest_agentreplay.cassettes.writing import render_cassette
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.wire import ModelReply, write_reply

URL = "https://api.openai.com/v1/chat/completions"
ROUNDS = 5
SIZES = (10, 100, 1000)


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    cost = {}
    for size in SIZES:
        path = folder / f"{size}.http.yaml"
        path.write_bytes(render_cassette([_interaction(number) for number in range(size)], "x.yaml"))
        cost[size] = _replayed(path, _through_urllib)
        yield Row(f"a request to a cassette of {size:,}, through urllib", cost[size] * 1e3, "ms")
    for fewer, more in pairwise(SIZES):
        yield Row(f"one to a cassette of {more:,}, to one of {fewer:,}", cost[more] / cost[fewer], "x", 1.25)
    if importlib.util.find_spec("openai"):
        path = folder / "100.http.yaml"
        stub, client = _stubbed_client(), _client()
        floor = min(_timed(lambda body: stub(body), 100) for _ in range(ROUNDS))
        replayed = _replayed(path, client)
        yield Row("a request through OpenAI's client over a stub transport", floor * 1e3, "ms")
        yield Row("the same from a cassette of 100, to it", replayed / floor, "x", 2)


class _FromTape:
    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        found = self._tape.answer(request)
        return None if found is None else found[0]

    def observe(self, interaction: Interaction) -> None:
        """Take no notice."""


def _replayed(path: Path, ask: Callable[[dict[str, Any]], object]) -> float:
    """Give the seconds of one request, the indexing of the cassette included and its reading not."""
    best = float("inf")
    for _ in range(ROUNDS):
        cassette = load_cassette(path)
        size = len(cassette.interactions)
        begin = perf_counter()
        with intercepted(_FromTape(Tape(cassette, Redactor()))):
            for number in range(size):
                ask(_body(number))
        best = min(best, (perf_counter() - begin) / size)
    return best


def _timed(ask: Callable[[dict[str, Any]], object], times: int) -> float:
    begin = perf_counter()
    for body in islice(map(_body, range(times)), times):
        ask(body)
    return (perf_counter() - begin) / times


def _body(number: int) -> dict[str, Any]:
    tool = {"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}}
    messages = [{"role": "system", "content": "word " * 200}, {"role": "user", "content": f"question {number}"}]
    return {"model": "m-1", "messages": messages, "tools": [tool]}


def _interaction(number: int) -> Interaction:
    request = HttpRequest("POST", URL, json.dumps(_body(number)).encode(), {"content-type": "application/json"})
    assert request.asked is not None
    written = write_reply(request.asked, ModelReply(model="m-1", content=f"answer {number}"))
    return Interaction(request, HttpResponse(200, written.body, {"content-type": ["application/json"]}, "OK"))


def _through_urllib(body: dict[str, Any]) -> object:
    data = json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL, data, {"content-type": "application/json"})) as answer:
        return json.load(answer)


def _client() -> Callable[[dict[str, Any]], object]:
    import openai

    client = openai.OpenAI(api_key="sk-bench")
    return lambda body: client.chat.completions.create(**body)


def _stubbed_client() -> Callable[[dict[str, Any]], object]:
    import httpx2
    import openai

    answer = _interaction(0).response.body

    def respond(request: Any) -> Any:
        return httpx2.Response(200, content=answer, headers={"content-type": "application/json"})

    transport = httpx2.MockTransport(respond)
    client = openai.OpenAI(api_key="sk-bench", http_client=httpx2.Client(transport=transport))
    return lambda body: client.chat.completions.create(**body)
