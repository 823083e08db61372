from collections import Counter

import pytest

from federates.hems.parameters.feasibility import conflicts
from federates.hems.parameters.slots import Who, applicable_slots
from federates.hems.parameters.stored import checked_all, window_min
from federates.hems.users.persona import LEVELS, draw_persona
from gradmap.errors import ScenarioError

COUNT = 600


@pytest.fixture(scope="module")
def people():
    return [draw_persona(1, index) for index in range(COUNT)]


def share(people, test):
    return sum(bool(test(person)) for person in people) / len(people)


def owners(people, device):
    return [person for person in people if device in person.truth["household.devices"]]


def test_same_seed_and_number_same_householder(people):
    again = draw_persona(1, 7)
    assert again == people[7]
    assert draw_persona(2, 7).truth != again.truth


def test_the_home_does_not_depend_on_the_level():
    truths = [dict(draw_persona(3, 4, level=level).truth) for level in LEVELS]
    consent = [truth.pop("flexibility.data_consent") for truth in truths]
    assert truths[0] == truths[1] == truths[2]
    assert len(consent) == 3


def test_truth_holds_what_applies_in_stored_form(people):
    for person in people:
        truth = dict(person.truth)
        asked = {item.key for item in applicable_slots(truth) if item.who is not Who.DERIVED}
        assert set(truth) == asked
        assert checked_all(truth) == truth


def test_truth_is_consistent(people):
    for person in people:
        truth = person.truth
        order = [truth[f"comfort.temp_{name}_c"] for name in ("min", "night", "day", "max")]
        assert order == sorted(order)
        assert order[2] < order[3]
        if "tariff.peak_price_per_kwh" in truth:
            assert truth["tariff.off_peak_price_per_kwh"] < truth["tariff.peak_price_per_kwh"]
        has_pump = "heat_pump" in truth["household.devices"]
        assert (truth["heating.kind"] == "heat_pump") == has_pump
        if truth["hot_water.kind"] in {"resistive", "heat_pump"}:
            assert "hot_water_tank" in truth["household.devices"]
            assert truth["hot_water.temp_set_c"] < truth["hot_water.temp_max_c"]
        assert set(truth["flexibility.never_touch"]) <= set(truth["household.devices"])


def test_homes_are_feasible(people):
    for person in people:
        assert conflicts(person.truth) == ()


def test_cars_can_be_charged_and_appliances_run(people):
    for person in people:
        truth = person.truth
        for at in (f"evs.{n}" for n in (1, 2) if f"evs.{n}.model" in truth):
            hours = window_min(truth[f"{at}.arrival"], truth[f"{at}.departure"]) / 60
            driven_kwh = 0.18 * truth[f"{at}.daily_distance_km"]
            assert 0.9 * hours * truth[f"{at}.charger_kw"] >= driven_kwh
            assert driven_kwh <= truth[f"{at}.target"] * truth[f"{at}.capacity_kwh"]
        for key in truth:
            if key.startswith("appliances.") and key.endswith("duration_min"):
                at = key.removesuffix(".duration_min")
                window = window_min(truth[f"{at}.earliest_start"], truth[f"{at}.latest_finish"])
                assert window >= truth[key]


def test_known_refused_and_unknown_do_not_overlap(people):
    for person in people:
        assert person.refuses | person.unknown <= set(person.truth)
        assert not person.refuses & person.unknown
        assert bool(person.refuses) == ("privacy_minded" in person.traits)
        assert person.knows("household.devices")


def test_ownership_and_people_are_plausible(people):
    assert 0.88 < len(owners(people, "washing_machine")) / COUNT < 0.99
    assert 0.2 < len(owners(people, "pv")) / COUNT < 0.45
    assert 0.25 < len(owners(people, "ev")) / COUNT < 0.55
    assert 0.15 < len(owners(people, "heat_pump")) / COUNT < 0.45
    with_battery = owners(people, "battery")
    assert share(with_battery, lambda p: "pv" in p.truth["household.devices"]) > 0.6
    pumps = owners(people, "heat_pump")
    new = [p for p in pumps if p.truth["household.built_year"] >= 2004]
    old = [p for p in pumps if p.truth["household.built_year"] < 2004]
    floor = [
        share(group, lambda p: p.truth["heating.emitter"] == "underfloor") for group in (new, old)
    ]
    assert floor[0] > floor[1] + 0.2
    occupants = [p.truth["household.occupants"] for p in people]
    assert 2.0 < sum(occupants) / COUNT < 2.8
    levels = Counter(p.level for p in people)
    assert levels["ordinary"] > levels["novice"] > levels["expert"] > 0.1 * COUNT


def test_novices_know_less_than_experts():
    known = [
        sum(len(draw_persona(1, n, level=level).unknown) for n in range(100)) for level in LEVELS
    ]
    assert known[0] < known[1] < known[2]


def test_bad_arguments_are_refused():
    with pytest.raises(ScenarioError, match="guru"):
        draw_persona(0, 0, level="guru")
    with pytest.raises(ScenarioError, match="negative"):
        draw_persona(0, -1)
