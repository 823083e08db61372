"""Split a .dss file into statements and values exactly where OpenDSS does.

The rules are those of the engine's own parser: a quotation mark or bracket groups only at the start
of a value, groups do not nest, and a name may be empty (`=export` is the command `export`). Where
the engine would stop early, this goes on, so that no statement is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PIECE = re.compile(
    r""" "(?P<a>[^"]*)"? | '(?P<b>[^']*)'? | \((?P<c>[^)]*)\)? | \[(?P<d>[^\]]*)\]?
       | \{(?P<e>[^}]*)\}? | (?P<plain>[^ \t,=!]*) """,
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t]*")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One value of a statement, with its name if it has one."""

    name: str
    """Text before the equals sign; empty if there is none."""
    value: str
    """Text without quotes or brackets."""
    quoted: bool
    """Whether it stood in quotes or brackets."""


def statements(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and text of every line that is not in a block comment."""
    in_block = False
    # Not `splitlines()`: OpenDSS breaks lines at CR and LF only, and opens a block comment only at
    # the very start of a line. Seeing fewer statements than it does would be a hole.
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    for number, raw in enumerate(text.split("\n"), start=1):
        if in_block or raw.startswith("/*"):
            in_block = "*/" not in raw
            continue
        yield number, raw


def split_statement(text: str) -> tuple[tuple[Token, ...], str]:
    """Return a statement's values, empty ones left out, and its text without the comment."""
    found = []
    at = _skip_blanks(text, 0)
    while at < len(text) and text[at] != "!" and not text.startswith("//", at):
        name = ""
        value, quoted, at, delimiter = _piece(text, at)
        if delimiter == "=":
            name = value.strip()
            value, quoted, at, _ = _piece(text, at)
        if name or value:
            found.append(Token(name=name, value=value.strip(), quoted=quoted))
    return tuple(found), text[:at].strip()


def _piece(text: str, at: int) -> tuple[str, bool, int, str]:
    """Return the piece at a position, whether it is quoted, what follows and its delimiter."""
    match = _PIECE.match(text, at)
    if match is None:  # cannot happen: the last alternative matches nothing
        return "", False, len(text), ""
    value = match[match.lastgroup or 0]
    at = _skip_blanks(text, match.end())
    delimiter = text[at : at + 1]
    if delimiter not in (",", "="):
        return value, match.lastgroup != "plain", at, ""
    return value, match.lastgroup != "plain", _skip_blanks(text, at + 1), delimiter


def _skip_blanks(text: str, at: int) -> int:
    """Return the position of the next character that is neither blank nor tab."""
    match = _BLANK.match(text, at)
    return match.end() if match else at
