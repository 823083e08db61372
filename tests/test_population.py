from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gradmap.errors import ScenarioError
from scenarios.population import Population, draw_owners, draw_population, largest_remainder
from scenarios.population_files import HOUSEHOLD_COLUMNS
from scenarios.schema import Scenario
from scenarios.schema_homes import PopulationSettings


def _connections(n=95):
    return [
        SimpleNamespace(connection_id=f"{i}.1", p_nominal_kw=20.0 + 20.0 * (i % 3 == 0))
        for i in range(n)
    ]


def _draw(n=1000, *, seed=1, connections=None, **population):
    scenario = Scenario(seed=seed, population={"n_households": n, **population})
    return draw_population(scenario, connections or _connections())


def test_one_each_gives_exact_shares_and_one_device_a_household():
    population = _draw()
    counts = {kind: len(table) for kind, table in population.devices.items()}
    assert counts == {"battery": 334, "heat_pump": 333, "generator": 333}
    owners = pd.concat([table["household_id"] for table in population.devices.values()])
    assert owners.is_unique
    assert population.n_agents == 1000
    assert (population.households["pv_kwp"] > 0).sum() == 500


def test_kinds_are_interleaved_over_the_feeder():
    population = _draw()
    kind_of = pd.concat(
        [table.assign(kind=kind) for kind, table in population.devices.items()]
    ).set_index("household_id")["kind"]
    kinds = kind_of.loc[population.households["household_id"]].to_numpy()
    assert 0.25 < np.mean(kinds[1:] == kinds[:-1]) < 0.42


def test_independent_shares_are_exact_and_overlap():
    settings = {
        "allocation": "independent",
        "devices": {"battery": 0.5, "heat_pump": 0.8, "generator": 0.0, "ev_charger": 0.25},
    }
    population = _draw(200, **settings)
    counts = {kind: len(table) for kind, table in population.devices.items()}
    assert counts == {"battery": 100, "heat_pump": 160, "ev_charger": 50}
    both = set(population.devices["battery"]["household_id"]) & set(
        population.devices["heat_pump"]["household_id"]
    )
    assert 60 < len(both) <= 100


def test_no_shares_give_no_devices():
    none = {"battery": 0.0, "heat_pump": 0.0, "generator": 0.0}
    assert _draw(20, devices=none, pv_share=0.0).devices == {}


@pytest.mark.parametrize("n", [1, 7, 95, 1000, 4321])
def test_placement_is_within_one_household_of_proportional(n):
    connections = _connections()
    placed = _draw(n, connections=connections).households["connection_id"].value_counts()
    weights = np.array([c.p_nominal_kw for c in connections])
    exact = n * weights / weights.sum()
    counts = np.array([placed.get(c.connection_id, 0) for c in connections])
    assert counts.sum() == n
    assert np.abs(counts - exact).max() < 1


@pytest.mark.parametrize(
    ("weights", "total", "expected"),
    [
        ([1, 1, 1], 10, [4, 3, 3]),
        ([47, 16, 15.8, 12, 6.1, 3.1], 10, [5, 2, 1, 1, 1, 0]),
        ([0, 0], 3, [2, 1]),
        ([-5, 1], 4, [0, 4]),
        ([1 / 3, 1 / 3, 1 / 3], 9, [3, 3, 3]),
    ],
)
def test_largest_remainder_on_worked_examples(weights, total, expected):
    assert largest_remainder(np.array(weights, dtype=float), total=total).tolist() == expected


def test_the_same_seed_gives_the_same_population_and_another_seed_another():
    a, b, c = _draw(50), _draw(50), _draw(50, seed=2)
    pd.testing.assert_frame_equal(a.households, b.households)
    for kind, table in a.devices.items():
        pd.testing.assert_frame_equal(table, b.devices[kind])
    assert not a.households["connection_id"].equals(c.households["connection_id"])


def test_a_household_keeps_its_device_when_shares_change():
    few = _draw(100, allocation="independent", devices={"battery": 0.3})
    many = _draw(100, allocation="independent", devices={"battery": 0.9})
    common = few.devices["battery"].merge(
        many.devices["battery"], on="agent_id", suffixes=("", "_many")
    )
    assert len(common) == len(few.devices["battery"])
    np.testing.assert_array_equal(common["e_max_kwh"], common["e_max_kwh_many"])


def test_owners_do_not_depend_on_the_order_of_draws():
    settings = PopulationSettings(n_households=10)
    a, b = (draw_owners(settings, n_households=10, seed=3) for _ in range(2))
    assert {k: v.tolist() for k, v in a.items()} == {k: v.tolist() for k, v in b.items()}


def test_devices_are_physical():
    population = _draw(1000, allocation="independent", devices={"ev_charger": 1.0})
    battery, pump = population.devices["battery"], population.devices["heat_pump"]
    generator, vehicle = population.devices["generator"], population.devices["ev_charger"]
    assert battery["p_max_kw"].between(2.5, 5).all()
    assert battery["e_max_kwh"].between(5, 13.5).all()
    assert pump["supply_temp_c"].between(35, 55).all()
    assert pump["p_max_kw"].between(1, 12).all()
    hours = pump["c_kwh_per_k"] / pump["ua_kw_per_k"]
    assert hours.between(5, 90).all()
    assert 1.5 < pump["p_max_kw"].mean() < 3.5
    assert generator["p_max_kw"].between(1, 6).all()
    assert generator["fuel_per_kwh"].between(0.15, 0.40).all()
    marginal_at_full = (
        generator["fuel_per_kwh"] + 2 * generator["fuel_quadratic_per_kw2h"] * generator["p_max_kw"]
    )
    assert (marginal_at_full < 0.45).all()
    assert (vehicle["p_max_kw"] == 7.4).all()


def test_heat_pumps_hold_the_set_point_at_the_design_temperature():
    pump = _draw().devices["heat_pump"]
    design_c = 11.0 - 7.0 - 6.5
    cop = (
        pump["carnot_fraction"]
        * (pump["supply_temp_c"] + 273.15)
        / (pump["supply_temp_c"] - design_c)
    )
    need_kw = pump["ua_kw_per_k"] * (pump["temp_set_c"] - design_c)
    assert (cop * pump["p_max_kw"] > need_kw).all()


def test_roofs_and_homes_are_physical():
    homes = _draw().households
    roofs = homes[homes["pv_kwp"] > 0]
    assert tuple(homes.columns) == HOUSEHOLD_COLUMNS
    assert roofs["pv_kwp"].mean() == pytest.approx(4.5, rel=0.05)
    assert roofs["pv_azimuth_deg"].between(75, 285).all()
    assert (roofs["pv_inverter_kva"] <= roofs["pv_kwp"]).all()
    assert homes["power_factor"].between(0.95, 0.98).all()
    assert homes["occupants"].between(1, 5).all()
    assert homes["occupants"].mean() == pytest.approx(2.33, abs=0.15)


def test_csv_round_trip_keeps_every_digit(tmp_path):
    population = _draw(60, allocation="independent", devices={"ev_charger": 0.4})
    population.write(tmp_path)
    back = Population.read(tmp_path)
    pd.testing.assert_frame_equal(back.households, population.households, check_dtype=False)
    assert set(back.devices) == set(population.devices)
    for kind, table in population.devices.items():
        pd.testing.assert_frame_equal(back.devices[kind], table, check_dtype=False)


def test_writing_again_removes_kinds_that_are_gone(tmp_path):
    _draw(30).write(tmp_path)
    _draw(30, devices={"battery": 1.0, "heat_pump": 0.0, "generator": 0.0}).write(tmp_path)
    assert set(Population.read(tmp_path).devices) == {"battery"}


@pytest.fixture
def user_files(tmp_path):
    """Write a drawn population of ten; returns its folder and a way to change a cell."""
    _draw(10, pv_share=1.0).write(tmp_path)

    def change(file, row, column, value):
        path = tmp_path / file
        table = pd.read_csv(path, dtype=object)
        table.loc[row, column] = value
        table.to_csv(path, index=False)

    return tmp_path, change


def _from_files(folder, **population):
    return _draw(
        10,
        households_file=folder / "households.csv",
        devices_folder=folder / "devices",
        **population,
    )


def test_user_tables_replace_the_drawn_ones(user_files):
    folder, change = user_files
    change("households.csv", 3, "base_scale", "1.5")
    population = _from_files(folder, base_load_scale=2.0)
    assert population.households["base_scale"].iloc[3] == 3.0
    assert len(population.households) == 10


@pytest.mark.parametrize(
    ("file", "column", "value", "message"),
    [
        ("households.csv", "connection_id", "5.2", r"'h0003': connection '5\.2' is not .*mean"),
        ("households.csv", "household_id", "h0001", r"household_id 'h0001' occurs twice"),
        ("households.csv", "pv_kwp", "-1", r"'h0003': `pv_kwp` is '-1\.0', expected"),
        ("households.csv", "base_scale", "inf", r"'h0003': `base_scale` is 'inf', expected"),
        ("households.csv", "power_factor", "95", r"'h0003': `power_factor` is '95\.0', expected"),
        ("households.csv", "pv_inverter_kva", "0", r"`pv_kwp` > 0 but `pv_inverter_kva` is 0"),
        ("devices/battery.csv", "p_max_kw", "-3", r"Battery 'h\d+\.battery': `p_max_kw` is -3"),
        ("devices/battery.csv", "household_id", "h99", r"household 'h99' is unknown"),
        ("devices/battery.csv", "soc_max", "x", r"`soc_max` is 'x', expected a number"),
    ],
)
def test_a_wrong_cell_is_named(user_files, file, column, value, message):
    folder, change = user_files
    change(file, 2, column, value)
    with pytest.raises(ScenarioError, match=message):
        _from_files(folder)


def test_several_faults_come_in_one_error(user_files):
    folder, change = user_files
    change("households.csv", 1, "pv_kwp", "-1")
    change("households.csv", 4, "occupants", "0")
    with pytest.raises(ScenarioError, match=r"'h0005'.*; household 'h0002'"):
        _from_files(folder)


def test_missing_and_misspelt_columns_are_named(user_files):
    folder, _ = user_files
    path = folder / "households.csv"
    pd.read_csv(path).rename(columns={"pv_kwp": "pv_kw"}).to_csv(path, index=False)
    with pytest.raises(ScenarioError, match=r"'pv_kwp' is missing; column 'pv_kw' is not expec"):
        _from_files(folder)


def test_missing_files_and_strange_tables_are_named(user_files):
    folder, _ = user_files
    (folder / "devices" / "batery.csv").write_text("agent_id\n")
    with pytest.raises(ScenarioError, match=r"'batery\.csv' is no device table .*'battery'"):
        _from_files(folder)
    with pytest.raises(ScenarioError, match=r"no such file"):
        _draw(10, households_file=folder / "none.csv")
    with pytest.raises(ScenarioError, match=r"no such folder"):
        _draw(10, devices_folder=folder / "none")
