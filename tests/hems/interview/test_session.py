"""Whole interviews: order, repair, read-back, commands, saving and resuming."""

import pytest

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import (
    begin,
    outcome,
    reopened,
    run,
    step,
    tidy,
    unresolved,
)
from federates.hems.interview.state import InterviewSettings, Message, resumed, saved
from federates.hems.parameters.home_file import from_yaml, to_yaml
from federates.hems.parameters.sources import Provenance
from gradmap.errors import ScenarioError
from tests.hems.interview.householder import ANSWERS, TRUTH, plain, started, told

RULES = RulesInterviewer()


def test_a_plain_householder_is_understood_and_confirmed():
    state = run(RULES, plain)
    home = outcome(state)
    assert state.finished == "done"
    assert {key: home.values[key] for key in TRUTH} == TRUTH
    assert home.values["evs.1.daily_distance_km"] == pytest.approx(48.28, abs=0.01)
    assert home.sources["evs.1.arrival"].provenance is Provenance.CONFIRMED
    assert home.sources["evs.1.arrival"].words == "18:20"
    assert home.sources["evs.1.capacity_kwh"].provenance is Provenance.INFERRED
    assert home.sources["household.import_limit_kw"].provenance is Provenance.DEFAULT
    assert unresolved(state) == ()
    assert from_yaml(to_yaml(home)) == home


def test_what_follows_from_the_car_is_read_back_and_never_asked():
    heard = []

    def answer(message):
        heard.append(message)
        return plain(message)

    run(RULES, answer)
    about = [item for item in heard if "evs.1.capacity_kwh" in item.slots]
    assert {item.kind for item in about} == {"confirm"}


def test_a_form_asks_a_section_at_once_and_needs_fewer_turns():
    one_by_one = run(RULES, plain)
    form = run(RULES, plain, settings=InterviewSettings(form=True, locale="en-GB"))
    assert form.turn < one_by_one.turn
    assert len(form.exchanges[0].message.slots) > 1


def test_saved_and_resumed_after_every_turn_nothing_changes():
    straight = run(RULES, plain)
    state, message = begin(InterviewSettings(), interviewer=RULES)
    while not state.finished:
        state = resumed(saved(state))
        assert state.message == message
        state, message = step(state, plain(state.message), interviewer=RULES)
    assert saved(state) == saved(straight)
    assert to_yaml(outcome(state)) == to_yaml(outcome(straight))


def test_every_default_is_read_back_or_disclosed_at_the_end():
    shrugs = run(RULES, lambda message: "yes" if message.kind == "confirm" else "no idea")
    read = {key for one in shrugs.exchanges for key in one.message.proposed}
    home = outcome(shrugs)
    hidden = [
        key
        for key, source in home.sources.items()
        if source.provenance is Provenance.DEFAULT and key not in read
    ]
    assert hidden  # those that only experts are asked
    assert all(f"{key.rpartition('.')[2].split('_')[0]}" in shrugs.message.text for key in hidden)
    assert "Taken without asking" in shrugs.message.text


def test_a_silent_householder_is_asked_thrice_and_then_left_alone():
    state = started(ask=("comfort.temp_day_c",))
    kinds = [state.message.kind]
    for _ in range(3):
        state = told(state, "...")
        kinds.append(state.message.kind if "comfort.temp_day_c" in state.message.slots else "on")
    assert kinds == ["ask", "clarify", "menu", "on"]
    assert state.progress.declined["comfort.temp_day_c"] == "gave_up"
    assert outcome(state).sources["comfort.temp_day_c"].provenance is Provenance.DEFAULT


@pytest.mark.parametrize("pick", ["2", "number 2", "the second one", "option b", "(b)", "2 please"])
def test_a_menu_takes_a_number_a_letter_or_an_order(pick):
    state = told(started(ask=("household.house_type",)), "blue whales", "green elephants")
    assert state.message.kind == "menu"
    assert state.message.options == ("detached", "semi_detached", "terraced", "flat")
    state = told(state, pick)
    assert state.progress.values["household.house_type"] == "semi_detached"


def test_text_shown_in_another_order_is_no_answer():
    state = told(started(ask=("hot_water.volume_l",)), "about \u202e051\u202c litres")
    assert "hot_water.volume_l" not in state.progress.values
    assert state.message.slots == ("hot_water.volume_l",)
    assert tidy("21\u202e09") == "21 "


def test_a_consent_is_taken_back_while_something_else_is_asked():
    state = told(started(ask=("flexibility.data_consent",)), "yes")
    assert state.progress.values["flexibility.data_consent"] is True
    asked = state.message.slots[0]
    state = told(state, "four. On second thoughts, do not share my data with anyone")
    assert state.progress.values["flexibility.data_consent"] is False
    assert asked == "household.occupants"
    assert state.progress.values[asked] == 4


def test_a_thumb_is_a_yes_and_a_denied_read_back_is_none():
    state = told(started(ask=("flexibility.participate",)), "\U0001f44d")
    assert state.progress.values["flexibility.participate"] is True
    state = started(ask=("flexibility.participate",), expert=False)
    proposed = {"flexibility.participate": False, "flexibility.data_consent": False}
    message = Message(kind="confirm", text="?", slots=tuple(proposed), proposed=proposed,
                      about="flexibility")  # fmt: skip
    state = told(state.with_(message=message), "that's not right, we would love to join")
    assert state.progress.values["flexibility.participate"] is True


def test_a_correction_at_the_read_back_keeps_the_other_devices():
    state = at_the_read_back()
    owned = state.progress.values["household.devices"]
    state = told(state, "we've also got a dryer")
    assert set(state.progress.values["household.devices"]) == {*owned, "dryer"}
    while state.message.about != "household":
        state = told(state, "no idea")
    assert "Now it reads" in state.message.text
    state = told(state, "actually sold the car")
    assert set(state.progress.values["household.devices"]) == {*owned, "dryer"} - {"ev"}


def test_a_no_that_changes_nothing_is_not_called_a_change():
    state = told(at_the_read_back(), "no")
    assert "I did not understand what is not right" in state.message.text
    assert "Now it reads" not in state.message.text
    state = told(state, "we get home at half past five in the car")
    assert "I did not understand" not in state.message.text


def test_what_was_never_agreed_to_is_named_at_the_end():
    denied = run(RULES, lambda message: "no" if message.about == "tariff" else plain(message))
    assert "You have not agreed to what I read back about your electricity price;" in (
        denied.message.text
    )
    agreed = run(RULES, plain)
    assert "not agreed" not in agreed.message.text


def at_the_read_back():
    """Return an interview whose household is read back."""
    state = started()
    while state.message.about != "household":
        state = told(state, plain(state.message))
    return state


def test_a_time_zone_that_is_none_is_refused_before_anything_is_asked():
    with pytest.raises(ValueError, match="IANA"):
        InterviewSettings(timezone="Europe/Londn")


def test_undo_takes_back_one_answer_after_the_other():
    state = told(started(ask=("household.occupants",)), "four", "detached")
    state = told(state, "undo")
    assert state.progress.values == {"household.occupants": 4}
    assert state.message.slots == ("household.house_type",)
    state = told(state, "undo")
    assert state.progress.values == {}
    state = told(state, "undo", "three")
    assert state.progress.values == {"household.occupants": 3}


def test_skip_leaves_the_default():
    state = told(started(ask=("household.occupants",)), "skip")
    assert state.progress.declined == {"household.occupants": "skipped"}
    assert outcome(state).values["household.occupants"] == 2


def test_help_explains_and_asks_again_without_counting():
    state = started(ask=("household.floor_area_m2",))
    for _ in range(4):
        state = told(state, "help")
        assert "energy certificate" in state.message.text
    assert state.progress.asks["household.floor_area_m2"] == 1
    assert told(state, "90 m2").progress.values == {"household.floor_area_m2": 90.0}


def test_stop_keeps_everything_and_the_interview_can_go_on():
    state = told(started(ask=("household.occupants",)), "four", "stop")
    assert state.finished == "stopped"
    assert "kept" in state.message.text
    assert outcome(state).values["household.occupants"] == 4
    with pytest.raises(ScenarioError, match="over"):
        told(state, "detached")
    state, message = reopened(resumed(saved(state)))
    assert message.slots == ("household.house_type",)
    assert told(state, "detached").progress.values["household.house_type"] == "detached"


def test_a_correction_at_the_read_back_is_read_back_again():
    wrong = {**ANSWERS, "household.floor_area_m2": "190 m2"}
    corrected = []

    def answer(message):
        if message.kind == "confirm":
            if message.proposed.get("household.floor_area_m2") == 190.0:
                corrected.append(message)
                return "no, it is 140 square metres"
            return "yes"
        return "; ".join(wrong.get(key, "I don't know") for key in message.slots)

    state = run(RULES, answer)
    assert len(corrected) == 1
    assert outcome(state).values["household.floor_area_m2"] == 140.0
    assert outcome(state).sources["household.floor_area_m2"].provenance is Provenance.CONFIRMED
    assert outcome(state).values["household.occupants"] == 4


def test_what_does_not_fit_together_is_asked_and_never_clipped():
    known = {"comfort.temp_min_c": 20.0, "comfort.temp_day_c": 21.0}
    state = told(started(known=known, ask=("comfort.temp_night_c",)), "17 degrees")
    assert "17 degrees at night" in state.message.text
    assert "20 degrees" in state.message.text
    assert set(state.message.slots) == {"comfort.temp_night_c", "comfort.temp_min_c"}
    insisted = told(state, "...", "...")
    assert insisted.progress.values["comfort.temp_night_c"] == 17.0
    assert [one.rule for one in unresolved(insisted)] == ["comfort_order"]
    assert insisted.message.about != state.message.about
    settled = told(state, "it may go down to 16 degrees, that's the coldest")
    assert settled.progress.values["comfort.temp_night_c"] == 17.0 or unresolved(settled)


def test_a_device_that_is_not_there_is_taken_off_the_list_after_a_yes():
    known = {"household.devices": ["battery", "pv"]}
    state = told(started(known=known, ask=("battery.capacity_kwh",)), "we don't have a battery")
    assert "no battery" in state.message.text
    assert state.progress.values["household.devices"] == ("battery", "pv")
    kept = told(state, "no")
    assert kept.progress.values["household.devices"] == ("battery", "pv")
    assert "battery.capacity_kwh" not in kept.progress.declined
    state = told(state, "yes")
    assert state.progress.values["household.devices"] == ("pv",)
    assert "battery.power_kw" not in outcome(state).values


def test_the_budget_of_turns_ends_the_interview_with_a_whole_home():
    state = run(RULES, lambda _message: "blah", settings=InterviewSettings(max_turns=7))
    assert state.finished == "budget"
    assert state.turn == 7
    assert outcome(state).values["household.occupants"] == 2


def test_an_endless_shrug_ends_by_itself():
    state = run(RULES, lambda _message: "...", settings=InterviewSettings(max_turns=1000))
    assert state.finished == "done"
    assert all(one.provenance is Provenance.DEFAULT for one in _asked_sources(state))


def _asked_sources(state):
    home = outcome(state)
    return [home.sources[key] for key in state.progress.declined if key in home.sources]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2}', "\x00", '{"version": 1, "x": 1}']
)
def test_what_is_no_saved_interview(text):
    with pytest.raises(ScenarioError, match="cannot be resumed"):
        resumed(text)


def test_a_saved_interview_changed_by_hand_to_an_impossible_value():
    state = told(started(ask=("household.occupants",)), "four")
    text = saved(state).replace('"value": 4,', '"value": 400,')
    with pytest.raises(ScenarioError, match="expected a whole number from 1 to 12"):
        resumed(text)


def test_derived_slots_cannot_be_asked():
    with pytest.raises(ScenarioError, match="worked out"):
        started(ask=("building.ua_kw_per_k",))


def test_known_values_are_checked():
    with pytest.raises(ScenarioError, match=r"household\.occupants"):
        started(known={"household.occupants": 99})


def test_electric_heaters_can_be_left_alone():
    known = {"household.devices": ["dishwasher"], "heating.kind": "resistive"}
    state = told(started(ask=("flexibility.never_touch",), known=known), "the heating, please")
    assert "never controlled by the system: heating)" in state.message.text
    home = outcome(state)
    assert home.parameters.flexibility.never_touch == ("heat_pump",)
    assert from_yaml(to_yaml(home)) == home


def test_a_heat_pump_told_by_its_heat_is_found_out():
    known = {
        "household.devices": ["heat_pump"],
        "household.house_type": "semi_detached",
        "household.built_year": 1960,
        "household.floor_area_m2": 90.0,
        "heating.kind": "heat_pump",
    }
    state = told(started(ask=("heating.rated_electric_kw",), known=known), "8.5 kW")
    assert "If 8.5 kW is the heat it gives, it draws about" in state.message.text
    state = told(state, "3.3 kW")
    assert state.progress.values["heating.rated_electric_kw"] == 3.3
    assert "heat it gives" not in state.message.text
