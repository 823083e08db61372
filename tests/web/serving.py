"""A page that is served by this process, and requests to it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import begin
from federates.hems.interview.state import InterviewSettings
from scenarios.web.conversation import Conversation
from scenarios.web.server import PageServer, Places


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A running page."""

    server: PageServer
    conversation: Conversation
    thread: threading.Thread
    told: list[str]
    kept: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.gate.address

    @property
    def state(self):
        return self.conversation.now.state

    def ask(
        self, method: str, path: str, *, data: Any = None, body: bytes | None = None,
        headers: dict[str, str | None] | None = None, raw_path: str | None = None,
    ) -> Got:  # fmt: skip
        """A request as the page sends it; a header that is None is left out."""
        host = f"127.0.0.1:{self.server.server_port}"
        sent = body if body is not None else None if data is None else json.dumps(data).encode()
        own: dict[str, str | None] = {"Host": host}
        if method == "POST":
            own |= {
                "Origin": f"http://{host}",
                "Content-Type": "application/json",
                "Content-Length": str(len(sent or b"")),
            }
        own |= headers or {}
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            target = raw_path if raw_path is not None else f"/{self.server.gate.token}/{path}"
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in own.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(sent)
            reply = connection.getresponse()
            return Got(status=reply.status, headers=reply.headers, body=reply.read())
        finally:
            connection.close()

    def answer(self, text: str, *, turn: int | None = None) -> Got:
        now = self.state.turn if turn is None else turn
        return self.ask("POST", "answer", data={"turn": now, "text": text})


@contextmanager
def served(
    *, state=None, interviewer=None, keep=None, places: Places | None = None
) -> Iterator[Served]:
    """A page about a new interview, or about `state`."""
    interviewer = interviewer or RulesInterviewer()
    if state is None:
        state, _ = begin(InterviewSettings(), interviewer=interviewer)
    kept: list[Any] = []
    told: list[str] = []
    conversation = Conversation(state, interviewer=interviewer, keep=keep or kept.append)
    with PageServer(conversation, port=0, places=places or Places(), tell=told.append) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Served(server, conversation, thread, told, kept)
        finally:
            server.shutdown()
            thread.join()
