"""The page's server: a few paths below the run's token, on the loopback interface only."""

from __future__ import annotations

import json
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from federates.hems.interview.session import MAX_ANSWER, outcome
from federates.hems.interview.state import saved
from federates.hems.parameters.home_file import to_yaml
from gradmap.errors import ScenarioError
from scenarios.web.content import content
from scenarios.web.conversation import Conversation, RefusedError
from scenarios.web.day import SEASON_NAMES, day_content
from scenarios.web.gate import Denied, Gate, body_length

LOOPBACK: Final = "127.0.0.1"
PATIENCE_S: Final = 20.0
"""A connection that sends or takes nothing for this long is closed. [s]"""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # No inline scripts or styles, nothing from elsewhere, and no way from text to markup.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FILES: Final = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
GETS: Final = (*_FILES, "state", "day", "session.json", "home.yaml")
POSTS: Final = ("answer", "go-on", "save", "close")
_TEXT: Final = "text/plain; charset=utf-8"
_JSON: Final = "application/json"


class Posted(BaseModel):
    """What the page sends."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    turn: int = Field(ge=0, description="Answers there were when the question was shown.")
    text: str = Field("", max_length=MAX_ANSWER, description="The answer.")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a request gets."""

    status: HTTPStatus = HTTPStatus.OK
    kind: str = _JSON
    body: bytes = b""
    download: str = ""
    """File name, where the browser is to save it."""
    last: bool = False
    """The server ends after it."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the conversation goes, as the page names it; empty for nowhere."""

    save: str = ""
    out: str = ""


class PageServer(ThreadingHTTPServer):
    """Serves one conversation."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, conversation: Conversation, *, port: int, places: Places, tell: Callable[[str], None]
    ) -> None:
        """Listen.

        Args:
            conversation: What the page is about.
            port: On the loopback interface; 0 for a free one.
            places: Where the conversation is saved.
            tell: Takes faults of the program, in words that hold nothing of what was said.

        Raises:
            ScenarioError: The port cannot be used.
        """
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as exc:
            raise ScenarioError(
                f"Option --port {port}: cannot be used ({exc.strerror or exc}). Choose another, "
                f"or leave it out for a free one."
            ) from exc
        self.conversation = conversation
        self.places = places
        self.tell = tell
        self.gate = Gate(port=self.server_port, token=secrets.token_urlsafe(32))
        page = resources.files("scenarios.web")
        self.files = {
            path: Reply(kind=kind, body=page.joinpath(name).read_bytes())
            for path, (name, kind) in _FILES.items()
        }
        self.planning = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of a fault outside of answering; a browser that goes away is none."""
        exc = sys.exception()
        if exc is not None and not isinstance(exc, ConnectionError):
            self.tell(_fault(exc))

    def get(self, path: str, query: Mapping[str, list[str]]) -> Reply | None:
        """Return what a GET below the token gets, or None where there is nothing."""
        state = self.conversation.now.state
        reply = self.files.get(path)
        match path:
            case "state":
                reply = self._state(seen=query.get("seen"))
            case "day":
                reply = self._day(query.get("season"))
            case "session.json":
                reply = Reply(body=saved(state).encode(), download=path)
            case "home.yaml":
                body = to_yaml(outcome(state)).encode()
                reply = Reply(kind="application/yaml", body=body, download=path)
        return reply

    def post(self, path: str, posted: Posted) -> Reply:
        """Return what a POST to one of `POSTS` gets."""
        conversation = self.conversation
        try:
            match path:
                case "answer":
                    conversation.answer(posted.text, turn=posted.turn)
                case "go-on":
                    conversation.go_on(turn=posted.turn)
                case "save":
                    conversation.save()
                case _:
                    conversation.close(turn=posted.turn)
        except RefusedError as exc:
            return self._state(status=HTTPStatus.CONFLICT, refused=str(exc))
        return replace(self._state(), last=path == "close")

    def _state(
        self,
        *,
        seen: list[str] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        refused: str = "",
    ) -> Reply:
        """Return the interview, or nothing where the page has this very version."""
        now = self.conversation.now
        if seen == [str(now.version)]:
            return Reply(status=HTTPStatus.NO_CONTENT)
        places = {"save": self.places.save, "out": self.places.out}
        return _json({**content(now), "places": places, "refused": refused}, status=status)

    def _day(self, seasons: list[str] | None) -> Reply | None:
        if seasons is None or seasons[0] not in SEASON_NAMES:
            return None
        home = outcome(self.conversation.now.state)
        with self.planning:  # one at a time: a plan takes all of a core
            return _json(day_content(home, season=seasons[0]))


class _Handler(BaseHTTPRequestHandler):
    """One request: who asks, what for, and an answer with the headers that every answer has."""

    server: PageServer
    timeout = PATIENCE_S
    server_version = "gradmap"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._got)

    def do_POST(self) -> None:
        self._answer(self._posted)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: paths hold the token, and what is said at home stays there."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server itself refuses, such as a method that no path has."""
        self._send(_told(HTTPStatus(code), "This request is not understood here."))

    def _answer(self, respond: Callable[[str, str], Reply]) -> None:
        """Let `respond` answer the path below the token and the query, whatever goes wrong."""
        try:
            asked = urlsplit(self.path)
            below = self.server.gate.opened(self.headers, method=self.command, path=asked.path)
            if isinstance(below, Denied):
                reply = _told(below.status, below.why)
            else:
                reply = respond(below, asked.query)
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            return
        except Exception as exc:
            self.server.tell(_fault(exc))
            reply = _told(HTTPStatus.INTERNAL_SERVER_ERROR, "The program made a mistake.")
        self._send(reply)
        if reply.last:
            self.server.shutdown()

    def _got(self, path: str, query: str) -> Reply:
        return self.server.get(path, parse_qs(query)) or self._missing(path)

    def _posted(self, path: str, query: str) -> Reply:
        if path not in POSTS:
            return self._missing(path)
        length = body_length(self.headers)
        if isinstance(length, Denied):
            return _told(length.status, length.why)
        try:
            posted = Posted.model_validate_json(self.rfile.read(length))
        except ValidationError:
            return _told(
                HTTPStatus.BAD_REQUEST,
                f"Expected a turn and a text of at most {MAX_ANSWER} characters.",
            )
        return self.server.post(path, posted)

    def _missing(self, path: str) -> Reply:
        if path in (POSTS if self.command == "GET" else GETS):
            return _told(HTTPStatus.METHOD_NOT_ALLOWED, "Not with this method.")
        return _told(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _send(self, reply: Reply) -> None:
        try:
            self.send_response(reply.status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
            if reply.download:
                self.send_header("Content-Disposition", f'attachment; filename="{reply.download}"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
        except (TimeoutError, ConnectionError):
            self.close_connection = True  # the browser has gone


def _json(data: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(status=status, body=json.dumps(data).encode())


def _told(status: HTTPStatus, why: str) -> Reply:
    return Reply(status=status, kind=_TEXT, body=f"{why}\n".encode())


def _fault(exc: BaseException) -> str:
    """Return kind and place of a fault; its message and values may hold what was said."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}" if trace else ""
    return f"The page's server failed: {type(exc).__name__}{where}."
