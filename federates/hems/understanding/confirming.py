"""Replies to a read-back and to a menu."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from federates.hems.parameters.slots import SlotKind, Value, Values, slot
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.result import Intent

_YES: Final = re.compile(
    r"(?:(?:oh|um|uh|er|erm|well|ah|so|hmm|like|you know|and|great|thanks|thank you|please|,|"
    r"\.|!|-|ok|okay) )*"
    r"(?:yes|y|yeah|yep|yup|yea|yah|aye|ya|correct|right|exactly|(?:thats|that is|that looks|"
    r"looks|sounds|its|it is|all|theyre|they are|everything(?: is|s)?|that s) "
    r"(?:(?!not |never |wrong |far |hardly |anything |no |un)\w+ )?(?:right|correct|it|good|fine|"
    r"ok|okay|true|grand|perfect|great|accurate|about right|spot on|the 1|all right|alright)|"
    r"spot on|perfect|sure|indeed|absolutely|definitely|of course|fine|ok|okay|good|true|you "
    r"got it|youve got it|got it in 1|bang on|agreed|confirmed|i agree|works for me|i (?:think|"
    r"suppose|guess) so|mhm|uh huh|"
    r"100 %|happy with that|no changes|nothing to change|go ahead|grand|lovely|great|will do|"
    r"affirmative|yessir|that works|thatll do|by all means|carry on|all good|couldnt have "
    r"said it better|no (?:thats|its|that is) (?:right|fine|correct|good))(?![^ ])"
)
_NO: Final = re.compile(
    r"(?:(?:oh|um|uh|er|erm|well|ah|so|hmm|sorry|,|\.|!|-|actually|you know|like) )*"
    r"(?:no|n(?! /)|nope|nah|not (?:quite|really|right|exactly|at all|correct)|wrong|incorrect|"
    r"(?:thats|that is|its|it is|that isnt|thats not|it isnt|they arent) (?:\w+ )?(?:wrong|"
    r"incorrect|right|correct|it|true)|false|negative|never)(?![^ ])"
)
_REJECTS: Final = re.compile(
    r"(?:(?:oh|um|uh|er|erm|well|ah|so|hmm|sorry|actually|you know|like|right|,|\.|!|-|:|;) )*"
    r"(?:no(?: , no| no)+|nope|nah|no(?= (?:,|\.|!|;|-|its|it|the|i|id|im|ive|we|were|weve|wed|"
    r"that|thats|they|theyre|you|my|our|there|theres|for|on|at|more|actually|sorry)(?![^ ]))|"
    r"not (?:quite|really|exactly|right|correct)|wrong|incorrect|almost|nearly|not what i said|"
    r"(?:that|it)(?:s| is) (?:not (?:quite |really )?(?:right|correct|true|it|what i said)|wrong|"
    r"incorrect)|(?:that|it) isnt (?:quite |really )?(?:right|correct|true|it)|"
    r"you (?:misheard|misunderstood|got (?:me|that|it) wrong)(?: me)?|"
    r"let me (?:correct|put) (?:you|that|it)(?: right)?(?: there)?)"
    r"(?:(?: (?:,|\.|!|-|:|;|but|then))*(?![^ ]))"
)
"""A rejection before what is right: the "no" answers the read-back, not a slot of it."""
_DENIES: Final = re.compile(
    r"\b(?:not|isnt|arent|wrong|incorrect|no|nope|except|but|only|apart|change|actually|"
    r"instead|rather|should be|sorry|however|different)\b"
)
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_NUMBERED: Final = re.compile(
    r"(?:(?:um|uh|er|erm|well|oh|its|it is|id say|i think|i guess|probably|like|you know|"
    r"i(?:ll|d)(?: like to| rather)? (?:go for|take|go with|pick|say|choose)|lets (?:go with|"
    r"say)|go (?:for|with)|that would be|"
    r"thatd be|i pick|i choose|it would be|the|just|please|put|\(|\)|put me down for|mine is|so|"
    r"say|must be|would be|be|,) )*(?:(?P<word>option|number|no|answer|choice|item|letter|nr) "
    r"(?:\. )?)?(?:number )?(?P<pick>[1-9]|[a-h](?!\w)|first|second|third|fourth|fifth|sixth|"
    r"seventh|eighth|last|1st|2nd|3rd|4th|[1-8] (?:st|nd|rd|th))"
    r"(?P<tail>(?: (?:one|1|option|choice|on the list|in the list|on your list|please|thanks|"
    r"thank you|i think|i guess|probably|of those|of them|then|for me|for us|answer|in your "
    r"list|,|\.|!|\)))*)"
)


def agreement(reading: Reading, *, proposed: Values) -> Intent | None:
    """Return yes or no if a reply is nothing else; None where it says more.

    Args:
        reading: The reply.
        proposed: The values read back.
    """
    plain = reading.text.strip(" .!,")
    yes = _YES.match(plain)
    if yes is not None:
        rest = plain[yes.end() :]
        if not _DENIES.search(rest) and not _has_value(rest):
            return Intent.YES
        return None
    no = _NO.match(plain)
    if no is not None:
        rest = plain[no.end() :].strip(" .!,-")
        kinds = {slot(key).kind for key in proposed}
        if not rest or (len(rest.split()) <= 4 and not _has_value(rest) and kinds <= _NEED_DIGITS):
            return Intent.NO
    return None


_NEED_DIGITS: Final = frozenset(SlotKind) - {
    SlotKind.BOOLEAN, SlotKind.CHOICE, SlotKind.CHOICES, SlotKind.TEXT, SlotKind.INTERVALS,
    SlotKind.CLOCK, SlotKind.INTEGER, SlotKind.PERCENT,
}  # fmt: skip


def without_rejection(reading: Reading) -> Reading:
    """Return a reply to a read-back without the "no" or "not quite" that it begins with.

    "No, we would join" says yes to joining; "no dryer" keeps its "no".
    """
    at = 0
    while (match := _REJECTS.match(reading.text, at)) is not None:
        at = match.end() + 1
    rest = reading.part(at, len(reading.text)) if at else reading
    return rest if rest.tokens and at < len(reading.text) else reading


def _has_value(plain: str) -> bool:
    return re.search(r"\d", plain) is not None


def menu_choice(reading: Reading, *, options: Sequence[Value]) -> tuple[Value, str] | None:
    """Return the option picked by number, letter or ordinal, and the words; None if none was.

    A bare number that is an option's own value as well is no pick.
    """
    plain = reading.text
    lead = len(plain) - len(plain.lstrip(" .!,("))
    plain = plain.strip(" .!,()")
    match = _NUMBERED.fullmatch(plain)
    if match is None:
        return None
    pick = match["pick"].replace(" ", "")
    place = _place(pick, count=len(options))
    if place is None or not 0 <= place < len(options):
        return None
    is_bare = match["word"] is None and pick.isdigit()
    if is_bare and any(_is_number(option, float(pick)) for option in options):
        return None
    start, end = match.span("pick")
    return options[place], reading.words(lead + start, lead + end)


def _is_number(option: Value, number: float) -> bool:
    return isinstance(option, int | float) and not isinstance(option, bool) and option == number


def _place(pick: str, *, count: int) -> int | None:
    if pick in _ORDINALS:
        return _ORDINALS.index(pick)
    if pick == "last":
        return count - 1
    if pick[0].isdigit():
        return int(pick[0]) - 1
    return "abcdefgh".find(pick[0]) if len(pick) == 1 else None
