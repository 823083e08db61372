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
    r"\b(?:no(?! (?:problem|objections?|issues?|worries|bother|idea|clue|matter|preference|"
    r"more than|less than|fewer than|later than|earlier than|sooner than))|"
    r"nope|nah|naw|never|not(?! (?:a problem|an issue|sure|bothered|at all bothered|only|"
    r"that (?:i|im|we) (?:mind|bothered)))|negative|"
    r"(?:id |i would |wed )?(?:rather|prefer) (?:it |they |you |that )?(?:not|didnt|doesnt|"
    r"wasnt|werent)|absolutely not|no way|certainly not|of course not|definitely not|"
    r"dont(?! (?:really )?(?:mind|know|see why not|care|have a problem))|doesnt|cant|cannot|"
    r"wont(?! mind)|isnt|arent|shouldnt|mustnt|wouldnt(?! mind)|out of the question|no chance|"
    r"not (?:really|allowed|happy|keen|comfortable|for me|interested)|"
    r"forbidden|refuse|against|false|nae|without|opt out|(?:count|leave) (?:me|us) out|"
    r"pull(?:ing)? out|keep (?:it|them) private|private|pass)\b"
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
            r"(?:run|runs|go|goes|is|put it) (?:on |it |already )*(?:(?:over)?night|at night)|"
            r"24 / 7|while we(?:re)? (?:sleep|"
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
            r"\b(?:(?:two|2) way|bi ?directional(?: charger)?|v ?2 ?[gh]|vehicle to (?:grid|"
            r"home))\b"
        ),
        re.compile(
            r"\b(?:never heard|(?:one|1) way|only charges|just charges|ordinary charger|"
            r"normal charger|dont think (?:so|it))\b"
        ),
    ),
    "participate": (
        re.compile(
            r"\b(?:(?:take|taking) part|count (?:me|us) in|for (?:a|the) reward|"
            r"im (?:in|game|up for)|up for (?:it|that)|interested|(?:happy|glad|willing|like|love) "
            r"to (?:help|join)|(?:id|ill|wed|well|i would|i will|we would|we will|want to|can) "
            r"(?:\w+ )?join|sign (?:me|us) up|join(?:ing)? in|(?:yes|yeah|ok|fine) to (?:helping|"
            r"joining|taking)|help(?:ing)? (?:\w+ ){0,2}(?:grid|network)|id give it "
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
            r"see|know)|(?:i|we) (?:consent|agree)|may share|can share|happy to share|"
            r"sharing (?:\w+ ){0,3}is (?:fine|ok|okay|grand|alright))\b"
        ),
        re.compile(
            r"\b(?:private|privacy|keep (?:it|them|that|my (?:data|answers)|those|"
            r"everything)(?: \w+){0,3}|none of their business|stays? (?:here|in the house|at "
            r"home|with (?:me|us)|private)|not sharing|dont share|data protection|"
            r"confidential|stop(?:ped)? sharing|(?:withdraw|revoke|cancel|take back) (?:\w+ ){0,2}"
            r"(?:consent|permission|agreement))\b"
        ),
    ),
}
"""Words by slot that mean yes and no there."""
_NEUTRAL: Final = re.compile(
    r"\b(?:no (?:problem|objections?|issues?|worries|bother|matter|preference)|not (?:a "
    r"problem|an issue|only|bothered)|why not|(?:dont|do not|wont|wouldnt) (?:really )?(?:mind|"
    r"see why not|have a problem)|not that i mind|no doubt|"
    r"(?:(?:the |our |my )?(?:neighbou?rs|kids|children|baby) )?(?:cant|cannot|dont|do not|doesnt|"
    r"wont|wouldnt|never|not|nobody|no 1|no one|couldnt) (?:\w+ ){0,2}?(?:hears?|notices?|wakes?|"
    r"disturb\w*|bother\w*|minds?|annoy\w*|hurts?|matters?|object\w*|complain\w*)|"
    r"(?:isnt|not|never) (?:(?:that|very|too|at all|really|so) )*(?:noisy|loud)|nothing to hide)\b"
)
"""A denial that is no "no": it gives the reason for a yes."""
_ALLOWS: Final = re.compile(
    r"\b(?:may|can|could|should|is allowed to|are allowed to|(?:are|is) (?:free|welcome) to|"
    r"happy to|able to)\b(?! (?:not|never|rather))"
)
"""Means yes where the slot's own words follow: "the battery may charge from the grid"."""
_CANT_TELL: Final = re.compile(
    r"\b(?:(?:im |i am |its )?not (?:a |an )?(?:\w+ )?(?:% |per ?cent )?(?:sure|certain)|no idea|"
    r"(?:i )?(?:dont|do not|didnt|wouldnt|cant|couldnt|havent|never) (?:think |believe )?(?:i |"
    r"we )?(?:ever |really |even |quite |actually |fully |the )*(?:know|knew|understand|understood|"
    r"follow|remember|recall|tell|say|foggiest|faintest|clue|idea|notion)"
    r"(?: for (?:sure|certain))?|no clue|but dont hold me to (?:it|that)|"
    r"dont (?:hold|quote) me(?: (?:to|on) (?:it|that))?|no doubt|"
    r"if im not mistaken)\b[ ,.]*(?:but )?"
)
_LISTENING: Final = re.compile(
    r"^\W*(?:ok|okay|right|fine|sure|alright|yes)[ ,.]*(?:let me \w+(?: (?:it|that|myself))?|"
    r"here goes|listen|now then)(?!\w)[ ,.:]*"
)
"""Says that an answer follows, which is none."""
_SENTENCE_END: Final = re.compile(r"(?<![^ ])[.!;]+(?![^ ])")
_LETTER: Final = re.compile(r"\W*(?:(?:um|uh|er|erm|so|well) )*(?P<said>[yn])\W*")
_FEW_WORDS: Final = 4
_OPENING: Final = re.compile(
    r"(?:\W|(?:but|oh|well|um|uh|er|erm|hmm|i think|i guess|i suppose|id say|probably|like|"
    r"you know|so|please|sorry|actually|ah|eh)(?!\w))*"
)
_OF_OTHERS: Final = re.compile(_OPENING.pattern + r"(?:they|theyre|he|hes|she|shes) ")


def yes_or_no(reading: Reading, *, item: Slot) -> Answer | None:
    """Return whether a text says yes or no to a slot, or None where it says neither or both."""
    plain = reading.text
    words = reading.words()
    known = _CANT_TELL.sub("", _LISTENING.sub("", plain))
    letter = _LETTER.fullmatch(known)
    if letter is not None:
        return Answer(values=(letter["said"] == "y",), words=words, hedged=is_hedged(plain))
    yes, no = _votes(_to_the_point(known, item=item), item=item)
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


def _to_the_point(plain: str, *, item: Slot) -> str:
    """Return the sentences that answer, where others only chat: "They never switch it off!"."""
    sentences = [part.strip(" ,") for part in _SENTENCE_END.split(plain)]
    sentences = [part for part in sentences if part]
    answers = [part for part in sentences if _answers(part, item=item)]
    if not answers:
        answers = [part for part in sentences if not _OF_OTHERS.match(part)]
    return " . ".join(answers) if len(answers) < len(sentences) and len(sentences) > 1 else plain


def _answers(sentence: str, *, item: Slot) -> bool:
    """Whether a sentence is about a yes/no question, not just beside it."""
    if names_attribute(sentence, item) or _CONDITION.search(sentence):
        return True
    if any(words is not None and words.search(sentence) for words in _FOR.get(item.name, ())):
        return True
    if _OF_OTHERS.match(sentence):
        return False
    found = [match for pattern in (YES, NO) if (match := pattern.search(sentence)) is not None]
    at = _OPENING.match(sentence)
    begins = any(match.start() <= (at.end() if at is not None else 0) for match in found)
    short = sentence.count(" ") < _FEW_WORDS and any((*found, _WEAK_YES.search(sentence)))
    return begins or short


def _votes(plain: str, *, item: Slot) -> tuple[bool, bool]:
    """Return whether there is a yes, and whether there is a no; a leading word decides."""
    for_yes, for_no = _FOR.get(item.name, (None, None))
    without = _NEUTRAL.sub(" ", plain)
    special_no = for_no is not None and for_no.search(without) is not None
    special_yes = for_yes is not None and for_yes.search(plain) is not None
    no_match = NO.search(without)
    yes_match = YES.search(plain)
    if yes_match is None and plain.count(" ") < _SHORT:
        yes_match = _WEAK_YES.search(plain)
    first = _OPENING.match(plain)
    at = first.end() if first is not None else 0
    if re.match(
        r"(?:no|nope|nah|never|absolutely not|certainly not|definitely not|of course not|not|"
        r"no way)\b",
        plain[at:],
    ) and not _NEUTRAL.match(plain, at):
        rest = _NEUTRAL.sub(" ", plain[at:]).partition(" ")[2]
        joined = for_yes is not None and for_yes.search(rest) and not NO.search(rest)
        turned = _turns(plain[at:]) or (joined and rest.startswith((",", ".", "!")))
        return (False, True) if not turned else (True, True)
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
