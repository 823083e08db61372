"""Phrases that are no values: "no idea", "rather not say", "what do you mean?", and commands."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.understanding.result import Intent

_STRONG_UNKNOWN: Final = (
    r"no (?:idea|clue)|(?:not|havent) (?:a|got a|the) (?:clue|foggiest|faintest|scooby|notion|"
    r"idea|baldy)|(?:dont|do not|wouldnt|didnt|honestly dont|cant|not) (?:\w+ )?know|dunno|"
    r"dont have a (?:clue|notion)|"
    r"(?:couldnt|cant|could not|wouldnt be able to|unable to|cannot) (?:\w+ )?(?:say|tell|"
    r"remember|recall|answer)|beats me|search me|who knows|god knows|goodness knows|heaven "
    r"knows|lord knows|no notion|"
    r"(?:whatever|what ever) (?:you|u) (?:think|like|reckon|want|say|suggest|recommend)|(?:you|"
    r"u) (?:decide|choose|pick|tell me|set it)|up to you|your call|i (?:leave|ll leave) (?:it|"
    r"that) (?:up )?to you|leave (?:it|that) to you|"
    r"(?:never|havent) (?:checked|looked|thought|measured|noticed|counted|heard|been told)|"
    r"(?:thats|its|thats all|all) greek to me|over my head|means? nothing to me|ask (?:my|the) "
    r"(?:wife|husband|partner|installer|electrician|landlord|son|dad)|"
    r"(?:my|the) (?:wife|husband|partner|landlord|installer|son|daughter|dad) (?:would know|"
    r"knows|deals with|handles|does|sorts|looks after|takes care|set)|"
    r"(?:just )?(?:use|take|put) (?:the |a |your )?(?:default|normal|usual|standard|whatever|"
    r"typical|average)(?: 1| value| setting)?|whats (?:normal|usual|typical)|"
    r"not (?:something|a thing) (?:i|we) know|wouldnt have a clue|havent the \w+|its a mystery|"
    r"drawing a blank|out of my depth|no (?:way of knowing|memory)|it escapes me|forgotten|"
    r"(?<!before )(?<!case )i forget|id have to (?:look|check|ask)|need to (?:check|look|ask)|"
    r"have to (?:look|check|ask)|"
    r"(?:dont|didnt) (?:think|believe) (?:i|we) (?:ever |even |really )*(?:know|knew)|"
    r"(?:data ?sheets?|leaflet|manual|website|letter|bill|app|label|contract|paperwork|brochure|"
    r"instructions?|booklet) (?:\w+ )?(?:doesnt|does not|never|didnt|wont|"
    r"dont) (?:\w+ )?(?:says?|lists?|mentions?|shows?|tells?|gives?)|"
    r"gobbledy ?gook|gibberish|double dutch|mumbo jumbo|all jargon|"
    r"not (?:that |very |really )?technical|lost me there|haven t|technical for me|too technical|"
    r"dont (?:have|know) (?:that|the|those|any) (?:number|figure|info|information|details?|"
    r"numbers|figures|paperwork)"
)
UNKNOWN: Final = re.compile(rf"\b(?:{_STRONG_UNKNOWN})\b")
_WEAK_UNKNOWN: Final = re.compile(
    r"\b(?:(?:im |i am )?not (?:\w+ )?(?:sure|certain)|unsure|hard to say|difficult to say|"
    r"tricky|(?:im |i am )?no expert|hmm)\b|"
    r"(?<!we )(?<!they )\bpass(?![^ ])(?! (?:on|by|the|it|through)\b)"
)
_NOT_EXACTLY: Final = re.compile(
    r"\b(?:know|remember|say|tell|sure|certain|recall) (?:\w+ )?(?:exactly|precisely|"
    r"for (?:sure|certain)|off ?hand|off the top|the exact|exact|to the)\b|"
    r"\b(?:exactly|precisely|for sure|for certain)\b"
)
GUESS: Final = re.compile(
    r"\b(?:but|maybe|perhaps|probably|about(?! (?:it|that|this|these|those|them|such|all|any\w*|"
    r"the|my|our)\b)|around|roughly|i think|id (?:guess|say)|i (?:guess|"
    r"reckon|suppose|believe)|possibly|at a guess|if i had to|say|something like|ish|could be|"
    r"might be|call it|lets (?:say|go))\b"
)
REFUSAL: Final = re.compile(
    r"\b(?:(?:rather|prefer|d prefer|id prefer|like) (?:it )?(?:not|if you didnt|to "
    r"keep (?:that|it|this))(?: to)?(?: (?:say|tell|answer|share|disclose|give|discuss|go into|"
    r"talk|get into|reveal|private|be asked|to myself))?|"
    r"(?:none|not any) of (?:your|anyones?|ur|their) (?:business|concern)|(?:thats|its|is|bit|"
    r"too|rather|quite|very|that) (?:\w+ )?(?:private|personal|confidential|nosy|intrusive)|"
    r"private(?: matter| information)?|personal (?:question|information|matter)|"
    r"not (?:going to|gonna|willing to|comfortable|prepared to|telling|saying|happy to|"
    r"something i (?:want|wish|like) to) ?(?:say|tell|answer|share|disclose|telling|sharing|"
    r"saying|answering|give|giving)?|"
    r"(?:dont|do not|wont|refuse to|decline to|not) (?:want to |wish to |like to |feel "
    r"comfortable |care to |be )?(?:say|tell|telling|answer|answering|share|sharing|disclose|"
    r"saying|give (?:that|you)|discuss)(?: that| this| you)?|"
    r"no comment|why (?:do|would|should) (?:you|i|u) (?:need|want|have|tell|ask)|mind your own|"
    r"keep (?:that|it|this) (?:to myself|private|to ourselves)|"
    r"(?:that|it|this) stays with (?:me|us)|skip that (?:1|one)|i decline|decline to|"
    r"refuse|not your business|you dont need (?:to know )?(?:that|this))\b"
)
_ABSENT_GENERIC: Final = (
    r"(?:dont|do not|havent|have not|didnt|never|doesnt|no longer) (?:\w+ )?(?:have|own|got|"
    r"possess|had|have got|get|gotten) (?:(?:a|an|1) )?(?:1|any|such|of those|those|that kind|"
    r"that|it|either|them)\b|"
    r"(?:there is|theres|there isnt|theres not|there are|we have|ive got|weve got|i have) "
    r"(?:no such|none|nothing like|not 1)\b|(?:there isnt|theres not) (?:a )?1\b|not applicable|"
    r"n / a|there (?:isnt|is not) (?:1|any)|doesnt apply|does not apply|not relevant|"
    r"(?:sold|scrapped|got rid of|returned|gave away|gave up|took out|removed|binned) (?:it|"
    r"that|them|ours|the|our|my)\b|we(?: have|ve)? (?:got )?none\b|(?:1|one) isnt (?:here|"
    r"there|fitted|installed)|without 1\b|"
    r"(?:dont|havent|never) (?:have|had|got|own|owned) 1\b|isnt 1\b|no such thing|none here|"
    r"havent 1\b|not got (?:1|any)\b|dont (?:use|have) (?:1|any)\b"
)
ABSENT: Final = re.compile(rf"\b(?:{_ABSENT_GENERIC})")

_CONTROL: Final = (
    (Intent.REPEAT, re.compile(
        r"\b(?:repeat|say (?:that|it) again|come again|pardon(?: me)?|what was (?:that|the "
        r"question)|once more|didnt (?:catch|hear|get) (?:that|you|the question)|1 more time|"
        r"again please|what did you (?:say|ask)|sorry what|excuse me)\b")),
    (Intent.HELP, re.compile(
        r"\b(?:help|what (?:do|does|did) (?:you|that|this|it) (?:mean|stand for)|what(?:s| is|"
        r" are) (?:a|an|the|that|this|those|kwh?|cop|v2g|it|meant)|how (?:do|can|would|should) "
        r"i (?:find|know|tell|check|work)|where (?:do|can|would|should|is|will) (?:i|it|that|"
        r"the)|"
        r"explain|dont (?:understand|follow|get it|get the question)|not sure what you mean|"
        r"what you mean|why do you (?:ask|need|want)|meaning|give me an example|for example "
        r"what|how so|can you clarify|clarify|confus\w+|how do you mean|in plain english)\b")),
    (Intent.UNDO, re.compile(
        r"\b(?:undo|go back|back (?:a|1) (?:step|question)|previous question|delete (?:that|it|"
        r"the last)|forget (?:that|it|what i (?:just )?said)|scratch that|take that back|"
        r"cancel that|(?:last|previous) (?:answer|1) was wrong|that was wrong|start again|"
        r"ignore (?:that|my last|what i (?:just )?said)|strike that|i (?:want|d like) to "
        r"change)\b")),
    # The whole reply: "the next morning" and "an hour later" skip nothing.
    (Intent.SKIP, re.compile(
        r"\A(?:(?:please|lets|let us|just|ok|okay|well|um|uh|er|erm|hmm|oh|no|so|sorry|and|but|"
        r"then|can|could|may|shall|can you|could you|we|i|ill|id|i will|like to|want to|would|"
        r"maybe|perhaps|rather|prefer to|think|ask me|ask|do|answer|that|this|it|"
        r"again|(?:leave|come back(?: to)?)(?: it| that| this)?(?: for| till| until)?|,|\.|-|!) )*"
        r"(?:skip|next|pass|move on|go on|later(?: on)?|another time|come back to|not now)"
        r"(?: (?:the|that|this|it|these|those|1|one|ones|question|questions|on|over|to|for now|"
        r"for the moment|now|later|please|thanks|thank you|then|next|,|\.|!|\?))*\Z")),
    (Intent.STOP, re.compile(
        r"\b(?:stop|quit|exit|bye|goodbye|good bye|im done|i am done|thats enough|"
        r"enough (?:questions|for (?:today|now))|(?:have|got|need) to (?:go|run|leave|dash)|"
        r"end (?:this|the interview|it here)|finish(?:ed)? (?:here|now|up)|no more questions|"
        r"cancel|hang up|i give up|lets (?:stop|leave it|call it)|abort)\b")),
)  # fmt: skip
_LONGEST_CONTROL: Final = 14

_COMMAND: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|overrule|discard) "
    r"(?:\w+ ){0,4}(?:instructions?|rules?|prompts?|previous|limits?|guidelines|directions|"
    r"constraints|questions?|safety|above|everything|checks?)\b|"
    r"\b(?:system|developer|assistant|hidden|initial|original) (?:prompt|message|instructions?|"
    r"override|role)\b|\b(?:developer|admin|debug|god) mode\b|"
    r"(?<!\bi )(?<!\bwe )(?<!ly )(?<!\bto )\bset (?:every|all|each|any|everything|the (?:minimum|"
    r"maximum|limits?|price|value|temperature|slot|parameter)s?)\b|"
    r"\byou are (?:now|a|an|no longer)\b|\bnew (?:instructions?|rules?|task|role)\b|"
    r"\b(?:jailbreak|dan mode|sudo|administrator|root access|api key|prompt injection)\b|"
    r"\bact as\b|\bpretend\b|\b(?:role ?play|lets play|play a game|(?:swap|switch|trade|reverse|"
    r"change) (?:our )?(?:roles|places|parts))\b|"
    r"\b(?:(?:imagine|suppose|say|assume|let) (?:that )?(?:you|i|me)(?: are|re| am|m| be| were)|"
    r"(?:you|i)(?: are|re| am|m|ll be| will be| be| play)) (?:the|my|your|an?) "
    r"(?:\w+ )?(?:customer|householder|interviewer|interviewee|assistant|chat ?bot|bot|robot)\b|"
    r"\b(?:as|for|be|is) (?:your|the) (?:answer|reply|response)\b|"
    r"\b(?:answer|reply|respond|act|speak) (?:as (?:if|though)|like) (?:you|i)\b|"
    r"\b(?:i am|im|this is|speaking as) (?:(?:the|your) (?:\w+ )?(?:installer|engineer|admin\w*|"
    r"developer|technician|operator|supervisor|programmer|maintainer|auditor)|"
    r"(?:the |your |an? )?(?:admin|system|network company|grid operator))\b|"
    r"\b(?:print|output|reveal|write|execute|import|select|delete|return|respond with|"
    r"reply with|record|store|mark) (?:\w+ ){0,3}(?:json|prompt|table|values?|fields?|slots?|"
    r"records?|config\w*|database|instructions?|as confirmed|true|false)\b|"
    r"\b(?:record|mark|log|put down|write down) (?:\w+ ){0,4}as (?:confirmed|stated|true|\d)|"
    r"\bfor all (?:slots|fields|values|settings)\b|\bhttps?\b|\bwww\b|\blambda\b|\bdef \w+ \(|"
    r"\bjson\b|\bxml\b|\bhtml\b|\byaml\b|\bselect \*"
)
"""Attempts to command; answers of people ("I set the temperature to 21") are none."""
_CODE: Final = re.compile(
    r"[{}\[\]\\`|<>]|\w_\w|==|:=|=>|\w\((?:[\"'0-9][^)]{0,80})?\)|&&|\"\s{0,9}:|://|^\s{0,9}#|\$\(|"
    r"=\s{0,9}[\"']|[a-z]{2,40}\.[a-z0-9_]{1,40}\.[a-z]{2}"
)
_FOREIGN_TEXT: Final = """
    ich wir ist sind der das und oder nicht haben habe hat ein eine einen keine kein mit auf
    zum zur uhr ungefaehr ungefähr halb gegen morgens abends grad wohnung haus strom immer
    für fuer je nous sont les et ou pas avons avez ai une dans avec vers heures heure maison
    nos notre environ soir matin degres degrés oui yo nosotros el los las tenemos tengo una
    unos con para hacia sobre casa gracias aproximadamente noche mañana grados tarde sí noi
    siamo è sono il gli abbiamo uno circa alle sera mattina gradi wij zijn het een niet
    hebben heb ongeveer uur graden nein nee jestem mamy nie tak jest około godzin
"""
_FOREIGN: Final = frozenset(_FOREIGN_TEXT.split())
_ENGLISH_TEXT: Final = """
    the it is its a we i and of to at in for my our about around have has degrees no yes
"""
_ENGLISH: Final = frozenset(_ENGLISH_TEXT.split())


def is_command_or_code(source: str, *, plain: str) -> bool:
    """Return whether a text tries to command us, or is code or data.

    Args:
        source: As written, cut to what is read.
        plain: The same in plain form.
    """
    return _CODE.search(source) is not None or _COMMAND.search(plain) is not None


def is_foreign(plain: str) -> bool:
    """Return whether a text is in another language than English."""
    words = re.findall(r"[^\W\d_]+", plain)
    foreign = sum(word in _FOREIGN for word in words)
    letters = [c for c in plain if c.isalpha()]
    other_script = sum(ord(c) > 0x24F for c in letters)
    return (foreign >= 2 and foreign > sum(word in _ENGLISH for word in words)) or (
        other_script * 4 > len(letters) > 0
    )


def is_unknown(plain: str) -> bool:
    """Return whether somebody says that they do not know or leave it to us."""
    return UNKNOWN.search(plain) is not None or _WEAK_UNKNOWN.search(plain) is not None


def knows_roughly(plain: str) -> bool:
    """Return whether "I don't know" comes with a guess: "not exactly, about 7"."""
    strong = UNKNOWN.search(plain)
    if strong is None:
        return True
    if _NOT_EXACTLY.search(plain):
        return True
    return GUESS.search(plain, strong.end()) is not None


def is_refusal(plain: str) -> bool:
    """Return whether somebody does not want to answer."""
    return REFUSAL.search(plain) is not None


def control(plain: str) -> Intent | None:
    """Return what a short reply asks for instead of answering, or None."""
    if plain.count(" ") >= _LONGEST_CONTROL:
        return None
    if plain.strip(" ?.!,") in {"what", "eh", "huh", "sorry", "hm", "hmm", "hello", "pardon"}:
        return Intent.REPEAT
    return next((intent for intent, pattern in _CONTROL if pattern.search(plain)), None)
