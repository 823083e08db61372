"""What a number in digits may mean: decimal commas, groups of thousands."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 12
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")
_ONE_MARK: Final = re.compile(r"[0-9]+[.,][0-9]+")


def numeral_readings(written: str) -> tuple[float, ...]:  # noqa: PLR0911 - one way of saying it after the other
    """Return the numbers that digits may stand for, the likeliest first.

    A point is decimal; a comma is decimal, or separates thousands if three digits follow and no
    zero leads: "0,294" and "7,4" are decimals, "1,500" is 1500 or 1.5 (the slot's range decides).
    """
    digits = sum(c.isdigit() for c in written)
    if not 0 < digits <= _LONGEST or not written.isascii():
        return ()
    marks = [c for c in written if c in ".,"]
    if ":" in written or len(marks) > 4:
        return ()
    if not marks:
        return (float(written),)
    grouped = _GROUPED.fullmatch(written) is not None
    if len(marks) == 1 and _ONE_MARK.fullmatch(written):
        decimal = float(written.replace(",", "."))
        if grouped and "," in written:
            return float(written.replace(",", "")), decimal
        return (decimal,)
    if len(set(marks)) == 1:
        return (float(written.replace(marks[0], "")),) if grouped else ()
    whole, _, decimals = written.rpartition(marks[-1])
    if len(set(marks[:-1])) == 1 and _GROUPED.fullmatch(whole):
        return (float(re.sub("[.,]", "", whole) + "." + decimals),)
    return ()


def single_number(written: str) -> float:
    """Return what a number written in digits is worth; a comma is decimal."""
    if "," in written:
        return float(written.replace(",", "."))
    return (*numeral_readings(written), 0.0)[0]
