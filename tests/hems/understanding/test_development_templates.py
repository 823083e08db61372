"""The extractor understands grammar users that speak by its own templates."""

from __future__ import annotations

import pytest

from federates.hems.users.persona import draw_persona
from federates.hems.users.templates import TemplateSet
from tests.hems.understanding.development_score import DEVELOPMENT, Score, score_persona


@pytest.mark.parametrize(
    ("level", "least"), [("expert", 0.95), ("ordinary", 0.93), ("novice", 0.9)]
)
def test_most_answers_of_grammar_users_are_understood(level, least):
    score = Score()
    for index in range(8):
        persona = draw_persona(23, index, level=level)
        score_persona(score, persona, templates=TemplateSet.load(DEVELOPMENT))

    assert score.in_two / score.asked >= least
    assert score.wrong <= 0.02 * score.found
    assert score.declined_right == score.declined
