import pytest

from federates.hems.parameters.slots import slot
from federates.hems.users.dialogue import Question
from federates.hems.users.llm_user import STOP, LlmUser, householder_prompt
from federates.hems.users.persona import draw_persona
from gradmap.errors import ScenarioError


def test_the_prompt_tells_what_is_known_and_hides_the_rest():
    for index in range(40):
        persona = draw_persona(2, index)
        prompt = householder_prompt(persona)
        for key in persona.truth:
            told = f"{slot(key).question} -> "
            assert (told in prompt) == persona.knows(key)
            assert key not in prompt
        assert STOP in prompt
        assert "{" not in prompt


def test_the_model_sees_the_conversation_and_can_stop():
    seen = []

    def complete(messages):
        seen.append([message["role"] for message in messages])
        return "Three of us." if len(seen) == 1 else f"Bye then. {STOP}"

    user = LlmUser(draw_persona(2, 0), complete)
    assert user.answer(Question("ask", (), text="How many are you?")) == "Three of us."
    assert not user.stopped
    assert user.answer(Question("ask", (), text="Thank you, goodbye.")) == "Bye then."
    assert user.stopped
    assert user.answer(Question("ask", (), text="Still there?")) == ""
    assert seen == [["system", "user"], ["system", "user", "assistant", "user"]]


def test_a_question_without_words_is_refused():
    user = LlmUser(draw_persona(2, 0), lambda messages: "hm")
    with pytest.raises(ScenarioError, match=r"pv\.peak_kw has no text"):
        user.answer(Question("ask", ("pv.peak_kw",)))
