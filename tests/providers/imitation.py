"""An imitation of the providers' APIs on the loopback, for tests: scripted replies in every dialect.

It reads a request in whatever dialect it comes and answers in the same, as JSON
or as a stream, so that the providers' own clients talk to it:

    with ImitationProvider([calls("lookup", order="o-1"), says("done")]) as provider:
        client = openai.OpenAI(base_url=provider.url + "/v1", api_key="sk-test")

The n-th request gets the n-th reply; a function in the script's place is given
each `ModelRequest` and returns its `ModelReply`. What was asked is in `requests`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from pytest_agentreplay.wire import ModelReply, ModelRequest, ToolUse, read_request, write_reply

Script = Sequence[ModelReply] | Callable[[ModelRequest], ModelReply]


def says(text: str, *, model: str = "imitation-1") -> ModelReply:
    """Make a reply of text alone."""
    return ModelReply(model=model, content=text, usage={"input_tokens": 10, "output_tokens": 5})


def calls(*tools: str | tuple[str, dict[str, Any]], model: str = "imitation-1", **args: Any) -> ModelReply:
    """Make a reply that calls a tool with these arguments, or several, each a pair of name and arguments."""
    pairs = [(tool, args) if isinstance(tool, str) else tool for tool in tools]
    uses = tuple(ToolUse(name, given) for name, given in pairs)
    return ModelReply(model=model, tool_uses=uses, usage={"input_tokens": 10, "output_tokens": 5})


class ImitationProvider:
    """A server on the loopback, as a context manager.

    Args:
        script: the replies.
        headers: sent with every reply, as providers send request ids and cookies.
        pause: seconds between two events of a stream.

    Attributes:
        requests: what was asked, in order.
        seen: method, path and headers of every request, those that no dialect claims too.
        url: the server's address, without a slash at its end.
    """

    def __init__(self, script: Script, *, headers: dict[str, str] | None = None, pause: float = 0) -> None:
        self._script = script
        self._lock = threading.Lock()
        self.headers = headers or {}
        self.pause = pause
        self.requests: list[ModelRequest] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ImitationProvider:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply_to(self, request: ModelRequest) -> ModelReply:
        """Give the next reply; a script that has come to its end is an error of the provider."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        if callable(self._script):
            return self._script(request)
        if number < len(self._script):
            return self._script[number]
        return ModelReply(error=f"500 api_error: the script has {len(self._script)} replies")


def _handler_of(provider: ImitationProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            provider.seen.append(("POST", self.path, dict(self.headers)))
            request = read_request("POST", provider.url + self.path, dict(self.headers), body)
            if request is None:
                self._send(404, {"content-type": "application/json"}, [b'{"error": {"message": "no such path"}}'])
                return
            written = write_reply(request, provider.reply_to(request))
            events = written.body.split(b"\n\n") if request.stream and b"\n\n" in written.body else [written.body]
            parts = [part + b"\n\n" for part in events[:-1]] + events[-1:]
            self._send(written.status, dict(written.headers), [part for part in parts if part])

        def do_GET(self) -> None:
            provider.seen.append(("GET", self.path, dict(self.headers)))
            self._send(404, {"content-type": "application/json"}, [b"{}"])

        def _send(self, status: int, headers: dict[str, str], parts: list[bytes]) -> None:
            self.send_response(status)
            for name, value in {**headers, **provider.headers}.items():
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in parts:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
                if provider.pause:
                    time.sleep(provider.pause)
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing on the terminal."""

    return Handler
