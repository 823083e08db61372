"""A consent given is taken back whatever was asked; refusing to answer takes nothing back."""

from __future__ import annotations

import pytest

from federates.hems.parameters.slots import slot
from federates.hems.understanding.grounding import grounded
from federates.hems.understanding.result import Intent
from tests.hems.understanding.test_rules import KNOWN, said, values

DATA, JOIN = "flexibility.data_consent", "flexibility.participate"
AGREED = {**KNOWN, DATA: True, JOIN: True}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("three. On reflection, do not share my data with anybody", DATA),
        ("three, and please stop sharing our answers", DATA),
        ("three. I'd like to withdraw my consent to data sharing", DATA),
        ("keep my data to myself after all. Three people", DATA),
        ("three. And count us out of the events", JOIN),
        ("three people, but I no longer want to take part", JOIN),
    ],
)
def test_it_is_heard_beside_the_answer(text, key):
    got = said(text, "household.occupants", known=AGREED)

    assert (got.intent, got.corrects) == (Intent.CORRECTION, key)
    assert values(got) == {key: False, "household.occupants": 3}
    words = next(finding.words for finding in got.findings if finding.key == key)
    assert grounded(False, slot(key), words, text)


def test_alone_it_is_enough():
    got = said("don't share any of it, please", "household.occupants", known=AGREED)

    assert values(got) == {DATA: False}


@pytest.mark.parametrize("text", ["I'd rather not share that", "I don't share such things"])
def test_refusing_to_answer_takes_nothing_back(text):
    got = said(text, "household.occupants", known=AGREED)

    assert got.refused == ("household.occupants",)
    assert not got.findings


def test_what_was_never_agreed_to_is_not_taken_back():
    assert not said("three. Do not share my data", "evs.1.v2g", known=KNOWN).corrects
