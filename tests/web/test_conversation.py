"""One conversation for all tabs, over real connections: order, saving, what is shown and kept."""

import sys
import threading

import pytest

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import outcome, run
from federates.hems.interview.state import resumed
from federates.hems.parameters import from_yaml
from gradmap.errors import ScenarioError
from scenarios.web.server import Places
from tests.hems.interview.householder import TRUTH, plain
from tests.web.serving import served

HOSTILE = '<img src=x onerror="alert(1)"> four </script><script>alert(2)</script>'


class Slow(RulesInterviewer):
    """Takes its time over an answer, as a language model does."""

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()

    @property
    def name(self):
        return "slow"

    def next_action(self, view):
        self.asked.set()
        assert self.go.wait(60)
        return super().next_action(view)


class Broken(RulesInterviewer):
    """Fails, with the householder's words in its message."""

    @property
    def name(self):
        return "broken"

    def next_action(self, view):
        raise KeyError(view.state.exchanges[-1].text)


def test_an_answer_to_an_earlier_question_is_refused(page):
    assert page.answer("four", turn=0).status == 200
    again = page.answer("four", turn=0)
    assert again.status == 409
    assert "not taken" in again.json["refused"]
    assert again.json["turn"] == 1
    assert page.answer("detached", turn=2).status == 409
    assert page.state.turn == 1
    assert page.ask("POST", "close", data={"turn": 0}).status == 409
    assert page.thread.is_alive()


def test_of_many_clicks_at_once_one_counts(page):
    found = []
    clicks = [
        threading.Thread(target=lambda: found.append(page.answer("skip", turn=0).status))
        for _ in range(8)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(found) == [200, *[409] * 7]
    assert page.state.turn == 1


def test_while_a_slow_model_reads_the_page_can_be_read_and_nothing_else_is_taken():
    slow = Slow()
    with served(interviewer=slow) as page:
        first = threading.Thread(target=page.answer, args=("four",), kwargs={"turn": 0})
        first.start()
        assert slow.asked.wait(60)
        seen = page.ask("GET", "state").json
        assert seen["busy"]
        assert page.ask("GET", f"state?seen={seen['version']}").status == 204
        refused = page.answer("five", turn=0)
        assert refused.status == 409
        assert "still being read" in refused.json["refused"]
        slow.go.set()
        first.join()
        now = page.ask("GET", f"state?seen={seen['version']}").json
        assert not now["busy"]
        assert [one["said"] for one in now["exchanges"]] == ["four"]


def test_an_answer_that_is_read_when_the_program_ends_is_dropped():
    slow = Slow()
    with served(interviewer=slow) as page:
        thread = threading.Thread(target=page.answer, args=("four",), kwargs={"turn": 0})
        thread.start()
        assert slow.asked.wait(60)
        assert page.conversation.close().turn == 0
        slow.go.set()
        thread.join()
        assert page.state.turn == 0
        assert page.kept == []


def test_a_whole_conversation_gives_the_home_of_the_terminal(page):
    turns = 0
    while not page.state.finished:
        said = "undo" if turns == 3 else plain(page.state.message)
        got = page.answer(said).json
        turns += 1
        assert got["turn"] == turns
        assert got["exchanges"][-1]["said"] == said
    assert got["finished"] == "done"
    assert got["exchanges"][2]["undone"]
    assert got["choices"] == []
    assert len(page.kept) == turns  # written after every answer
    assert outcome(page.state).values == outcome(run(RulesInterviewer(), plain)).values
    home = from_yaml(page.ask("GET", "home.yaml").body.decode())
    assert {key: home.values[key] for key in TRUTH} == TRUTH
    rows = {row["key"]: row for part in got["sections"] for row in part["rows"]}
    assert set(rows) == set(home.values)
    assert rows["tariff.peak_price_per_kwh"] == {
        "key": "tariff.peak_price_per_kwh", "name": "peak price", "value": "0.38 GBP per kWh",
        "provenance": "confirmed", "words": "38 pence", "declined": "", "unclear": False,
        "minor": False,
    }  # fmt: skip
    assert rows["evs.1.capacity_kwh"]["provenance"] == "inferred"
    assert rows["household.import_limit_kw"]["provenance"] == "default"
    assert page.answer("one more").status == 409


def test_parameters_fill_in_with_the_words_that_were_said(page):
    def row(state, key):
        return next(row for part in state["sections"] for row in part["rows"] if row["key"] == key)

    key = "household.occupants"
    first = page.ask("GET", "state").json
    assert row(first, key)["provenance"] == "default"
    assert first["progress"]["done"] == 0
    said = page.answer(HOSTILE).json
    assert said["exchanges"][0]["said"] == HOSTILE  # as it was; showing it as text is the page's
    four = page.answer("there are four of us").json
    assert row(four, key)["provenance"] == "stated"
    assert row(four, key)["value"] == "4"
    assert "four" in row(four, key)["words"]
    assert four["progress"]["done"] == 1
    skipped = page.answer("skip").json
    assert row(skipped, "household.house_type")["declined"] == "you skipped it"


def test_a_menu_and_a_read_back_can_be_clicked(page):
    for text in ("purple elephants", "purple elephants"):
        state = page.answer(text).json
    menu = state["choices"]
    assert [one["words"] for one in menu[:3]] == ["1", "2", "3"]
    state = page.answer(menu[3]["say"]).json
    assert page.state.progress.values["household.occupants"] == 4
    while page.state.message.kind != "confirm":
        state = page.answer(plain(page.state.message)).json
    assert [one["say"] for one in state["choices"]] == ["yes"]


def test_a_saved_conversation_goes_on_from_its_file(page):
    page.answer("four")
    page.answer("detached")
    state = resumed(page.ask("GET", "session.json").body.decode())
    with served(state=state) as later:
        seen = later.ask("GET", "state").json
        assert [one["said"] for one in seen["exchanges"]] == ["four", "detached"]
        assert later.answer("1985").json["turn"] == 3
        assert later.state.progress.values["household.built_year"] == 1985


def test_stopped_and_opened_again(page):
    page.answer("four")
    stopped = page.answer("stop").json
    assert stopped["finished"] == "stopped"
    assert page.ask("POST", "go-on", data={"turn": 2}).json["finished"] == ""
    assert page.ask("POST", "go-on", data={"turn": 2}).status == 409
    assert page.answer("detached").status == 200
    assert page.state.progress.values["household.house_type"] == "detached"


def test_a_full_disk_shows_in_the_page_until_it_is_written_again():
    full = threading.Event()

    def keep(_state):
        if full.is_set():
            raise ScenarioError("s.json cannot be written: no space left")

    with served(keep=keep, places=Places(save="s.json")) as page:
        assert page.answer("four").json["trouble"] == ""
        full.set()
        got = page.answer("detached")
        assert got.status == 200
        assert "no space left" in got.json["trouble"]
        assert got.json["places"]["save"] == "s.json"
        full.clear()
        assert page.ask("POST", "save", data={"turn": 2}).json["trouble"] == ""


def test_a_fault_is_told_without_what_was_said(capfd):
    with served(interviewer=Broken()) as page:
        got = page.answer("my secret is 4711")
        assert got.status == 500
        assert b"4711" not in got.body
        (told,) = page.told
        assert "KeyError in Broken.next_action" in told
        assert "4711" not in told
        assert page.state.turn == 0
        assert not page.ask("GET", "state").json["busy"]
    assert "".join(capfd.readouterr()) == ""


def test_nothing_is_logged(page, capfd):
    page.answer("my secret is 4711")
    page.ask("GET", "", raw_path="/wrong/secret")
    page.answer("again", turn=7)
    assert "".join(capfd.readouterr()) == ""
    assert page.told == []


def test_the_day_has_a_figure_and_a_bill(page):
    pytest.importorskip("highspy", reason="highspy is an extra")
    day = page.ask("GET", "day?season=summer").json
    assert day["sentence"] == ""
    assert day["title"] == "Wed 16 Jul 2025"
    assert day["svg"].startswith("<svg")
    assert "<script" not in day["svg"]
    assert day["costs"][0][0] == "bill, GBP"
    assert len(day["costs"][0]) == 1 + len(day["ways"])
    assert day["devices"][-1][0] == "everything else"


def test_without_the_optimiser_a_sentence_names_the_extra(page, monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    day = page.ask("GET", "day?season=winter").json
    assert "highspy is not installed" in day["sentence"]
    assert "gradmap[optimum]" in day["sentence"]
    assert set(day) == {"season", "sentence"}
