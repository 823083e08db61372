"""A small chat server on the loopback interface that answers as a test tells it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server sends; `body` may be bytes or a function that writes to a socket."""

    status: int = 200
    body: bytes | Callable[[object], None] = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def said(text, *, tokens=(11, 7), **message):
    data = {
        "id": "1",
        "object": "chat.completion",
        "model": "served-model",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": text, **message}}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]},
    }
    return Answer(body=json.dumps(data).encode())


class ChatServer:
    """Requests seen, and the answers to come; the last answer is repeated for ever."""

    def __init__(self, reply: Callable[[dict], Answer]) -> None:
        self.reply = reply
        self.requests: list[dict] = []
        self.keys: list[str | None] = []
        self.url = ""


@contextmanager
def chat_server(*answers: Answer, reply: Callable[[dict], Answer] | None = None) -> Iterator:
    waiting = list(answers)

    def next_answer(_request: dict) -> Answer:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    server = ChatServer(reply or next_answer)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append(request)
            server.keys.append(self.headers.get("Authorization"))
            answer = server.reply(request)
            time.sleep(answer.delay_s)
            try:
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if isinstance(answer.body, bytes):
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                else:
                    self.send_header("Connection", "close")
                    self.end_headers()
                    answer.body(self.wfile)
            except (BrokenPipeError, ConnectionResetError):
                pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
