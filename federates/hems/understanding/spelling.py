"""Repair of single slips of the keyboard in words that matter; never of number words."""

from __future__ import annotations

from functools import cache
from typing import Final

_VOCABULARY_TEXT: Final = """
    kilowatt kilowatts watts litres liters gallons degrees celsius fahrenheit percent
    percentage minutes minute hours pence pounds euros dollars cents miles kilometres
    kilometers metres square battery batteries powerwall solar panels heating heater heaters
    radiators underfloor electric electrical electricity washing machine washer tumble
    dishwasher generator immersion cylinder charger charging detached terraced terrace semi
    apartment maisonette bungalow cottage weekday weekdays weekend weekends morning mornings
    evening evenings afternoon night overnight midnight midday always never about around
    roughly approximately probably maybe perhaps usually between before after until
    victorian edwardian georgian south north storage comfort convenience carbon environment
    temperature tariff economy agile dynamic flat quarter everyone everything nothing nobody
    somebody people person adults children sorry actually meant correct right exactly
    definitely
"""
_VOCABULARY: Final = frozenset(_VOCABULARY_TEXT.split())
_ORDINARY_TEXT: Final = """
    house hours horse heater heather water later bought above abound sound wound mound shout
    person prison price night might fight sight light tight eight never clever lever flat
    flats after alter matter miles smiles mile files tiles piles cents scents rents tents
    watts waits wants right bright write south mouth youth north worth forth comfort watt
    panel panels degree people couple minute charge charged charges washed wash dollar euro
    pound pounded bounds rounds sounds hounds pence fence hence solar polar molar square
    squares squire heating beating seating eating hearing heaving machine machines around
    ground wound
"""
_ORDINARY: Final = frozenset(_ORDINARY_TEXT.split())
"""Correct words that are one slip away from one of the vocabulary, or close to it."""
_HALVES: Final = frozenset({"halve", "halv", "haf", "hlaf", "halff", "haalf", "hafl"})
_SHORT: Final = {
    "teh": "the", "hte": "the", "adn": "and", "nad": "and", "taht": "that", "wiht": "with",
    "jsut": "just", "agian": "again",
}  # fmt: skip
"""Swapped letters of short words that are no other words."""
_LEAST_LENGTH: Final = 5


def _shortened(word: str) -> set[str]:
    """Return the word and the word without each of its letters."""
    return {word, *(word[:n] + word[n + 1 :] for n in range(len(word)))}


@cache
def _index() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for word in _VOCABULARY:
        if len(word) >= _LEAST_LENGTH:
            for short in _shortened(word):
                found.setdefault(short, set()).add(word)
    return {short: frozenset(words) for short, words in found.items()}


def _one_slip(said: str, *, meant: str) -> bool:
    """Whether one letter was added, left out, replaced or swapped with its neighbour."""
    if abs(len(said) - len(meant)) > 1:
        return False
    if len(said) != len(meant):
        short, long = sorted((said, meant), key=len)
        return short in _shortened(long)
    differ = [n for n in range(len(said)) if said[n] != meant[n]]
    if len(differ) == 1:
        return True
    if len(differ) != 2 or differ[1] != differ[0] + 1:
        return False
    first, second = differ
    return said[first] == meant[second] and said[second] == meant[first]


def repaired(word: str) -> str:
    """Return the word of the vocabulary that was meant, or the word itself.

    Args:
        word: In lower case.
    """
    if word in _HALVES:
        return "half"
    if word in _SHORT:
        return _SHORT[word]
    if not _LEAST_LENGTH <= len(word) <= 20 or word in _VOCABULARY or word in _ORDINARY:
        return word
    index = _index()
    near = {meant for short in _shortened(word) for meant in index.get(short, ())}
    fitting = [meant for meant in near if _one_slip(word, meant=meant) and meant[0] == word[0]]
    return min(fitting) if len({meant.rstrip("s") for meant in fitting}) == 1 else word
