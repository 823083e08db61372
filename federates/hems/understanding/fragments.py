"""A reply cut into fragments: at corrections, at sentence ends and where another thing is named."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from federates.hems.understanding.reading import Reading

_CORRECTION: Final = re.compile(
    r"(?<![^ ])(?:(?:oh|ah|um|uh|er|no|nope|well|oops|but|and|wait|sorry|,|-|\.|!|;|hang on|"
    r"hold on|my mistake|my bad|apologies) )*"
    r"(?:sorry|(?:no )?wait|hang on|hold on|i (?:mean|meant)(?: to say)?|scratch that|"
    r"correction|make that|let me correct(?: (?:that|myself))?|or rather|(?:no )?rather(?= \d)|"
    r"i tell a lie|tell a lie|"
    r"my mistake|my bad|oops|whoops|actually|strike that|should say|thats wrong|thats not "
    r"right|no thats (?:not right|wrong)|i misspoke|let me rephrase|on second thoughts?|come "
    r"to think of it|i take that back|what am i saying|silly me)(?![^ ])"
    r"|(?<![^ ])(?:oh )?no (?:, |wait )*(?=thats? (?:was |is |for |actually )*(?:the|our|my) )"
    r"|(?<=[,.;!?-] )(?:no|nope)(?= (?:, )?(?:its |it is |about |make |more like |thats |the |"
    r"that |around |at )*(?:\d|half|quarter|noon|midnight))"
)
_SENTENCE: Final = re.compile(r" (?:[.;!?]+|\(|\)|:) |(?: - )(?=[a-z]{2})")
_CLAUSE: Final = re.compile(
    r" (?:,|;|\.|!|\?|and|but|plus|while(?! (?:we|i|im|were|everyone|everybody|theyre) "
    r"(?:are |is |am )?(?:asleep|sleep|sleeping|in bed)\b)|whereas|although|though|also|oh|then|"
    r"so|as well as|by the way|btw|incidentally)(?= )"
)
_START: Final = re.compile(
    r"(?<![^ ])(?:the(?! same)|my|our|its|it|i|we|they|he|she|theres|weve|ive|were|im|that|this|"
    r"you|mine|ours) "
)
_NOT_A_START_TEXT: Final = """
    during within of for on in with to from at by is are was if when that than as like and
    or but the think guess reckon say know mean until till after before where while because
    since so not do does did can may will would should could have has had leave use put need
    needs want tell let make what how which who about around into over under per between
    only just even both all half a an my our your its it off out up down i we they you said
"""
_NOT_A_START: Final = frozenset(_NOT_A_START_TEXT.split())
_THATS_OTHER: Final = re.compile(
    r"^[,. ]*(?:(?:no|oh|sorry|wait|ah|,) )*(?:thats|that was|that is|thats actually|i "
    r"was (?:thinking|talking) (?:of|about)|i (?:meant|mean)|(?:that|it|this) (?:is|was|s) for|"
    r"those are|that 1s|its|i gave you|i told you|i said)"
    r"(?: (?:for|about|of|actually|really|in fact|just))*(?: the| our|"
    r" my)? (?P<thing>[a-z ]+?)(?: (?:1|time|times|figure|number|answer|though))*(?=$|"
    r" [.,;!?-])"
)
_THE_OTHER: Final = re.compile(
    r"(?:for |about |of )?(?:the|our|my) (?P<thing>[a-z ]+?)(?: 1)?[ .!]*"
)
_LEADING_PLACE: Final = re.compile(
    r"[ ,.;!?]*(?:(?:and|but|so|then|also|plus|oh|um|uh|well|yes|yeah) )*(?:at|on|in|during|"
    r"for|with|as|when|if|once|after|before|from|until|of) "
)
_LEAST_WORDS: Final = 5
MAX_FRAGMENTS: Final = 60


def corrected_parts(reading: Reading) -> list[Reading]:
    """Return the parts before and after each "no, sorry"; later ones replace earlier ones."""
    parts: list[Reading] = []
    at = 0
    for match in list(_CORRECTION.finditer(reading.text))[:8]:
        if match.start() > at:
            parts.append(reading.part(at, match.start()))
        at = match.end()
    parts.append(reading.part(at, len(reading.text)) if at else reading)
    return [part for part in parts if part.tokens] or [reading]


def begins_with_correction(reading: Reading) -> bool:
    """Return whether a reply starts with "sorry", "actually", "I meant" or the like."""
    match = _CORRECTION.search(reading.text)
    return match is not None and match.start() <= 4


def thing_meant(reading: Reading) -> str | None:
    """Return "washing machine" for "that's the washing machine": what came before was about it."""
    match = _THATS_OTHER.match(reading.text) or _THE_OTHER.fullmatch(reading.text)
    return None if match is None else match["thing"].strip()


def fragments(reading: Reading) -> list[Reading]:
    """Return the smallest pieces of a text that may be about different things, in order."""
    plain = reading.text
    cuts = {0, len(plain)}
    cuts |= {match.end() for match in _SENTENCE.finditer(plain)}
    cuts |= {match.start() + 1 for match in _CLAUSE.finditer(plain)}
    for match in _START.finditer(plain):
        before = plain[: match.start()].rsplit(" ", 2)
        last = max(cut for cut in cuts if cut <= match.start())
        leads = _LEADING_PLACE.match(plain, last, match.start()) is not None
        # "The coldest it may get" is one phrase: something must have been said before.
        since = plain[last : match.start()]
        said = any(c.isdigit() for c in since) or since.count(" ") >= _LEAST_WORDS
        if said and len(before) > 1 and before[-2] not in _NOT_A_START and not leads:
            cuts.add(match.start())
    places = sorted(cuts)[: MAX_FRAGMENTS + 1]
    if len(plain) not in places:
        places[-1] = len(plain)
    pieces = [reading.part(a, b) for a, b in pairwise(places)]
    return [piece for piece in pieces if piece.tokens]


def together(pieces: list[Reading]) -> Reading:
    """Return neighbouring fragments as one text."""
    tokens = tuple(token for piece in pieces for token in piece.tokens)
    return Reading(pieces[0].source, tokens)
