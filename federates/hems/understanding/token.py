"""One word, number or mark of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """A piece of a text in plain form, and where it is written."""

    text: str
    start: int
    """First character in the text as written."""
    end: int
    """First character after it."""

    @property
    def is_number(self) -> bool:
        """Whether it is written in digits and is no clock."""
        return self.text[:1].isdigit() and ":" not in self.text and self.text.isascii()
