"""Arms against simulated householders: the same again, and language models over HTTP."""

import json

import pytest

from federates.hems.chat.model import ChatError
from federates.hems.chat.settings import ServerSettings
from federates.hems.evaluation.arms import ARMS, arms_named
from federates.hems.evaluation.measuring import Plan, measured_dialogues
from gradmap.errors import ScenarioError
from tests.hems.chat.chat_server import Answer, chat_server, said

SMALL = {"n_dialogues": 2, "templates": "development"}


def server(url):
    return ServerSettings(base_url=url, model="m", retries=0, timeout_s=5)


def test_the_same_plan_gives_the_same_scores_in_any_order():
    plan = Plan(seed=3, **SMALL)
    first = measured_dialogues(ARMS["rules"], plan)
    again = measured_dialogues(ARMS["rules"], plan, numbers=(1, 0))
    assert first == again[::-1]
    assert [one.number for one in first] == [0, 1]
    other = measured_dialogues(ARMS["rules"], Plan(seed=4, **SMALL))
    assert other != first


def test_repeats_are_of_the_same_home_in_other_words():
    plan = Plan(seed=3, n_dialogues=1, repeats=2, templates="development")
    one, two = measured_dialogues(ARMS["rules"], plan)
    assert one.persona == two.persona
    assert (one.repeat, two.repeat) == (0, 1)


def test_a_model_that_records_is_scored_and_paid():
    pytest.importorskip("openai")

    def reply(request):
        asked = request["messages"][-1]["content"]
        action = {"thought": "t", "action": "ask"}
        if "household.occupants" in asked and "four" in asked:
            action = {"action": "record", "key": "household.occupants", "value": 4, "words": "four"}
        return said(json.dumps(action))

    with chat_server(reply=reply) as fake:
        plan = Plan(seed=3, interviewer_server=server(fake.url), **SMALL)
        found = measured_dialogues(ARMS["llm-react-few-shot"], plan, numbers=(0,))[0]
    assert found.tokens_in >= 11 * found.turns
    assert found.rules_turns == 0
    assert found.ended == "done"
    assert sum(one.truth_right is False for one in found.slots) > 5


def test_a_householder_played_by_a_model_is_judged_by_the_truth():
    pytest.importorskip("openai")
    texts = iter(["we are four people", "that is enough ###STOP###"])
    with chat_server(reply=lambda _: said(next(texts, "yes"))) as fake:
        plan = Plan(seed=3, users="llm", user_server=server(fake.url), n_dialogues=1)
        found = measured_dialogues(ARMS["rules"], plan)[0]
        first = fake.requests[0]
    assert not found.annotated
    assert found.ended == "stopped"
    assert all(one.said_right is None and not one.invented for one in found.slots)
    assert "response_format" not in first


def test_servers_that_fail_from_the_start_end_the_study():
    pytest.importorskip("openai")
    with chat_server(Answer(status=500, body=b"broken")) as fake:
        plan = Plan(seed=3, interviewer_server=server(fake.url), **SMALL)
        with pytest.raises(ChatError, match="500"):
            measured_dialogues(ARMS["llm"], plan)
        plan = Plan(seed=3, users="llm", user_server=server(fake.url), n_dialogues=1)
        with pytest.raises(ChatError, match="500"):
            measured_dialogues(ARMS["rules"], plan)


def test_wrong_plans_and_arms_are_refused():
    with pytest.raises(ScenarioError, match="address"):
        measured_dialogues(ARMS["llm"], Plan(**SMALL))
    with pytest.raises(ScenarioError, match="templates"):
        Plan(templates="latin")
    with pytest.raises(ScenarioError, match="server"):
        Plan(users="llm")
    with pytest.raises(ScenarioError, match="expected each once"):
        arms_named("rules,rules")
    with pytest.raises(ScenarioError, match="react"):
        arms_named("react")
    assert arms_named("all") == tuple(ARMS.values())
