"""Yes and no, in many words, and what they mean for a slot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, doubtful
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.subjects import names_attribute

YES: Final = re.compile(
    r"\b(?:yes|yeah|yep|yup|yea|yah|aye|ya|sure|of course|certainly|definitely|"
    r"absolutely(?! not)|ok|okay|okey|fine|go ahead|"
    r"please do|by all means|no (?:problem|objections?|issues?|worries|bother)|happy (?:to|"
    r"with|for)|"
    r"(?:dont|do not|wouldnt|wont) (?:really )?mind|sounds good|why not|"
    r"(?:thats|its|is|be) (?:totally |perfectly |absolutely )?(?:fine|ok|okay|grand|alright|"
    r"all right|good|allowed)|grand|alright|all right|you (?:can|may)|"
    r"indeed|allowed|permitted|count me in|im in|id (?:love|like|be happy) to|feel free|"
    r"suits (?:me|us)|works for (?:me|us)|"
    r"thumbs up|affirmative|go for it|i (?:guess|suppose) so|i think so|all good|perfect)\b"
)
_WEAK_YES: Final = re.compile(
    r"\b(?:(?:i|we|it|they) (?:do|does|can|may|would|will|could)\b(?! not)|correct|right|true|"
    r"exactly|any ?time|whenever)\b"
)
"""Counts only in a short reply."""
_SHORT: Final = 8
NO: Final = re.compile(
    r"\b(?:no(?! (?:problem|objections?|issues?|worries|bother|idea|clue|matter|preference))|"
    r"nope|nah|naw|never|not(?! (?:a problem|an issue|sure|bothered|at all bothered|only|"
    r"that (?:i|im|we) (?:mind|bothered)))|negative|"
    r"(?:id |i would |wed )?(?:rather|prefer) (?:it |they |you |that )?(?:not|didnt|doesnt|"
    r"wasnt|werent)|absolutely not|no way|certainly not|of course not|definitely not|"
    r"dont(?! (?:really )?(?:mind|know|see why not|care|have a problem))|doesnt|cant|cannot|"
    r"wont(?! mind)|isnt|arent|shouldnt|mustnt|wouldnt(?! mind)|out of the question|no chance|"
    r"not (?:really|allowed|happy|keen|comfortable|for me|interested)|"
    r"forbidden|refuse|against|false|nae|without|opt out|count me out|leave me out|keep (?:it|"
    r"them) private|private|pass)\b"
)
_CONDITION: Final = re.compile(
    r"\b(?:if|unless|as long as|provided|only when|depends|sometimes|in (?:an )?emergenc\w+|"
    r"except|but (?:only|not)|within reason|up to a point|maybe|perhaps|possibly|might)\b"
)
_FOR: Final[Mapping[str, tuple[re.Pattern[str] | None, re.Pattern[str] | None]]] = {
    "night_ok": (
        re.compile(
            r"\b(?:(?:over)?night(?:s|time)? (?:is|are|would be|runs? (?:is|are)) "
            r"(?:\w+ )?(?:fine|ok|okay|good|grand|great|no problem)|any ?time|day or night|"
            r"(?:run|runs|go|put it on) (?:it )?(?:over)?night|24 / 7|while we(?:re)? (?:sleep|"
            r"asleep)|(?:best|better|ideal|cheaper|cheapest) at night|at night (?:is|thats) "
            r"(?:fine|ok|okay|grand)|(?:its|it is) (?:very )?(?:quiet|silent))\b"
        ),
        re.compile(
            r"\b(?:(?:day ?time|daytimes|days) only|only (?:in|during|by|through) "
            r"(?:the )?day(?:time)?|during the day only|too (?:noisy|loud)|"
            r"wakes? (?:\w+ ){0,3}up|(?:its|it is) (?:far |way |really |very )?(?:noisy|loud)|"
            r"fire (?:risk|hazard)|neighbou?rs|(?:kids|baby|we|children) (?:are |is |"
            r"re )?(?:asleep|sleeping)|only when (?:were|we are|im|i am|someone is|somebody "
            r"is) (?:awake|up|in|home))\b"
        ),
    ),
    "charge_from_grid": (
        re.compile(
            r"\b(?:when(?:ever)? (?:its|it is|power is|electricity is|prices "
            r"are)? ?(?:\w+ )?cheap|on the (?:cheap|night) rate|overnight|off ?peak)\b"
        ),
        re.compile(
            r"\b(?:(?:only|just|purely|solely) (?:from |off |by |with |on |store |stores |the |"
            r"my |our |charge |charges )*(?:solar|panels|sun|pv|roof)|(?:solar|panels|sun|"
            r"sunshine) only|nothing but (?:solar|sun)|solar alone)\b"
        ),
    ),
    "discharge_to_grid": (
        re.compile(
            r"\b(?:sell(?:s|ing)? (?:it |the )?(?:surplus|spare|extra|excess|rest|it|back|"
            r"away)|sell it|export(?:s|ing)? (?:is|the|it|some|any))\b"
        ),
        re.compile(
            r"\b(?:(?:only|just|purely) (?:for )?(?:ourselves|us|our own|the (?:house|home)|"
            r"our (?:house|home)|my own|own use|me|self)|own use(?: only)?|keep (?:it|it all|"
            r"everything|all of it)(?: for (?:ourselves|us|me|myself))?|for (?:ourselves|us|"
            r"the house) only)\b"
        ),
    ),
    "v2g": (
        re.compile(
            r"\b(?:(?:two|2) way|bi ?directional(?: charger)?|v2g|v2h|vehicle to (?:grid|home))\b"
        ),
        re.compile(
            r"\b(?:never heard|(?:one|1) way|only charges|new to me|what(?:s| is) that|just "
            r"charges|ordinary charger|normal charger|dont think (?:so|it))\b"
        ),
    ),
    "participate": (
        re.compile(
            r"\b(?:sign me up|(?:take|taking) part|count (?:me|us) in|for (?:a|the) reward|"
            r"im (?:in|game|up for)|up for (?:it|that)|interested|happy to help|id give it "
            r"a (?:go|try)|give it a (?:go|try|whirl))\b"
        ),
        re.compile(
            r"\b(?:not interested|dont (?:trust|want|fancy|like)|leave (?:me|us|it) alone|"
            r"hands off|big brother|my own control|stay in control|none of their business)\b"
        ),
    ),
    "data_consent": (
        re.compile(
            r"\b(?:share (?:away|it|them|whatever|what you)|nothing to hide|they can (?:have|"
            r"see|know))\b"
        ),
        re.compile(
            r"\b(?:private|privacy|keep (?:it|them|that|my (?:data|answers)|those|"
            r"everything)(?: \w+){0,3}|none of their business|stays? (?:here|in the house|at "
            r"home|with (?:me|us)|private)|not sharing|dont share|data protection|"
            r"confidential)\b"
        ),
    ),
}
"""Words by slot that mean yes and no there."""
_NEUTRAL: Final = re.compile(
    r"\b(?:no (?:problem|objections?|issues?|worries|bother|matter|preference)|not (?:a "
    r"problem|an issue|only|bothered)|why not|(?:dont|do not|wont|wouldnt) (?:really )?(?:mind|"
    r"see why not|have a problem)|not that i mind|no doubt)\b"
)
_ALLOWS: Final = re.compile(
    r"\b(?:may|can|could|should|is allowed to|are allowed to|(?:are|is) (?:free|welcome) to|"
    r"happy to|able to)\b(?! (?:not|never|rather))"
)
"""Means yes where the slot's own words follow: "the battery may charge from the grid"."""
_CANT_TELL: Final = re.compile(
    r"\b(?:(?:im |i am )?not (?:\w+ )?(?:sure|certain)|no idea|(?:i )?dont (?:really )?know|"
    r"no clue|but dont hold me to (?:it|that)|dont (?:hold|quote) me(?: (?:to|on) (?:it|that))?|"
    r"no doubt|if im not mistaken)\b[ ,.]*(?:but )?"
)


def yes_or_no(reading: Reading, *, item: Slot) -> Answer | None:
    """Return whether a text says yes or no to a slot, or None where it says neither or both."""
    plain = reading.text
    words = reading.words()
    yes, no = _votes(_CANT_TELL.sub("", plain), item=item)
    if yes == no:
        return None
    conditional = _CONDITION.search(plain) is not None
    if conditional and re.search(
        r"\b(?:if|unless|as long as|provided|depends|sometimes|maybe|perhaps|possibly|might|"
        r"except|emergenc\w+)\b",
        plain,
    ):
        return doubtful(item, (yes,), words=words, question="So in general, yes or no?")
    return Answer(values=(yes,), words=words, hedged=is_hedged(plain))


def _votes(plain: str, *, item: Slot) -> tuple[bool, bool]:
    """Return whether there is a yes, and whether there is a no; a leading word decides."""
    for_yes, for_no = _FOR.get(item.name, (None, None))
    without = _NEUTRAL.sub(" ", plain)
    special_no = for_no is not None and for_no.search(plain) is not None
    special_yes = for_yes is not None and for_yes.search(plain) is not None
    no_match = NO.search(without)
    yes_match = YES.search(plain)
    if yes_match is None and plain.count(" ") < _SHORT:
        yes_match = _WEAK_YES.search(plain)
    first = re.match(
        r"(?:\W|but|oh|well|um|uh|er|erm|hmm|i think|i guess|i suppose|id say|probably|like|"
        r"you know|so|please|sorry|actually|ah|eh)*",
        plain,
    )
    at = first.end() if first is not None else 0
    if re.match(
        r"(?:no|nope|nah|never|absolutely not|certainly not|definitely not|of course not|not|"
        r"no way)\b",
        plain[at:],
    ) and not _NEUTRAL.match(plain, at):
        return (False, True) if not _turns(plain[at:]) else (True, True)
    if YES.match(plain, at):
        return (True, False) if not (special_no or _turns_down(plain[at:])) else (True, True)
    if special_no or (no_match is not None and special_yes):
        return (False, True)
    if special_yes and no_match is None:
        return (True, False)
    if no_match is not None:
        return (False, True)
    allows = names_attribute(plain, item) and _ALLOWS.search(plain) is not None
    return (yes_match is not None or allows, False)


def _turns(plain: str) -> bool:
    """Whether a no is followed by a yes: "no, actually yes"."""
    return re.search(r"\b(?:yes|yeah|yep|but (?:you|it) (?:can|may)|go ahead)\b", plain) is not None


def _turns_down(plain: str) -> bool:
    """Whether a yes is followed by a no: "sure, but not at night"."""
    rest = _NEUTRAL.sub(" ", plain)
    return re.search(r"\b(?:no|nope|never|not|dont|doesnt|cant|wont|isnt)\b", rest) is not None
