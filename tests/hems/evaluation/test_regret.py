"""What misunderstandings cost, on homes whose answer is plain."""

import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.evaluation.regret import DAYS, RegretMeter, true_home
from federates.hems.evaluation.typical_day import SEASONS, day_ahead, day_of
from federates.hems.users.persona import draw_persona
from gradmap.errors import ScenarioError
from tests.hems.federation.homes import home

WINTER = SEASONS["winter"]


@pytest.fixture(scope="module")
def meter():
    return RegretMeter()


def between(meter, **changes):
    return meter.between(home().parameters, home(**changes).parameters, day=WINTER)


def test_nothing_misunderstood_costs_nothing(meter):
    same = between(meter)
    assert same.true == same.retrieved
    assert same.true.peak_kw > 1
    assert same.extra("total") == 0


def test_a_car_believed_to_leave_later_leaves_short(meter):
    found = between(meter, evs__1__departure="11:30", evs__1__charger_kw=3.0)
    assert found.extra("ev_short_kwh") > 1
    assert found.true.ev_short_kwh == 0


def test_a_colder_wish_makes_the_home_too_cold(meter):
    found = between(meter, comfort__temp_day_c=18.5)
    assert found.extra("comfort_k_h") > 5
    assert found.extra("bill") < 0  # cheaper, and no gain


def test_a_device_nobody_heard_of_goes_by_habit_and_costs_more(meter):
    devices = ("pv", "ev", "heat_pump", "dishwasher", "generator")
    found = between(meter, household__devices=devices)
    assert found.extra("total") > 0


def test_a_device_only_believed_in_does_nothing(meter):
    bare = home(
        household__devices=("dishwasher",), heating__kind="gas", hot_water__kind="gas"
    ).parameters
    found = meter.between(bare, home().parameters, day=WINTER)
    assert found.extra("bill") == pytest.approx(0.0, abs=1e-9)


def test_machines_may_run_outside_their_hours_and_that_is_counted(meter):
    # The night is cheap by the tariff that both believe in.
    tariff = {
        "tariff__kind": "time_of_use",
        "tariff__peak_price_per_kwh": 0.4,
        "tariff__off_peak_price_per_kwh": 0.1,
        "tariff__peak_hours": ({"start": "07:00", "end": "23:30"},),
    }
    true = home(household__devices=("dishwasher",), heating__kind="gas", hot_water__kind="gas",
                **tariff).parameters  # fmt: skip
    wrong = home(
        household__devices=("dishwasher",), heating__kind="gas", hot_water__kind="gas",
        appliances__dishwasher__night_ok=True,
        appliances__dishwasher__earliest_start="00:00",
        appliances__dishwasher__latest_finish="06:00",
        **tariff,
    ).parameters  # fmt: skip
    found = meter.between(true, wrong, day=WINTER)
    assert found.true.machine_h == 0
    assert found.retrieved.machine_h == pytest.approx(1.5)
    assert found.extra("bill") < 0
    assert found.retrieved.missed_h == 0


def test_a_longer_programme_than_believed_runs_to_its_end(meter):
    true = home(appliances__dishwasher__duration_min=180.0, flexibility__never_touch=())
    found = meter.between(true.parameters, home().parameters, day=WINTER)
    assert found.retrieved.missed_h == found.true.missed_h == 0


def test_drawn_homes_have_a_true_file():
    persona = draw_persona(4, 2)
    values = true_home(persona).values
    assert {key: values[key] for key in persona.truth} == dict(persona.truth)


def test_typical_days_follow_the_seasons():
    said = home().parameters
    winter, summer = (day_ahead(said, SEASONS[name]) for name in ("winter", "summer"))
    assert winter.temp_out_c.mean() < 6 < 16 < summer.temp_out_c.mean()
    assert 100 < winter.ghi_w_per_m2.max() < 200 < 380 < summer.ghi_w_per_m2.max() < 520
    assert summer.ghi_w_per_m2.argmax() in (51, 52)  # around 13:00, summer time
    assert winter.base_load_kw.mean() == pytest.approx(said.household.base_load_kwh_day / 24)
    assert winter.price_import_per_kwh.argmax() in range(70, 78)
    assert (winter.steps.day_of_week == 2).all()
    assert DAYS[1].weekday() == 5
    assert day_of("2025-07-19") == DAYS[1]
    with pytest.raises(ScenarioError, match="winter"):
        day_of("yesterday")
