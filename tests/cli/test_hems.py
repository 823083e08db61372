"""`gradmap hems interview` and `schedule`, as a householder calls them."""

import io
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest
import yaml

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import run
from federates.hems.parameters import Provenance, read
from tests.hems.chat.chat_server import Answer, chat_server
from tests.hems.interview.householder import ANSWERS, TRUTH, plain


@pytest.fixture(scope="module")
def answers():
    """What a householder types, question by question."""
    said = []

    def answer(message):
        said.append(plain(message))
        return said[-1]

    run(RulesInterviewer(), answer)
    return said


@pytest.fixture
def answers_file(answers, tmp_path):
    path = tmp_path / "answers.txt"
    path.write_text("\n".join(answers) + "\n")
    return path


def test_from_answers_to_a_schedule(gradmap, answers_file, tmp_path):
    pytest.importorskip("highspy", reason="highspy is an extra")
    home, talk = tmp_path / "home.yaml", tmp_path / "talk.md"
    ended = gradmap(
        "hems", "interview", "--answers", answers_file, "--out", home, "--transcript", talk
    )
    assert ended.code == 0
    assert ended.out == ""
    assert "Let me read back" in ended.err
    assert "How many people" in talk.read_text()
    values = read(home).values
    assert {key: values[key] for key in TRUTH} == TRUTH
    assert read(home).parameters.currency == "GBP"

    shown = gradmap("hems", "schedule", home, "--season", "winter", "--out", tmp_path / "day.svg")
    assert shown.code == 0
    for word in ("ev_1", "heating", "dishwasher", "no control", "rule-based", "bill, GBP"):
        assert word in shown.out
    ET.parse(tmp_path / "day.svg")

    plain_json = gradmap("hems", "schedule", home, "--date", "2025-07-19", "--json")
    day = json.loads(plain_json.out)
    assert day["day"] == "Sat 19 Jul 2025"
    assert day["source"] == "optimised"
    assert any("stored for the next day" in text for text in day["comparison"])
    costs = {
        name: one["bill"] + one["device_cost"] + one["terminal_cost"] + one["deferred_cost"]
        for name, one in day["ways"].items()
    }
    assert costs["plan"] <= costs["no_control"]
    p_kw = day["ways"]["plan"]["p_kw"]
    net_kw = [sum(step) for step in zip(*p_kw.values(), day["base_load_kw"], strict=True)]
    assert net_kw == pytest.approx(day["ways"]["plan"]["net_kw"], abs=1e-4)
    assert max(p_kw["ev_1"]) <= 7.4


def test_stopped_saved_and_resumed_gives_the_same_home(gradmap, answers, answers_file, tmp_path):
    session, parts = tmp_path / "session.json", (tmp_path / "a.yaml", tmp_path / "b.yaml")
    parts[0].write_text(yaml.safe_dump([*answers[:7], "stop"]))
    parts[1].write_text(yaml.safe_dump(answers[7:]))
    stopped = gradmap("hems", "interview", "--answers", parts[0], "--save", session)
    assert stopped.code == 3
    assert "household:" in stopped.out  # what is known so far
    resumed = gradmap(
        "hems",
        "interview",
        "--answers",
        parts[1],
        "--save",
        session,
        "--out",
        tmp_path / "two.yaml",
    )
    assert resumed.code == 0
    assert "Going on after 8 answers" in resumed.err
    gradmap("hems", "interview", "--answers", answers_file, "--out", tmp_path / "one.yaml")
    one, two = read(tmp_path / "one.yaml"), read(tmp_path / "two.yaml")
    assert one.values == two.values


def test_answers_by_slot_do_not_shift_when_a_question_is_asked_again(gradmap, tmp_path):
    file, home = tmp_path / "a.yaml", tmp_path / "home.yaml"
    again = {"household.occupants": ["blue whales", "four"], "evs.1.arrival": "half six"}
    file.write_text(yaml.safe_dump({**ANSWERS, **again}))
    ended = gradmap("hems", "interview", "--answers", file, "--out", home)
    assert ended.code == 0
    values = read(home).values
    assert {key: values[key] for key in TRUTH if key != "evs.1.arrival"} == {
        key: value for key, value in TRUTH.items() if key != "evs.1.arrival"
    }
    assert values["evs.1.arrival"] == "18:30"


@pytest.mark.parametrize(
    ("text", "message"),
    [("nonsense.slot: 4", "nonsense.slot"), ("household.occupants: {a: 4}", "expected text")],
)
def test_answers_by_slot_are_checked_before_anything_is_asked(gradmap, tmp_path, text, message):
    file = tmp_path / "a.yaml"
    file.write_text(text)
    ended = gradmap("hems", "interview", "--answers", file)
    assert ended.code == 2
    assert message in ended.err
    assert "How many people" not in ended.err


def test_answers_from_a_pipe(gradmap, answers, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers[:5])))
    ended = gradmap("hems", "interview")
    assert ended.code == 3
    home = yaml.safe_load(ended.out)
    assert home["parameters"]["household"]["occupants"] == 4
    assert "answers ended after 5" in ended.err


class _Typed(io.StringIO):
    """A terminal on which these lines are typed, and Ctrl-C after the last."""

    def isatty(self):
        return True

    def readline(self, *args):
        line = super().readline(*args)
        if not line:
            raise KeyboardInterrupt
        return line


def test_at_a_terminal_progress_shows_and_an_interrupt_keeps_what_was_said(
    gradmap, monkeypatch, tmp_path
):
    session, home = tmp_path / "session.json", tmp_path / "home.yaml"
    monkeypatch.setattr("sys.stdin", _Typed("four\ndetached\n"))
    ended = gradmap("hems", "interview", "--save", session, "--out", home)
    assert ended.code == 130
    assert "2 things noted" in ended.err
    assert read(home).values["household.house_type"] == "detached"
    monkeypatch.setattr("sys.stdin", io.StringIO("1985\n"))
    gradmap("hems", "interview", "--save", session, "--out", home)
    later = read(tmp_path / "home.partial.yaml")
    assert later.values["household.built_year"] == 1985
    assert later.values["household.occupants"] == 4


def test_an_unfinished_interview_leaves_a_home_file_alone(
    gradmap, answers_file, monkeypatch, tmp_path
):
    home = tmp_path / "home.yaml"
    done = gradmap("hems", "interview", "--answers", answers_file, "--out", home)
    assert "Next: gradmap hems schedule" in done.err
    before = home.read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ended = gradmap("hems", "interview", "--out", home)
    assert ended.code == 3
    assert home.read_text() == before
    assert "home.yaml stays as it was" in ended.err
    assert "Next:" not in ended.err
    assert read(tmp_path / "home.partial.yaml").values["household.devices"] == ()
    again = gradmap("hems", "interview", "--answers", answers_file, "--out", home)
    assert again.code == 0
    assert home.read_text() == before


def test_a_wrong_time_zone_saved_long_ago_is_put_right_on_the_command_line(gradmap, tmp_path):
    session, file = tmp_path / "session.json", tmp_path / "a.txt"
    file.write_text("four\n")
    gradmap("hems", "interview", "--answers", file, "--save", session)
    session.write_text(session.read_text().replace("Europe/London", "Europe/Londn"))
    kept = session.read_text()
    refused = gradmap("hems", "interview", "--answers", file, "--save", session)
    assert refused.code == 2
    assert "give --timezone" in refused.err
    assert session.read_text() == kept
    file.write_text("detached\n")
    arguments = ("--answers", file, "--save", session, "--timezone", "Europe/Paris")
    ended = gradmap("hems", "interview", *arguments)
    assert ended.code == 3
    home = yaml.safe_load(ended.out)["parameters"]
    assert home["timezone"] == "Europe/Paris"
    assert (home["household"]["occupants"], home["household"]["house_type"]) == (4, "detached")


def test_undo_help_and_words_that_look_like_markup(gradmap, tmp_path):
    said = ["7", "undo", "four", "help", "[red]detached[/red] house [/]"]
    file, home = tmp_path / "a.json", tmp_path / "home.yaml"
    file.write_text(json.dumps(said))
    ended = gradmap("hems", "interview", "--answers", file, "--out", home)
    assert ended.code == 3
    found = read(home)
    assert found.values["household.occupants"] == 4
    assert found.sources["household.occupants"].provenance is Provenance.STATED
    assert "[red]detached" in ended.err


def test_currency_and_locale_reach_the_home(gradmap, tmp_path):
    file, home = tmp_path / "a.txt", tmp_path / "home.yaml"
    file.write_text("two\n")
    gradmap("hems", "interview", "--answers", file, "--out", home, "--locale", "en-IE")
    assert read(home).parameters.currency == "EUR"
    assert read(home).parameters.timezone == "Europe/Dublin"
    zone = ("--timezone", "Asia/Tokyo")
    shown = gradmap("hems", "interview", "--answers", file, "--locale", "en-US", *zone)
    assert yaml.safe_load(shown.out)["parameters"]["timezone"] == "Asia/Tokyo"


def test_ages_count_from_the_present_year(gradmap, tmp_path):
    file, session = tmp_path / "a.txt", tmp_path / "session.json"
    file.write_text("two\n")
    before = datetime.now(UTC).year
    gradmap("hems", "interview", "--answers", file, "--save", session)
    year = json.loads(session.read_text())["settings"]["year"]
    assert before <= year <= datetime.now(UTC).year


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("interview", "--answers", "missing.txt"), "cannot be read"),
        (("interview", "--currency", "pounds"), "--currency"),
        (("interview", "--timezone", "Europe/Londn"), "'Europe/Londn' is not an IANA time zone"),
        (("interview", "--url", "http://localhost:1/v1"), "needs --model"),
        (("interview", "--url", "localhost", "--model", "m"), "--url"),
        (("interview", "--out", "nowhere/home.yaml"), "folder does not exist"),
        (("schedule", "missing.yaml"), "missing.yaml"),
        (("schedule", "x.yaml", "--season", "winter", "--date", "2025-01-01"), "not both"),
        (("schedule", "x.yaml", "--out", "x.png"), ".svg"),
        (("evaluate", "--arms", "magic"), "magic"),
        (("evaluate", "--by", "mood"), "mood"),
        (("evaluate", "--users", "llm"), "server"),
    ],
)
def test_wrong_input_is_told_and_nothing_starts(gradmap, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    ended = gradmap("hems", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_a_spoilt_session_is_refused(gradmap, tmp_path):
    session = tmp_path / "session.json"
    session.write_text("{}")
    ended = gradmap("hems", "interview", "--save", session)
    assert ended.code == 2
    assert "session.json" in ended.err
    assert session.read_text() == "{}"


def test_a_model_conducts_the_interview_and_rules_take_over(gradmap, tmp_path):
    pytest.importorskip("openai")
    file, home = tmp_path / "a.txt", tmp_path / "home.yaml"
    file.write_text("four\ndetached\n1985\n140 square metres\n")
    with chat_server(Answer(status=404, body=b"no such model")) as fake:
        ended = gradmap(
            "hems", "interview", "--answers", file, "--out", home, "--url", fake.url, "--model", "m"
        )
        assert fake.requests
    assert ended.code == 3
    assert "Rules took over" in ended.err
    assert ended.err.count("Understood by rules, as the language model failed") == 3
    assert read(home).values["household.floor_area_m2"] == 140.0


def test_without_its_server_the_interview_begins_by_rules_and_says_so(gradmap, tmp_path):
    pytest.importorskip("openai")
    file, home = tmp_path / "a.txt", tmp_path / "home.yaml"
    file.write_text("four\n")
    with chat_server(Answer(status=404)) as gone:
        url = gone.url
    arguments = ("--answers", file, "--out", home, "--url", url, "--model", "m")
    ended = gradmap("hems", "interview", *arguments)
    assert f"No server at {url}; rules will understand" in ended.err
    assert ended.err.index("No server") < ended.err.index("How many people")
    assert read(home).values["household.occupants"] == 4


def test_help_is_quick_and_names_the_parts(gradmap):
    ended = gradmap("hems", "--help")
    assert ended.code == 0
    for word in ("interview", "schedule", "evaluate"):
        assert word in ended.out
    assert "hems" in gradmap("--help").out
