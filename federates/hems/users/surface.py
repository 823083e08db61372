"""How text gets to us: misspelt when typed, without punctuation when spoken."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

_MISSPELT: Final = {
    "usually": "usualy",
    "definitely": "definately",
    "about": "abuot",
    "think": "thnik",
    "roughly": "ruoghly",
    "because": "becuase",
    "really": "realy",
    "electricity": "electrcity",
    "electric": "electirc",
    "battery": "batery",
    "heating": "heatting",
    "the": "teh",
    "morning": "mornign",
    "evening": "evenning",
    "weekend": "weeknd",
    "people": "poeple",
    "would": "woud",
    "don't": "dont",
    "it's": "its",
    "we're": "were",
    "we've": "weve",
    "radiators": "raditors",
    "according": "acording",
    "normal": "nromal",
    "temperature": "temprature",
    "house": "hosue",
    "dryer": "drier",
    "dishwasher": "dishwaser",
    "half": "halve",
    "kilowatts": "killowatts",
    "degrees": "degress",
}
"""Slips seen in chats; none changes a number."""
_MISHEARD: Final = {
    "peak": "peek",
    "week": "weak",
    "our": "are",
    "there": "their",
    "you're": "your",
    "solar": "soler",
    "export": "expert",
    "tumble": "tumbled",
}
_SPOKEN_UNITS: Final = (
    (r"(?<=\d) ?kWh\b", " kilowatt hours"),
    (r"(?<=\d) ?kWp?\b", " kilowatts"),
    (r" ?°C\b", " degrees"),
    (r"(?<=\d) ?%", " percent"),
    (r"(?<=\d) ?km\b", " kilometres"),
)
_FILLERS: Final = ("um", "uh", "er", "you know", "like", "erm")
_SENTENCE_MARKS: Final = re.compile(r"(?<!\d)[,.!?;:\"()\u2013]|[,.!?;:\"()](?!\d)")


def typed(text: str, *, rng: np.random.Generator) -> str:
    """Return text as somebody types it on a phone: a slip, lower case, no full stop."""
    words = text.split(" ")
    places = [place for place, word in enumerate(words) if word.lower() in _MISSPELT]
    if places:
        place = places[int(rng.integers(len(places)))]
        words[place] = _MISSPELT[words[place].lower()]
    text = " ".join(words)
    if rng.random() < 0.4:
        text = text.removesuffix(".")
    return text[:1].lower() + text[1:] if rng.random() < 0.3 else text


def spoken(text: str, *, rng: np.random.Generator) -> str:
    """Return text as speech recognition writes it: lower case, no marks, fillers, homophones."""
    for pattern, words in _SPOKEN_UNITS:
        text = re.sub(pattern, words, text)
    heard = _SENTENCE_MARKS.sub(" ", text).lower().split()
    heard = [_MISHEARD.get(word, word) if rng.random() < 0.3 else word for word in heard]
    if heard and rng.random() < 0.7:
        # A filler inside a number ("seven um point four") would change what is said.
        heard.insert(0, _FILLERS[int(rng.integers(len(_FILLERS)))])
    return " ".join(heard) or text


def ended(text: str) -> str:
    """Return text that ends a sentence."""
    return text if text.rstrip().endswith((".", "!", "?")) else f"{text.rstrip()}."


def unended(text: str) -> str:
    """Return text without its full stop, to go on after it; "p.m." keeps its own."""
    return text if text.endswith(("m.", "..")) else text.removesuffix(".")
