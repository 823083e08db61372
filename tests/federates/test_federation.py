"""A federated run is the in-process run, whatever the coupling and the number of processes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from gradmap.devices.fleet import Fleet
from gradmap.devices.pv import PvInverters, VoltVarCurve
from scenarios.results import open_run
from tests.federates.helpers import run_twin

QUANTITIES = {
    "agent_p_kw",
    "connection_v_pu",
    "ghi_w_per_m2",
    "head_power",
    "loading",
    "losses",
    "p_kw",
    "price_per_kwh",
    "pv_kw",
    "q_kvar",
    "request_kw",
    "state",
    "status",
    "taps",
    "temp_out_c",
    "v_pu",
}
CONTROLLER = "rule_based"


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    run = open_run(folder)
    return {name: run.frame(CONTROLLER, name) for name in run.quantities(CONTROLLER)}


def assert_same(a: Path, b: Path, *, atol: float) -> None:
    left, right = frames(a), frames(b)
    assert set(left) == set(right) == QUANTITIES
    for name, table in left.items():
        assert list(table.columns) == list(right[name].columns)
        assert table.index.equals(right[name].index)
        assert np.isfinite(table.to_numpy()).all()
        np.testing.assert_allclose(
            table.to_numpy(), right[name].to_numpy(), rtol=0, atol=atol, err_msg=name
        )


@pytest.mark.federation
@pytest.mark.parametrize(
    ("mode", "inverter_mode", "regulators"),
    [
        ("ordered", "unity", "locked"),
        ("lag", "volt_var", "as_defined"),
        ("iterate", "volt_var_watt", "as_defined"),
    ],
)
def test_federated_equals_in_process(prepared, mode, inverter_mode, regulators):
    run = prepared(
        coupling={"mode": mode},
        population={"inverter_mode": inverter_mode},
        feeder={"regulators": regulators},
    )
    federated = run_twin(run, name="federated", in_process=False)
    in_process = run_twin(run, name="in_process", in_process=True)
    assert_same(federated, in_process, atol=1e-9)
    info = open_run(federated).run_info(CONTROLLER)
    assert info["health"]["healthy"]
    assert info["n_steps_recorded"] == 24
    assert set(info["timings"]["by_federate"]) == {
        "environment",
        "households_1",
        "agents",
        "grid",
        "recorder",
    }


@pytest.mark.federation
def test_three_household_processes_equal_one_and_repeat_to_the_byte(prepared):
    run = prepared()
    one = run_twin(run, name="one", in_process=False)
    three = run_twin(run, name="three", in_process=False, household_processes=3)
    again = run_twin(run, name="again", in_process=False, household_processes=3)
    assert_same(one, three, atol=1e-9)
    files = sorted((three / CONTROLLER / "results").rglob("*.parquet"))
    assert len(files) == len(QUANTITIES)
    for path in files:
        twin = again / path.relative_to(three)
        assert pq.read_table(path).equals(pq.read_table(twin)), path.name


def test_iterate_settles_where_ordered_lags(prepared):
    """With volt-var the settled voltage is a fixed point: P and Q answer the recorded voltage."""
    settled = prepared(
        coupling={"mode": "iterate", "tolerance_pu": 1e-9},
        population={"inverter_mode": "volt_var", "n_households": 400, "pv_share": 1.0},
        time={"start": "2025-06-18 00:00"},
    )
    folder = run_twin(settled, name="settled", in_process=True)
    run = open_run(folder)
    status = run.frame(CONTROLLER, "status")
    assert (status["settled"] == 1).all()
    assert (status["code"] == 0).all()
    assert status["repeats"].max() > 2
    moved = curve_mismatch_kvar(folder)
    lagging = prepared(
        population={"inverter_mode": "volt_var", "n_households": 400, "pv_share": 1.0},
        time={"start": "2025-06-18 00:00"},
    )
    assert moved < 1e-4
    assert curve_mismatch_kvar(run_twin(lagging, name="lagging", in_process=True)) > 1e-2


def curve_mismatch_kvar(folder: Path) -> float:
    """Largest gap between the recorded PV vars and the volt-var curve at the recorded voltage."""
    run = open_run(folder)
    homes = run.households.reset_index()
    fleet = Fleet.from_folder(folder / "inputs")
    agent_p = torch.from_numpy(run.frame(CONTROLLER, "agent_p_kw").to_numpy().copy())
    device_q = fleet.household_sum(fleet.reactive_kvar(agent_p)).numpy()
    base_q = run.inputs("base_load_kw").to_numpy() * np.tan(np.arccos(homes["power_factor"].values))
    pv_q = run.frame(CONTROLLER, "q_kvar").to_numpy() - base_q - device_q
    v_pu = run.frame(CONTROLLER, "connection_v_pu")[list(homes["connection_id"])].to_numpy().copy()
    rating = np.where(homes["pv_kwp"] > 0, homes["pv_inverter_kva"], 0.0)
    inverters = PvInverters(
        household_ids=list(homes["household_id"]),
        s_rated_kva=torch.tensor(rating),
        volt_var=VoltVarCurve(),
    )
    available = np.zeros_like(pv_q)
    pv = run.inputs("pv_available_kw")
    for column in pv.columns:
        available[:, list(homes["household_id"]).index(column)] = pv[column]
    wanted = inverters.output(torch.tensor(available), v_pu=torch.tensor(v_pu)).q_kvar.numpy()
    return float(np.abs(pv_q - wanted).max())


def test_lag_uses_the_values_of_the_step_before(prepared):
    """The grid's solution at step k belongs to the household powers of step k - 1."""
    folder = run_twin(prepared(coupling={"mode": "lag"}), name="lag", in_process=True)
    run = open_run(folder)
    supplied = run.frame(CONTROLLER, "head_power").iloc[:, :3].sum(axis=1).to_numpy()
    losses = run.frame(CONTROLLER, "losses")["p_kw"].to_numpy()
    drawn = run.frame(CONTROLLER, "p_kw").sum(axis=1).to_numpy()
    np.testing.assert_allclose((supplied - losses)[1:], drawn[:-1], atol=1e-3)
    assert np.abs((supplied - losses)[1:] - drawn[1:]).max() > 1


def test_power_balance_holds_at_every_step(prepared):
    """What enters at the head is what homes draw plus losses (capacitors take no active power)."""
    run = open_run(run_twin(prepared(), name="balance", in_process=True))
    supplied = run.frame(CONTROLLER, "head_power").iloc[:, :3].sum(axis=1).to_numpy()
    losses = run.frame(CONTROLLER, "losses")["p_kw"].to_numpy()
    drawn = run.frame(CONTROLLER, "p_kw").sum(axis=1).to_numpy()
    np.testing.assert_allclose(supplied, drawn + losses, atol=1e-3)
