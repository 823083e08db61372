"""`gradmap hems evaluate` with a handful of dialogues."""

import json
import xml.etree.ElementTree as ET

import pytest

from tests.hems.chat.chat_server import Answer, chat_server, said

SMALL = ("--templates", "development", "--dialogues", "3", "--seed", "3", "--regret", "0")


def only_result(folder):
    return json.loads(next((folder / "hems_interviews").glob("*.json")).read_text())


def test_an_arm_is_measured_once_and_others_are_shown_as_not_measured(gradmap, tmp_path):
    asked = ("hems", "evaluate", *SMALL, "--results", tmp_path, "--jobs", "1", "--by", "kind")
    ended = gradmap(*asked, "--out", tmp_path)
    assert ended.code == 0
    assert ended.out.count("not measured") == 5
    assert "published" in ended.out
    assert "88" in ended.out
    assert "injection" in ended.out
    figure = ET.parse(tmp_path / "accuracy.svg").getroot()
    assert "rules" in figure.attrib["aria-label"]

    kept = only_result(tmp_path)
    assert kept["seed"] == 3
    assert kept["versions"]["numpy"]
    assert kept["asked"]["arm"]["name"] == "rules"
    assert len(kept["dialogues"]["level"]) == 3
    assert kept["adversarial"]["all"]["cases"] > 100
    assert kept["regret"] == {}
    # Nothing a householder said is kept, only numbers, names of slots and of cases.
    assert "words" not in json.dumps(kept)

    again = json.loads(gradmap(*asked, "--json").out)["rules"]
    assert again == kept


def test_two_processes_and_regret_give_what_one_gives(gradmap, tmp_path):
    pytest.importorskip("highspy", reason="highspy is an extra")
    small = (*SMALL[:-1], "1")
    for jobs in ("1", "2"):
        folder = tmp_path / jobs
        ended = gradmap("hems", "evaluate", *small, "--results", folder, "--jobs", jobs)
        assert ended.code == 0
        assert "Regret" in ended.out
    one, two = only_result(tmp_path / "1"), only_result(tmp_path / "2")
    for name in ("key", "asked", "metrics", "tables", "dialogues", "adversarial", "regret"):
        assert one[name] == two[name]
    assert one["regret"]["homes"] == 1
    assert one["regret"]["true"]["peak_kw"]["value"] > 0


def test_a_language_model_arm_over_http(gradmap, tmp_path):
    pytest.importorskip("openai")
    asked = ("hems", "evaluate", "--arms", "llm", *SMALL, "--dialogues", "1", "--jobs", "1",
             "--results", tmp_path, "--interviewer-model", "m")  # fmt: skip
    with chat_server(said('{"action": "ask"}')) as fake:
        ended = gradmap(*asked, "--interviewer-url", fake.url)
        n_asked = len(fake.requests)
    assert ended.code == 0
    assert n_asked > 20
    kept = only_result(tmp_path)
    assert kept["asked"]["interviewer"]["model"] == "m"
    assert "127.0.0.1" not in json.dumps(kept)
    assert kept["metrics"]["accuracy_truth"]["value"] < 1
    assert kept["metrics"]["tokens_in"]["value"] > 0


def test_a_server_that_is_not_there_is_told_in_a_line(gradmap, tmp_path):
    pytest.importorskip("openai")
    with chat_server(Answer(status=404, body=b"no such model")) as fake:
        ended = gradmap(
            "hems", "evaluate", "--arms", "llm", *SMALL, "--jobs", "1", "--results", tmp_path,
            "--interviewer-url", fake.url, "--interviewer-model", "m",
        )  # fmt: skip
    assert ended.code == 1
    assert "404" in ended.err
    assert "Traceback" not in ended.err
    assert not list((tmp_path / "hems_interviews").glob("*.json"))


def test_no_arm_at_all_measured(gradmap, tmp_path):
    ended = gradmap("hems", "evaluate", "--arms", "llm", *SMALL, "--results", tmp_path)
    assert ended.code == 0
    assert ended.out.count("not measured") == 6
