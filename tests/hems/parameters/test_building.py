"""The thermal model of a house against independent figures."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from federates.hems.parameters import building, completed, slot
from federates.hems.parameters.choices import HOUSE_TYPES
from federates.hems.parameters.ev_models import ev_capacity_kwh
from gradmap.devices import heat_pump
from tests.hems.parameters.home_values import stated


@pytest.mark.parametrize(("year", "loss_w_per_m2k"), [(1960, 2.8), (1995, 2.1), (2015, 1.3)])
def test_heat_loss_parameters_agree_with_those_of_the_drawn_homes(year, loss_w_per_m2k):
    # scenarios.device_draws: SAP heat loss parameters before 1980, to 2005, after.
    per_m2 = building.ua_kw_per_k("semi_detached", built_year=year, floor_area_m2=90) * 1000 / 90
    assert per_m2 == pytest.approx(loss_w_per_m2k, rel=0.20)


def test_one_house_worked_out_by_hand():
    # 100 m2 on two storeys: base 50 m2, side sqrt(50), walls 4 x sqrt(50) x 5 m.
    outer = 4 * math.sqrt(50) * 5
    fabric = 0.28 * (outer - 17) + 1.6 * 17 + 0.35 * 50 + 0.08 * (outer + 100)
    expected = (fabric + 0.33 * 0.5 * 250) / 1000
    ua = building.ua_kw_per_k("detached", built_year=2015, floor_area_m2=100)
    assert ua == pytest.approx(expected, rel=1e-12)


@given(
    year=st.integers(1500, 2100),
    area=st.floats(20, 500),
    occupants=st.integers(1, 12),
)
def test_more_shared_walls_lose_less_and_all_is_in_bounds(year, area, occupants):
    ua = [building.ua_kw_per_k(kind, built_year=year, floor_area_m2=area) for kind in HOUSE_TYPES]
    assert ua == sorted(ua, reverse=True)
    said = {
        "household.built_year": year,
        "household.floor_area_m2": area,
        "household.occupants": occupants,
    }
    values = completed(said, stated(said)).values
    for key in (*(k for k in values if k.startswith("building.")), "household.base_load_kwh_day"):
        assert slot(key).low <= values[key] <= slot(key).high


@given(area=st.floats(20, 500))
def test_newer_houses_lose_less(area):
    years = [band.first_year for band in building.AGE_BANDS]
    for kind in HOUSE_TYPES:
        ua = [building.ua_kw_per_k(kind, built_year=y, floor_area_m2=area) for y in years]
        assert ua == sorted(ua, reverse=True)


@given(out=st.floats(-30, 45), supply=st.floats(25, 70), fraction=st.floats(0.05, 1))
def test_cop_equals_that_of_the_simulated_heat_pump(out, supply, fraction):
    ours = building.cop(out, supply_temp_c=supply, carnot_fraction=fraction)
    theirs = heat_pump.cop(
        torch.tensor(out, dtype=torch.float64),
        supply_temp_c=torch.tensor(supply, dtype=torch.float64),
        carnot_fraction=torch.tensor(fraction, dtype=torch.float64),
    )
    assert ours == pytest.approx(float(theirs), rel=1e-12)


def test_the_nominal_cop_comes_back_at_seven_degrees():
    fraction = building.carnot_fraction(3.2, supply_temp_c=50.0)
    assert 0.35 < fraction < 0.5
    cop = building.cop(7.0, supply_temp_c=50.0, carnot_fraction=fraction)
    assert cop == pytest.approx(3.2, rel=1e-12)


def test_a_sized_heat_pump_holds_the_house_on_the_design_day():
    said = {"household.devices": ["heat_pump"], "household.floor_area_m2": 120.0}
    home = completed(said, stated(said)).parameters
    cop = building.cop(
        -3.0,
        supply_temp_c=home.heating.supply_temp_c,
        carnot_fraction=home.heating.carnot_fraction,
    )
    loss = home.building.ua_kw_per_k * 24.0
    assert home.heating.rated_electric_kw * cop == pytest.approx(1.15 * loss, rel=0.02)


def test_base_load_is_that_of_a_usual_home_and_leaves_out_planned_machines():
    usual = building.base_load_kwh_day(occupants=2, floor_area_m2=90, weekly_appliances_kwh=0)
    assert usual * 365 == pytest.approx(2480, rel=0.05)
    less = building.base_load_kwh_day(occupants=2, floor_area_m2=90, weekly_appliances_kwh=7)
    assert less == pytest.approx(usual - 1)
    assert building.base_load_kwh_day(
        occupants=2, floor_area_m2=90, weekly_appliances_kwh=700
    ) == pytest.approx(usual / 2)


@pytest.mark.parametrize(
    ("said", "capacity_kwh"),
    [
        ("It's a Nissan Leaf 40", 39.0),
        ("nissan leaf", None),
        ("a VW ID.3", 58.0),
        ("Kia e-Niro", 64.0),
        ("Tesla Model 3 or Model Y", None),
        ("", None),
    ],
)
def test_a_car_is_recognised_only_if_there_is_one_answer(said, capacity_kwh):
    assert ev_capacity_kwh(said) == capacity_kwh
