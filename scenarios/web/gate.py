"""Which requests are ours: sent to this machine's own name, by our own page, with the run's token.

Any page that the householder visits can make their browser send requests to 127.0.0.1, under a name
of its own where it controls a name server (DNS rebinding); any user of the machine can connect. The
token, which only the printed address holds, keeps both out; the other checks do so once more.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Final

MAX_BODY: Final = 65_536
"""Longest body of a request; an answer of 4,000 characters fits in any encoding. [bytes]"""


@dataclass(frozen=True, kw_only=True)
class Denied:
    """Why a request is not answered."""

    status: HTTPStatus
    why: str


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Decides about requests to one run of the page."""

    port: int
    token: str

    @property
    def address(self) -> str:
        """Return the address of the page; whoever has it, has the conversation."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def opened(self, headers: Message, *, method: str, path: str) -> str | Denied:
        """Return the path below the token, or why the request is refused.

        Args:
            headers: Of the request.
            method: GET or POST.
            path: As requested, without its query.
        """
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return Denied(status=HTTPStatus.FORBIDDEN, why="This is not the address of the page.")
        if method == "POST" and headers.get_all("Origin", []) != [f"http://{hosts[0]}"]:
            return Denied(status=HTTPStatus.FORBIDDEN, why="Only the page itself may send answers.")
        token, slash, below = path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return Denied(
                status=HTTPStatus.FORBIDDEN,
                why="Open the whole address that `gradmap hems interview --web` printed; it is "
                "another one after every start.",
            )
        if not slash:
            return Denied(status=HTTPStatus.NOT_FOUND, why="The address ends with a slash.")
        return below

    @property
    def _hosts(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")


def body_length(headers: Message) -> int | Denied:
    """Return the length of a POST's body, or why it is refused. [bytes]"""
    if headers.get_content_type() != "application/json":
        return Denied(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why="Expected JSON.")
    lengths = headers.get_all("Content-Length", [])
    told = lengths[0] if len(lengths) == 1 else ""
    if "Transfer-Encoding" in headers or not (told.isascii() and told.isdigit()):
        return Denied(status=HTTPStatus.LENGTH_REQUIRED, why="Expected one Content-Length.")
    if len(told) > len(str(MAX_BODY)) or int(told) > MAX_BODY:
        return Denied(
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            why=f"An answer has at most {MAX_BODY} bytes.",
        )
    return int(told)
