"""The page in a real browser: a conversation by keyboard, two tabs, a stop, and hostile words."""

import sys
import time

import pytest

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import outcome, run
from federates.hems.interview.state import Progress, recorded
from scenarios.web.server import Places
from tests.hems.interview.householder import plain, started
from tests.web.browser import CHROMIUM, browser
from tests.web.serving import served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome on the PATH"),
]
HOSTILE = '<img src=x onerror="document.title=1"> & <b>4</b></p><script>document.title=2</script>'
SAID = "[...document.querySelectorAll('.said p')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def page():
    with served(places=Places(save="session.json", out="home.yaml")) as running:
        yield running


@pytest.fixture
def tab(chromium, page):
    opened = chromium.tab()
    opened.size(1280, 800)
    opened.open(page.url)
    turns(opened, 0)
    return opened


def turns(tab, number):
    """Wait until the page shows so many answers, and takes another one."""
    tab.wait(
        f"document.querySelectorAll('.said').length === {number}"
        " && !document.querySelector('[data-say=skip]').disabled"
    )


def say(tab, text, *, turn):
    tab.type(text)
    tab.press("Enter")
    turns(tab, turn)


def at(tab, milliseconds):
    """Set the clock of the page."""
    tab.run(f"(performance.now = () => {milliseconds}, 1)")


def fits(tab, width, height, *, dark=False):
    """Nothing is wider than the window, and the box to write in is on the screen."""
    tab.size(width, height, dark=dark)
    wide, bottom = tab.run(
        "[document.documentElement.scrollWidth,"
        " document.getElementById('send').getBoundingClientRect().bottom]"
    )
    return wide <= width and 0 <= bottom <= height


def test_a_whole_conversation_by_keyboard_ends_with_a_day(page, tab):
    pytest.importorskip("highspy", reason="highspy is an extra")
    assert tab.run("document.activeElement.id") == "answer"
    turn = 0
    while not page.state.finished:
        tab.type(plain(page.state.message))
        tab.press("Enter")
        turn += 1
        tab.wait(f"document.querySelectorAll('.said').length === {turn}")
        tab.wait("document.getElementById('wait').textContent === ''")
    assert outcome(page.state).values == outcome(run(RulesInterviewer(), plain)).values
    assert tab.wait("document.getElementById('figure').naturalWidth") == 1080
    assert "GBP" in tab.run("document.getElementById('day-words').textContent")
    assert tab.run("document.getElementById('costs').rows[1].cells[0].textContent") == "bill, GBP"
    assert "dishwasher" in tab.run("document.getElementById('figure').alt")
    assert tab.run("document.activeElement.id") == "day-title"
    tab.run("season.value = 'summer', season.dispatchEvent(new Event('change')), 1")
    tab.wait("document.getElementById('day-words').textContent.includes('Jul')")
    for width in (1280, 380):
        tab.size(width, 800)
        assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.console == []
    tab.click("#close")
    tab.wait("document.getElementById('notice-words').textContent.includes('home.yaml')")
    page.thread.join(60)
    assert not page.thread.is_alive()


def test_hostile_words_are_shown_as_they_are(page, tab):
    say(tab, HOSTILE, turn=1)
    assert tab.run(SAID) == [HOSTILE]
    say(tab, "javascript:alert(1)//</textarea><svg onload=alert(2)>", turn=2)
    tab.call("Page.reload")
    turns(tab, 2)
    assert tab.run(SAID)[0] == HOSTILE
    assert tab.run("document.querySelectorAll('#log :is(img, b, svg, script)').length") == 0
    assert tab.run("document.title") == "Your home"
    assert tab.console == []


def test_hostile_words_in_a_value_and_its_source_are_shown_as_they_are(chromium):
    model = '<img src=x onerror="alert(1)">'
    values = {"household.devices": ("ev",), "evs.1.model": model}
    state = started().with_(progress=Progress(records=recorded(values, words=HOSTILE)))
    with served(state=state) as page:
        tab = chromium.tab()
        tab.open(page.url)
        turns(tab, 0)
        cell = "document.querySelector('[data-key=\"evs.1.model\"] {}').textContent"
        assert tab.run(cell.format(".value")) == model
        assert tab.run(cell.format("q")) == HOSTILE
        assert tab.run("document.querySelectorAll('#home :is(img, b, script)').length") == 0
        assert tab.console == []


def test_the_policy_stops_markup_even_if_the_script_made_a_mistake(page, tab):
    for attempt in (
        "document.body.innerHTML = '<i>x</i>'",
        "document.body.insertAdjacentHTML('beforeend', '<i>x</i>')",
        "new DOMParser().parseFromString('<i>x</i>', 'text/html')",
    ):
        tried = f"(() => {{ try {{ {attempt}; }} catch (fault) {{ return fault.name; }} }})()"
        assert tab.run(tried) == "TypeError"
    outside = "fetch('http://localhost:1/').then(() => 'sent', () => 'refused')"
    assert tab.run(outside) == "refused"
    assert any("Content Security Policy" in text for text in tab.console)


def test_parameters_fill_in_beside_the_conversation(page, tab):
    say(tab, "there are four of us", turn=1)
    say(tab, "skip", turn=2)
    cell = "[...document.querySelector('[data-key=\"{}\"]').cells].map((one) => one.textContent)"
    assert tab.run(cell.format("household.occupants")) == [
        "occupants", "4there are four of us", "stated",
    ]  # fmt: skip
    assert tab.run(cell.format("household.house_type"))[1:] == [
        "semi detachedyou skipped it", "default",
    ]  # fmt: skip
    assert tab.run("document.getElementById('far-words').textContent") == (
        "2 things noted, 16 open so far"
    )
    at(tab, 1e9)  # a click sooner than anyone reads is taken for half of a double click
    tab.click("[data-say=undo]")
    turns(tab, 3)
    assert tab.run("document.querySelectorAll('.said.undone').length") == 2
    assert "terraced" in tab.run("document.querySelector('.now').textContent")


def test_a_reload_and_a_second_tab_show_the_same_conversation(chromium, page, tab):
    say(tab, "four", turn=1)
    tab.call("Page.reload")
    turns(tab, 1)
    other = chromium.tab()
    other.open(page.url)
    turns(other, 1)
    tab.call("Page.bringToFront")
    say(tab, "detached", turn=2)
    other.run("(document.getElementById('answer').value = 'terraced', 1)")
    other.run("document.getElementById('composer').requestSubmit()")
    other.wait("document.querySelectorAll('.said').length === 2")
    assert page.state.progress.values["household.house_type"] == "detached"
    notice = other.wait("document.getElementById('notice-words').textContent")
    assert "not taken" in notice
    assert other.run("document.getElementById('answer').value") == "terraced"
    page.answer("1985")  # as from a third tab: it comes without a click
    turns(tab, 3)


@pytest.mark.parametrize("button", ["[data-say=skip]", "#send"])
def test_a_double_click_answers_one_question(page, tab, button):
    tab.type("no idea")
    tab.click(button, times=2)
    turns(tab, 1)
    time.sleep(0.2)  # what the second click may have sent
    assert page.state.turn == 1


def test_a_click_on_what_has_just_changed_answers_nothing(page, tab):
    at(tab, 1000)
    say(tab, "four", turn=1)
    at(tab, 1399)
    tab.click("[data-say=skip]")
    assert tab.run("document.getElementById('wait').textContent") == ""
    assert page.state.turn == 1
    at(tab, 1401)
    tab.click("[data-say=skip]")
    turns(tab, 2)


def test_enter_while_composing_and_shift_enter_do_not_send(page, tab):
    tab.type("four")
    tab.run(
        "document.getElementById('answer').dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, cancelable: true, bubbles: true}))"
    )
    tab.press("Enter", shift=True)
    tab.type("people")
    say(tab, "", turn=1)
    assert tab.run(SAID) == ["four people"]  # control characters are tidied away
    tab.press("Enter")
    assert page.state.turn == 1


def test_saving_stopping_and_going_on(page, tab):
    say(tab, "four", turn=1)
    before = len(page.kept)
    tab.click("#save")
    assert "session.json" in tab.wait("document.getElementById('notice-words').textContent")
    assert len(page.kept) == before + 1
    tab.type("stop")
    tab.press("Enter")
    tab.wait("!document.getElementById('after').hidden")
    for part in ("composer", "day"):
        assert tab.run(f"document.getElementById('{part}').hidden")
    tab.click("#go-on")
    turns(tab, 2)
    say(tab, "detached", turn=3)
    assert page.state.progress.values["household.house_type"] == "detached"


def test_without_the_optimiser_the_page_says_what_to_install(page, tab, monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    tab.type("stop")
    tab.press("Enter")
    tab.wait("!document.getElementById('after').hidden")
    tab.click("#plan")
    tab.wait("document.getElementById('day-words').textContent.includes('gradmap[optimum]')")
    assert tab.run("document.getElementById('day-content').hidden")


def test_a_stopped_program_is_told_in_the_page(page, tab):
    say(tab, "four", turn=1)
    page.server.shutdown()
    page.server.server_close()
    told = tab.wait("document.getElementById('notice-words').textContent")
    assert "has stopped" in told
    assert "saved in session.json" in told
    assert tab.run("document.getElementById('notice').getAttribute('role')") == "alert"
    tab.type("detached")
    tab.press("Enter")
    tab.wait("document.getElementById('wait').textContent === ''")
    assert tab.run("document.getElementById('answer').value") == "detached"


def test_it_fits_narrow_and_wide_windows_light_and_dark(page, tab):
    for turn in range(1, 9):
        say(tab, plain(page.state.message), turn=turn)
    for width, height in ((1280, 800), (861, 600), (860, 600), (380, 740), (320, 480)):
        assert fits(tab, width, height), (width, height)
    shown = "getComputedStyle(document.getElementById('home')).display"
    tab.size(380, 740)
    assert tab.run(shown) == "none"
    tab.click("#switch")
    assert tab.run(shown) == "block"
    assert tab.run("document.getElementById('switch').getAttribute('aria-expanded')") == "true"
    assert tab.run("document.documentElement.scrollWidth") <= 380
    tab.click("#switch")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = tab.run(colour)
    assert fits(tab, 380, 740, dark=True)
    dark = tab.run(colour)
    assert light != dark


def test_every_control_has_a_name_and_the_conversation_is_announced(page, tab):
    say(tab, "four", turn=1)
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    by_role = {}
    for node in nodes:
        if not node["ignored"]:
            name = node.get("name", {}).get("value", "")
            by_role.setdefault(node["role"]["value"], []).append(name)
    assert by_role["textbox"] == ["Your answer"]
    assert {"Send", "Undo", "Skip", "Help", "Save"} <= set(by_role["button"])
    assert all(name for role in ("button", "textbox", "log", "table") for name in by_role[role])
    assert len(by_role["progressbar"]) == 1
    assert by_role["progressbar"][0].startswith("1 thing noted")
    assert tab.run("document.getElementById('log').getAttribute('aria-live')") == "polite"
    assert tab.run("document.documentElement.lang") == "en"
