"""The fleet: one agent order, per-kind dispatch, tables and subsets."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from gradmap.devices.fleet import Fleet
from gradmap.devices.registry import KINDS
from gradmap.errors import ScenarioError
from tests.devices.populations import DT_H, device_tables, fleet_of, household_ids, surroundings


def mixed_fleet() -> Fleet:
    """Four households with 4, 2, 0 and 1 devices, tables shuffled."""
    tables = device_tables(4)
    owners = {
        "battery": ["h0001", "h0000"],
        "heat_pump": ["h0000"],
        "generator": ["h0003", "h0001", "h0000"],
        "ev_charger": ["h0000"],
    }
    chosen = {
        kind: tables[kind].set_index("household_id", drop=False).loc[ids].reset_index(drop=True)
        for kind, ids in owners.items()
    }
    return Fleet.from_tables(chosen, household_ids=household_ids(4))


def test_agents_stand_by_household_then_kind() -> None:
    fleet = mixed_fleet()
    assert fleet.agent_ids == (
        "h0000.battery",
        "h0000.heat_pump",
        "h0000.generator",
        "h0000.ev_charger",
        "h0001.battery",
        "h0001.generator",
        "h0003.generator",
    )
    assert fleet.kinds == tuple(agent_id.split(".")[1] for agent_id in fleet.agent_ids)
    assert fleet.household_index.tolist() == [0, 0, 0, 0, 1, 1, 3]


def test_a_fleet_does_what_its_devices_do_one_by_one() -> None:
    fleet = mixed_fleet()
    here = surroundings(trip_kwh=3.0)
    state = fleet.initial_state().expand(2, -1)
    wanted = torch.linspace(-6, 6, 2 * fleet.n_agents, dtype=torch.float64).reshape(2, -1)
    inputs = {"state": state, "surroundings": here, "dt_h": DT_H}
    p_kw = fleet.feasible_power(wanted, **inputs)
    after = fleet.next_state(state, p_kw=p_kw, surroundings=here, dt_h=DT_H)
    for group in fleet.groups:
        own, device = group.index, group.device
        own_inputs = {"state": state[:, own], "surroundings": here, "dt_h": DT_H}
        p_own = device.feasible_power(wanted[:, own], **own_inputs)
        assert torch.equal(p_kw[:, own], p_own)
        assert torch.equal(
            after[:, own],
            device.next_state(state[:, own], p_kw=p_own, surroundings=here, dt_h=DT_H),
        )
        assert torch.equal(
            fleet.violation_kw(wanted, **inputs)[:, own],
            device.violation_kw(wanted[:, own], **own_inputs),
        )
        assert torch.equal(fleet.step_cost(p_kw, DT_H)[:, own], device.step_cost(p_own, DT_H))
        assert torch.equal(fleet.reactive_kvar(p_kw)[:, own], device.reactive_kvar(p_own))


def test_agents_do_not_affect_each_other() -> None:
    fleet = mixed_fleet()
    state = fleet.initial_state().clone().requires_grad_()
    p_kw = torch.zeros(fleet.n_agents, dtype=torch.float64, requires_grad=True)

    def after(soc: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
        return fleet.next_state(soc, p_kw=power, surroundings=surroundings(), dt_h=DT_H)

    for jacobian in torch.autograd.functional.jacobian(after, (state, p_kw)):
        assert torch.equal(jacobian, torch.diag(torch.diagonal(jacobian)))


@pytest.mark.parametrize("split", [1, 2, 3])
def test_subsets_together_are_the_whole(split: int) -> None:
    fleet = mixed_fleet()
    first = fleet.subset(fleet.household_ids[:split])
    second = fleet.subset(fleet.household_ids[split:])
    assert first.agent_ids + second.agent_ids == fleet.agent_ids
    assert first.n_households + second.n_households == fleet.n_households
    state = torch.cat([first.initial_state(), second.initial_state()])
    assert torch.equal(state, fleet.initial_state())
    owners = [first.household_ids[i] for i in first.household_index.tolist()]
    assert owners == [agent_id.split(".")[0] for agent_id in first.agent_ids]


@pytest.mark.parametrize("ids", [["h0001", "h0000"], ["h0000", "h0000"], ["elsewhere"]])
def test_subsets_out_of_order_or_unknown_are_refused(ids: list[str]) -> None:
    with pytest.raises(ScenarioError, match="fleet's order"):
        mixed_fleet().subset(ids)


def test_a_fleet_without_agents_steps() -> None:
    fleet = mixed_fleet().subset(["h0002"])
    assert fleet.n_agents == 0
    empty = fleet.initial_state().expand(5, 0)
    inputs = {"surroundings": surroundings(), "dt_h": DT_H}
    p_kw = fleet.feasible_power(empty, state=empty, **inputs)
    assert p_kw.shape == (5, 0)
    assert fleet.next_state(empty, p_kw=p_kw, **inputs).shape[-1] == 0
    assert torch.equal(fleet.household_sum(p_kw), torch.zeros(5, 1, dtype=torch.float64))


def test_household_sum_adds_the_devices_of_each_home() -> None:
    fleet = mixed_fleet()
    per_agent = torch.arange(1.0, 8.0, dtype=torch.float64)
    assert fleet.household_sum(per_agent).tolist() == [10.0, 11.0, 0.0, 7.0]


def test_a_fleet_is_read_back_from_a_folder(tmp_path: Path) -> None:
    fleet = mixed_fleet()
    (tmp_path / "devices").mkdir()
    pd.DataFrame({"household_id": fleet.household_ids}).to_csv(tmp_path / "households.csv")
    tables = device_tables(4)
    for group in fleet.groups:
        ids = group.device.params.agent_ids
        table = tables[group.kind]
        table[table["agent_id"].isin(ids)].to_csv(
            tmp_path / "devices" / f"{group.kind}.csv", index=False
        )
    again = Fleet.from_folder(tmp_path)
    assert again.agent_ids == fleet.agent_ids
    torch.testing.assert_close(again.initial_state(), fleet.initial_state(), rtol=0, atol=0)


def test_a_folder_without_households_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"households\.csv"):
        Fleet.from_folder(tmp_path)


def test_impossible_values_name_agent_and_field() -> None:
    tables = device_tables(2)
    tables["battery"].loc[1, "eta_charge"] = 95.0
    tables["battery"].loc[0, "soc_min"] = 0.99
    with pytest.raises(ScenarioError) as caught:
        Fleet.from_tables(tables, household_ids=household_ids(2))
    message = str(caught.value)
    assert "'h0001.battery': `eta_charge` is 95, expected a number in (0, 1]" in message
    assert "divide by 100" in message
    assert "'h0000.battery': `soc_min` is 0.99, expected at most `soc_init`" in message


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("p_max_kw", float("inf"), "finite"),
        ("p_max_kw", float("nan"), "expected a number"),
        ("p_max_kw", -1.0, "> 0"),
        ("c_kwh_per_k", 0.0, "> 0"),
        ("temp_set_c", 293.0, r"\[0, 45\]"),
        ("temp_min_c", 21.0, "at most `temp_set_c`"),
        ("power_factor", 1.2, r"\(0, 1\]"),
    ],
)
def test_heat_pump_values_out_of_range_are_refused(
    column: str, value: float, expected: str
) -> None:
    tables = device_tables(2, kinds=("heat_pump",))
    tables["heat_pump"].loc[1, column] = value
    with pytest.raises(ScenarioError, match=expected) as caught:
        Fleet.from_tables(tables, household_ids=household_ids(2))
    assert "h0001.heat_pump" in str(caught.value)


def test_tables_with_wrong_columns_are_refused() -> None:
    tables = device_tables(2, kinds=("generator",))
    renamed = {"generator": tables["generator"].rename(columns={"p_max_kw": "pmax"})}
    with pytest.raises(ScenarioError, match=r"missing columns \['p_max_kw'\].*\['pmax'\]"):
        Fleet.from_tables(renamed, household_ids=household_ids(2))


def test_ids_must_be_known_and_unique() -> None:
    tables = device_tables(2, kinds=("generator",))
    with pytest.raises(ScenarioError, match="household 'h0001' is unknown"):
        Fleet.from_tables(tables, household_ids=["h0000"])
    with pytest.raises(ScenarioError, match="are unknown"):
        Fleet.from_tables({"wind": tables["generator"]}, household_ids=household_ids(2))
    with pytest.raises(ScenarioError, match="occurs twice"):
        Fleet.from_tables(tables, household_ids=["h0000", "h0001", "h0001"])
    doubled = {"generator": pd.concat([tables["generator"]] * 2)}
    with pytest.raises(ScenarioError, match="occurs twice"):
        Fleet.from_tables(doubled, household_ids=household_ids(2))


def test_kinds_are_ordered_as_documented() -> None:
    assert KINDS == ("battery", "heat_pump", "generator", "ev_charger")
    assert fleet_of(1).kinds == KINDS
