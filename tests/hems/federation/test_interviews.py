"""Interviewed homes in a scenario: whose they are, what they become, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.inputs import InputSource
from scenarios.loading import parse_scenario
from scenarios.population import Population, draw_population
from tests.federates.helpers import SMALL
from tests.hems.federation.homes import home, write_homes

CONNECTIONS = [SimpleNamespace(connection_id=f"{i}.1", p_nominal_kw=20.0) for i in range(5)]


def scenario_of(folder, **changes):
    population = {**SMALL["population"], "interviews": str(folder)}
    data = {**SMALL, "time": {"step_min": 15, "days": 7}, "population": population, **changes}
    return parse_scenario(data, origin=folder / "s.yaml")


def drawn(folder, **changes):
    return draw_population(scenario_of(folder, **changes), CONNECTIONS)


def test_a_file_named_like_a_household_is_its_own_and_the_rest_stay_as_drawn(tmp_path):
    folder = write_homes(tmp_path / "homes", h0007=home(), somebody=home(battery__power_kw=2.0))
    population = drawn(folder)
    plain = draw_population(parse_scenario(SMALL, origin=tmp_path / "s.yaml"), CONNECTIONS)
    assert len(population.interviews) == 2
    (other,) = set(population.interviews) - {"h0007"}
    battery = population.devices["battery"].set_index("agent_id")
    assert battery.loc["h0007.battery", "p_max_kw"] == 3.6
    assert battery.loc["h0007.battery", "soc_min"] == 0.2
    assert battery.loc[f"{other}.battery", "p_max_kw"] == 2.0
    for kind, table in plain.devices.items():
        now = population.devices[kind]
        kept = table[~table["household_id"].isin(population.interviews)].reset_index(drop=True)
        rest = now[~now["household_id"].isin(population.interviews)].reset_index(drop=True)
        assert kept.to_csv() == rest.to_csv()
    homes = population.households.set_index("household_id")
    before = plain.households.set_index("household_id")
    assert homes.loc["h0007", "pv_kwp"] == 5.0
    assert homes.loc["h0007", "pv_azimuth_deg"] == 225.0
    assert (homes["connection_id"] == before["connection_id"]).all()


def test_the_seed_decides_where_the_others_live(tmp_path):
    folder = write_homes(tmp_path / "homes", somebody=home())
    places = {tuple(drawn(folder, seed=seed).interviews) for seed in range(5)}
    assert len(places) > 1
    assert tuple(drawn(folder, seed=3).interviews) == tuple(drawn(folder, seed=3).interviews)


def test_series_follow_what_was_said(tmp_path):
    said = home()
    folder = write_homes(tmp_path / "homes", h0003=said)
    scenario = scenario_of(folder)
    population = draw_population(scenario, CONNECTIONS)
    clock = Clock.from_settings(scenario.time)
    source = InputSource(scenario, population=population, clock=clock)
    days = [source.day(block) for block in clock.blocks()]
    column = source.ids["ev_plugged_in"].index("h0003.ev_charger")
    away = np.concatenate([day.ev_plugged_in[:, column] for day in days]) == 0
    trips = np.concatenate([day.ev_trip_kwh[:, column] for day in days])
    hour, weekday = clock.hour, clock.day_of_week < 5
    np.testing.assert_array_equal(away, weekday & (hour >= 8.25) & (hour < 17.5))
    assert trips[trips > 0].tolist() == pytest.approx([50 * 0.175] * 5)
    assert set(hour[trips > 0]) == {17.5}
    home_column = source.ids["base_load_kw"].index("h0003")
    load_kw = np.concatenate([day.base_load_kw[:, home_column] for day in days])
    night = load_kw.reshape(7, 96)[:, 16:28].max(axis=1)
    assert (night >= 3.0).all()  # the tank, ready by 7:00
    water_kwh = 2 * 2.1 + 1.4
    machine_kwh = 4 / 7 * 1.8 * 1.5
    wanted = said.parameters.household.base_load_kwh_day + water_kwh + machine_kwh
    assert 0.25 * load_kw.sum() / 7 == pytest.approx(wanted, rel=0.25)


def test_a_car_that_leaves_in_the_evening_comes_home_the_next_morning(tmp_path):
    night_shift = home(evs__1__departure="21:00", evs__1__arrival="06:30")
    folder = write_homes(tmp_path / "homes", h0003=night_shift)
    scenario = scenario_of(folder)
    population = draw_population(scenario, CONNECTIONS)
    clock = Clock.from_settings(scenario.time)
    source = InputSource(scenario, population=population, clock=clock)
    column = source.ids["ev_plugged_in"].index("h0003.ev_charger")
    away = np.concatenate([source.day(block).ev_plugged_in[:, column] for block in clock.blocks()])
    hour, day = clock.hour, clock.day_of_week
    left, came = (day < 5) & (hour >= 21), ((day - 1) % 7 < 5) & (hour < 6.5)
    np.testing.assert_array_equal(away == 0, left | came)


def test_a_written_population_is_read_back_without_anybodys_words(tmp_path):
    folder = write_homes(tmp_path / "homes", h0003=home())
    population = drawn(folder)
    population.write(tmp_path)
    again = Population.read(tmp_path)
    assert again.interviews["h0003"].parameters == population.interviews["h0003"].parameters
    assert "as I said" not in (tmp_path / "interviews" / "h0003.yaml").read_text()


def test_wrong_files_are_refused_with_file_and_key(tmp_path):
    folder = write_homes(tmp_path / "homes", h0003=home())
    with pytest.raises(ScenarioError, match=r"h0003.yaml: `currency` is 'GBP'.*USD.*fuel_cost"):
        drawn(folder, tariff={"currency": "USD"})
    text = (folder / "h0003.yaml").read_text()
    (folder / "h0003.yaml").write_text(text.replace("power_kw: 3.6", "power_kw: 3600"))
    with pytest.raises(ScenarioError, match=r"(?s)h0003.yaml.*`battery.power_kw` is 3600"):
        drawn(folder)
    (folder / "h0003.yaml").unlink()
    with pytest.raises(ScenarioError, match=r"`population.interviews` names .* no \*.yaml"):
        drawn(folder)
    many = write_homes(tmp_path / "many", **{f"n{i}": home() for i in range(31)})
    with pytest.raises(ScenarioError, match=r"holds 31 home files.*30 households"):
        drawn(many)


def test_the_network_may_cool_a_home_no_further_than_was_granted(tmp_path):
    def lowest_c(**changes):
        folder = write_homes(tmp_path / "homes", h0003=home(**changes))
        table = drawn(folder).devices["heat_pump"].set_index("agent_id")
        return table.loc["h0003.heat_pump", "temp_min_c"]

    assert lowest_c() == 17.0
    granted = {"flexibility__participate": True, "flexibility__comfort_slack_k": 0.5}
    assert lowest_c(**granted) == 18.0
