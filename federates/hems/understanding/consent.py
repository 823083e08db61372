"""Taking a consent back, which counts at any time, whatever was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.slots import Values

_DATA: Final = (
    r"(?:anything|any (?:more )?of (?:it|that|this)|(?:my|our|the|any) (?:\w+ )?(?:data|answers|"
    r"info\w*|figures|details)|data|answers|with (?:anyone|anybody|them|others|the (?:\w+ )?"
    r"(?:network|company|grid|operator|supplier)\w*))"
)
_WITHDRAWALS: Final[Mapping[str, re.Pattern[str]]] = {
    "flexibility.data_consent": re.compile(
        rf"\b(?:(?:dont|do not|stop|no longer|never|not|no|shouldnt|mustnt|wont|wouldnt|cant) "
        rf"(?:\w+ ){{0,3}}?(?:shar(?:e|ing)|pass(?:ing)? on|giv(?:e|"
        rf"ing) away) (?:\w+ ){{0,2}}?{_DATA}|"
        rf"(?:keep|leave) (?:(?:my|our) (?:data|answers)) (?:\w+ )?(?:private|to (?:myself|"
        rf"ourselves))|(?:withdraw|revoke|cancel|take back) (?:\w+ ){{0,2}}?(?:consent|permission) "
        rf"(?:to|for) (?:\w+ ){{0,2}}?(?:shar\w+|data))\b"
    ),
    "flexibility.participate": re.compile(
        r"\b(?:(?:count|leave) (?:me|us) out(?: of (?:it|that|the (?:events|scheme)))?|"
        r"(?:dont|do not|no longer) want to (?:take part|join|participate)|"
        r"pull(?:ing)? out of the (?:scheme|events))\b"
    ),
}


@dataclass(frozen=True)
class Withdrawal:
    """A consent taken back, and where the plain form says so."""

    key: str
    start: int
    end: int


def withdrawal(plain: str, *, known: Values) -> Withdrawal | None:
    """Return the given consent that a text takes back, or None.

    Args:
        plain: Text in plain form.
        known: What is known of the home; what was never agreed to cannot be taken back.
    """
    for key, pattern in _WITHDRAWALS.items():
        match = pattern.search(plain) if known.get(key) is True else None
        if match is not None:
            return Withdrawal(key, match.start(), match.end())
    return None
