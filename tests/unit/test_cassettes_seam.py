"""The seam leads every request of an HTTP library through the traffic in force, and nothing else's."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_agentreplay.cassettes import HttpRequest, HttpResponse, Interaction, intercepted


class Scripted:
    """Answers what it is told to, and keeps what it saw."""

    def __init__(self, answers: dict[str, HttpResponse] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[HttpRequest] = []
        self.observed: list[Interaction] = []

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        self.asked.append(request)
        return self.answers.get(request.path)

    def observe(self, interaction: Interaction) -> None:
        self.observed.append(interaction)


@pytest.fixture
def server():
    """A server that answers with what it was sent."""

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("X-Two", "1")
            self.send_header("X-Two", "2")
            self.end_headers()
            self.wfile.write(b"echo " + body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


def post(url: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.status, answer.read()


def test_an_answer_is_given_without_a_connection():
    """Nothing listens there."""
    traffic = Scripted({"/v1/x": HttpResponse(201, b"{}", {"x-a": ["1", "2"]}, "Made")})
    with intercepted(traffic):
        found = post("http://127.0.0.1:9/v1/x?q=1", b'{"a": 1}')

    [asked] = traffic.asked
    assert found == (201, b"{}")
    assert (asked.method, asked.host, asked.path, asked.value) == ("POST", "127.0.0.1", "/v1/x", {"a": 1})
    assert traffic.observed == []


def test_an_error_s_status_reaches_the_client():
    """A recorded refusal is one again."""
    with (
        intercepted(Scripted({"/": HttpResponse(429, b"slow", {}, "Too Many")})),
        pytest.raises(urllib.error.HTTPError) as caught,
    ):
        post("http://127.0.0.1:9/", b"")

    assert caught.value.code == 429
    assert caught.value.read() == b"slow"
    caught.value.close()


def test_what_is_let_through_is_observed(server):
    """The client gets the server's own answer, and the traffic sees the same."""
    traffic = Scripted()
    with intercepted(traffic):
        found = post(server, b"hi")

    [seen] = traffic.observed
    assert found == (200, b"echo hi")
    assert (seen.request.body, seen.response.body) == (b"hi", b"echo hi")
    assert seen.response.headers["x-two"] == ["1", "2"]


def test_a_kept_connection_asks_for_each_request():
    """Several requests over one connection are several decisions."""
    traffic = Scripted({"/a": HttpResponse(200, b"A"), "/b": HttpResponse(200, b"B")})
    found = []
    with intercepted(traffic):
        connection = http.client.HTTPConnection("127.0.0.1", 9)
        for path in ("/a", "/b", "/a"):
            connection.request("POST", path, json.dumps({"n": 1}))
            found.append(connection.getresponse().read())

    assert found == [b"A", b"B", b"A"]
    assert len(traffic.asked) == 3


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_threads_that_connect_at_once_are_all_answered(scheme):
    """With vcrpy alone most of these would go to the network."""
    traffic = Scripted({"/": HttpResponse(200, b"A")})
    found: list[object] = []

    def ask() -> None:
        for _ in range(30):
            try:
                found.append(post(f"{scheme}://127.0.0.1:9/", b"{}"))
            except OSError as error:
                found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    with intercepted(traffic):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found == [(200, b"A")] * 240


def test_threads_that_are_let_through_are_all_observed(server):
    """A recording of an agent with threads is complete."""
    traffic = Scripted()
    threads = [
        threading.Thread(target=lambda: [post(server, str(number).encode()) for number in range(10)]) for _ in range(8)
    ]
    with intercepted(traffic):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(traffic.observed) == 80
    assert all(one.response.body == b"echo " + one.request.body for one in traffic.observed)


def test_what_the_traffic_raises_reaches_the_agent():
    """A client can't turn the end of a run into an error of its own."""

    class Ending(Scripted):
        def answer(self, request: HttpRequest) -> HttpResponse | None:
            raise KeyboardInterrupt

    with intercepted(Ending()), pytest.raises(KeyboardInterrupt):
        post("http://127.0.0.1:9/", b"")


def test_everything_is_put_back(server):
    """After the block requests go where they went before."""
    before = http.client.HTTPConnection
    traffic = Scripted()
    with intercepted(traffic):
        assert http.client.HTTPConnection is not before

    assert http.client.HTTPConnection is before
    assert post(server, b"hi") == (200, b"echo hi")
    assert traffic.asked == []


def test_a_cassette_of_the_test_itself_keeps_precedence(tmp_path):
    """Who uses vcrpy around the run goes on using it."""
    import vcr

    with vcr.use_cassette(str(tmp_path / "theirs.yaml")), intercepted(Scripted()) as ours:
        assert not ours
    with intercepted(Scripted()) as ours:
        assert ours
