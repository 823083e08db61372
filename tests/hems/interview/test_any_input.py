"""Whatever a householder types and whatever a model writes: no crash, no hang, nothing unsaid."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from federates.hems.chat.scripted import ScriptedModel
from federates.hems.interview.actions import NAMES
from federates.hems.interview.chat_interviewer import ChatInterviewer
from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import outcome, step, tidy
from federates.hems.interview.state import resumed, saved
from federates.hems.parameters.slots import SLOTS, Who
from federates.hems.parameters.sources import Provenance
from federates.hems.parameters.stored import checked
from tests.hems.interview.householder import ANSWERS, started

KEYS = st.sampled_from([item.key for item in SLOTS])
ASKED = st.sampled_from([item.key for item in SLOTS if item.who is not Who.DERIVED])
WORDS = st.sampled_from(
    [*ANSWERS.values(), "undo", "skip", "help", "stop", "2", "half six", "no, 9", "18", "..."]
)
TEXTS = st.one_of(st.text(max_size=300), WORDS, st.lists(WORDS, max_size=4).map(" and ".join))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["start", "end", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
ACTIONS = st.fixed_dictionaries(
    {"action": st.sampled_from(NAMES)},
    optional={
        "key": KEYS,
        "value": VALUES,
        "unit": st.sampled_from(["", "kW", "W", "%", "miles", "pence", "\x00"]),
        "words": st.one_of(WORDS, st.text(max_size=20)),
        "keys": st.lists(KEYS, max_size=3),
        "text": st.text(max_size=30),
        "reason": st.sampled_from(["unknown", "refused", "absent"]),
        "topic": st.sampled_from(["ev_model", "building"]),
        "options": st.lists(VALUES, max_size=3),
    },
).map(json.dumps)
BYTES = st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


def nothing_unsaid(state):
    """Every recorded value is in stored form and has words that were said."""
    said = " ".join(tidy(exchange.text) for exchange in state.exchanges)
    for key, record in state.progress.records.items():
        assert checked(key, record.value) == record.value
        assert record.provenance in (Provenance.STATED, Provenance.CONFIRMED)
        assert record.words == "known before the interview" or record.words in said


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.booleans())
def test_any_answers(texts, form):
    state = started(form=form, known={"household.devices": ["ev", "battery", "pv"]})
    for text in texts:
        if state.finished:
            break
        state, message = step(state, text, interviewer=RulesInterviewer())
        assert message.text.strip()
        nothing_unsaid(state)
    assert resumed(saved(state)) == state
    outcome(state)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.lists(st.one_of(ACTIONS, BYTES, st.text(max_size=80)), max_size=8), ASKED)
def test_any_model(text, answers, asked):
    known = {"household.devices": ["ev", "battery", "pv", "dryer"], "tariff.kind": "time_of_use"}
    interviewer = ChatInterviewer(ScriptedModel(answers))
    state = started(known=known, ask=(asked,), interviewer=interviewer)
    state, message = step(state, text, interviewer=interviewer)
    assert message.text.strip()
    nothing_unsaid(state)
    assert resumed(saved(state)) == state
    outcome(state)
