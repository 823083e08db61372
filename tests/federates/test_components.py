"""The components without HELICS: ports, placement, failures of the power flow."""

import logging
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from federates.component import Component, Inbox, Schedule, Stage
from federates.config import FederateConfig, GridSettings, HouseholdsSettings, RecorderSettings
from federates.grid import Grid
from federates.households import Households
from federates.oedisi import PORTS
from federates.recorder import RECORDED, Recorder
from federates.registry import make_component
from federates.topics import (
    CONNECTION_VOLTAGES,
    HEAD_POWER,
    LOSSES,
    OBSERVATIONS,
    POWERS_IMAG,
    POWERS_REAL,
    STATUS,
    STATUS_IDS,
    VOLTAGES,
)
from gradmap.errors import ConvergenceError, FederationError
from opendss_models.solve_status import SolveStatus
from scenarios.federation import federate_configs

SCHEDULE = Schedule(dt_s=900, n_steps=4)
ABSURD_KW = 3e4


# ------------------------------------------------------------------------------------------ ports


def configs(
    prepared, folder: Path, *, controller: str = "rule_based"
) -> tuple[FederateConfig, ...]:
    run = prepared(population={"n_households": 12})
    return federate_configs(
        run.scenario,
        controller=controller,
        inputs_folder=run.folder / "inputs",
        results_folder=folder / "results",
    )


def test_declared_ports_are_those_of_the_components(prepared, tmp_path):
    pytest.importorskip("highspy", reason="highspy is an extra")
    kinds = set()
    federation = configs(prepared, tmp_path)
    (managers,) = [
        config
        for config in configs(prepared, tmp_path, controller="hems")
        if config.settings.kind == "hems"
    ]
    for config in (*federation, managers):
        component = make_component(config)
        inputs, outputs = PORTS[config.settings.kind]
        assert tuple(component.inputs) == tuple(inputs)
        assert set(component.output_ids()) == set(outputs)
        assert set(config.subscriptions) == {port.name for port in inputs}
        kinds.add(config.settings.kind)
    assert kinds == set(PORTS)


def test_every_subscription_has_a_publisher(prepared, tmp_path):
    federation = configs(prepared, tmp_path)
    published = {
        f"{config.name}/{port.name}" for config in federation for port in PORTS[kind_of(config)][1]
    }
    subscribed = {
        topic
        for config in federation
        for topics in config.subscriptions.values()
        for topic in topics
    }
    assert subscribed <= published


def kind_of(config: FederateConfig) -> str:
    return config.settings.kind


# ------------------------------------------------------------------------------------------- grid


def make_grid(schedule: Schedule = SCHEDULE, **settings) -> Grid:
    return Grid(GridSettings(regulators="locked", source_v_pu=1.0, **settings), schedule=schedule)


def powers(p_kw: np.ndarray, q_kvar: np.ndarray | None = None) -> Inbox:
    inbox = Inbox()
    inbox.put(POWERS_REAL.name, p_kw)
    inbox.put(POWERS_IMAG.name, np.zeros_like(p_kw) if q_kvar is None else q_kvar)
    return inbox


def solve(grid: Component, inbox: Inbox, *, step: int = 0):
    return grid.run_stage(Stage.SOLVE, step=step, repeat=0, inbox=inbox).outputs


def placement(folder: Path, homes: dict[str, str]) -> Path:
    path = folder / "households.csv"
    rows = [f"{home},{connection}" for home, connection in homes.items()]
    path.write_text("household_id,connection_id\n" + "\n".join(rows) + "\n")
    return path


def test_homes_at_one_connection_are_summed(tmp_path):
    direct = make_grid()
    ids = direct.output_ids()[CONNECTION_VOLTAGES]
    homes = {"h1": ids[5], "h2": ids[0], "h3": ids[5], "h4": ids[5]}
    grid = make_grid(households_file=placement(tmp_path, homes))
    order = ("h4", "h2", "h1", "h3")
    grid.bind({POWERS_REAL.name: order, POWERS_IMAG.name: order})
    drawn = solve(grid, powers(np.array([30.0, 5.0, 10.0, 20.0]), np.array([3.0, 0.0, 1.0, 2.0])))

    by_connection = np.zeros((2, len(ids)))
    by_connection[:, 5] = 60.0, 6.0
    by_connection[:, 0] = 5.0, 0.0
    direct.bind({POWERS_REAL.name: ids, POWERS_IMAG.name: ids})
    expected = solve(direct, powers(*by_connection))
    for port in (VOLTAGES, HEAD_POWER, LOSSES):
        np.testing.assert_allclose(drawn[port], expected[port], rtol=0, atol=1e-9)
    supplied = drawn[HEAD_POWER][:3].sum() - drawn[LOSSES][0]
    assert supplied == pytest.approx(65.0, abs=1e-3)


def test_power_moves_with_its_home(tmp_path):
    """The same powers at another connection give other voltages: order does matter."""
    ids = make_grid().output_ids()[CONNECTION_VOLTAGES]
    low = []
    for place in (ids[0], ids[-1]):
        grid = make_grid(households_file=placement(tmp_path, {"h1": place}))
        grid.bind({POWERS_REAL.name: ("h1",), POWERS_IMAG.name: ("h1",)})
        outputs = solve(grid, powers(np.array([300.0]), np.array([100.0])))
        low.append(ids[int(np.argmin(outputs[CONNECTION_VOLTAGES]))])
    assert low[0] != low[1]


def test_a_home_without_a_place_is_refused(tmp_path):
    ids = make_grid().output_ids()[CONNECTION_VOLTAGES]
    grid = make_grid(households_file=placement(tmp_path, {"h1": ids[0]}))
    with pytest.raises(FederationError, match=r"Household 'h2' is not in .*households.csv"):
        grid.bind({POWERS_REAL.name: ("h1", "h2")})


def test_a_connection_off_the_feeder_is_refused(tmp_path):
    grid = make_grid(households_file=placement(tmp_path, {"h1": "nowhere.1"}))
    with pytest.raises(FederationError, match=r"'nowhere.1' of 'powers_real' is not on feeder 'ie"):
        grid.bind({POWERS_REAL.name: ("h1",)})


def test_a_grid_without_active_powers_is_refused():
    with pytest.raises(FederationError, match="no subscription for 'powers_real'"):
        make_grid().bind({})


def test_a_grid_without_reactive_powers_has_homes_at_unity():
    grid = make_grid()
    ids = grid.output_ids()[CONNECTION_VOLTAGES]
    grid.bind({POWERS_REAL.name: ids})
    inbox = Inbox()
    inbox.put(POWERS_REAL.name, np.full(len(ids), 2.0))
    assert solve(grid, inbox)[STATUS][STATUS_IDS.index("code")] == SolveStatus.OK


def grid_and_loads(**settings) -> tuple[Grid, Inbox, Inbox]:
    grid = make_grid(**settings)
    ids = grid.output_ids()[CONNECTION_VOLTAGES]
    grid.bind({POWERS_REAL.name: ids, POWERS_IMAG.name: ids})
    return grid, powers(np.full(len(ids), 5.0)), powers(np.full(len(ids), ABSURD_KW))


def test_hold_keeps_the_last_voltages_says_so_and_recovers(caplog):
    grid, sound, absurd = grid_and_loads(on_failure="hold")
    before = solve(grid, sound)
    with caplog.at_level(logging.WARNING):
        held = solve(grid, absurd, step=1)
    for port in (VOLTAGES, CONNECTION_VOLTAGES, HEAD_POWER):
        np.testing.assert_array_equal(held[port], before[port])
    code = held[STATUS][STATUS_IDS.index("code")]
    assert code in (SolveStatus.DIVERGED, SolveStatus.NON_FINITE, SolveStatus.IMPLAUSIBLE)
    assert caplog.messages[0].startswith(f"step 1: {SolveStatus(int(code)).name}: ")
    after = solve(grid, sound, step=2)
    assert after[STATUS][STATUS_IDS.index("code")] == SolveStatus.OK
    np.testing.assert_allclose(after[VOLTAGES], before[VOLTAGES], rtol=0, atol=1e-7)


def test_fail_ends_the_run_at_the_step():
    grid, sound, absurd = grid_and_loads(on_failure="fail")
    solve(grid, sound)
    with pytest.raises(ConvergenceError, match=r"Feeder 'ieee123' did not solve at step 3: .*hold"):
        solve(grid, absurd, step=3)


def test_hold_has_nothing_to_hold_in_the_first_step():
    grid, _, absurd = grid_and_loads(on_failure="hold")
    with pytest.raises(ConvergenceError, match="has no earlier voltages to hold"):
        solve(grid, absurd)


# --------------------------------------------------------------------------------------- recorder


def test_the_recorder_writes_every_subscribed_quantity_by_id(tmp_path):
    recorder = Recorder(RecorderSettings(results_folder=tmp_path, part_steps=2), schedule=SCHEDULE)
    ids = {port.name: (f"{port.name}_1", f"{port.name}_2") for port in RECORDED}
    recorder.bind(ids)
    for step in range(3):
        inbox = Inbox()
        for number, port in enumerate(RECORDED):
            inbox.put(port.name, np.array([step + 0.5, float(number)]))
        recorder.run_stage(Stage.RECORD, step=step, repeat=0, inbox=inbox)
    recorder.close()
    assert {path.name for path in tmp_path.iterdir()} == {port.quantity for port in RECORDED}
    for number, port in enumerate(RECORDED):
        files = sorted((tmp_path / port.quantity).iterdir())
        assert [file.name for file in files] == ["part-00000.parquet", "part-00001.parquet"]
        table = pq.read_table(files[0]).to_pydict()
        assert list(table) == ["time_s", *ids[port.name]]
        assert table["time_s"] == [0.0, 900.0]
        assert table[ids[port.name][0]] == [0.5, 1.5]
        assert table[ids[port.name][1]] == [number, number]


def test_the_recorder_refuses_a_step_without_a_value(tmp_path):
    recorder = Recorder(RecorderSettings(results_folder=tmp_path), schedule=SCHEDULE)
    recorder.bind({VOLTAGES.name: ("a",)})
    with pytest.raises(FederationError, match="Port 'voltages' has no value at step 2"):
        recorder.run_stage(Stage.RECORD, step=2, repeat=0, inbox=Inbox())


def test_a_quantity_that_nobody_has_makes_no_folder(tmp_path):
    recorder = Recorder(RecorderSettings(results_folder=tmp_path), schedule=SCHEDULE)
    recorder.bind({"taps": (), "losses": ("p_kw", "q_kvar")})
    assert [path.name for path in tmp_path.iterdir()] == ["losses"]


def test_observations_do_not_depend_on_the_split_into_processes(prepared):
    """Homes without a vehicle see the same, whether or not a neighbour in their process has one."""
    run = prepared(population={"n_households": 20, "devices": {"ev_charger": 0.2}})
    inputs = run.folder / "inputs"
    schedule = Schedule(dt_s=3600, n_steps=24)
    whole = Households(HouseholdsSettings(inputs_folder=inputs), schedule=schedule)
    parts = [
        Households(HouseholdsSettings(inputs_folder=inputs, first=i, count=1), schedule=schedule)
        for i in range(20)
    ]
    inbox = Inbox()
    inbox.put("clock", np.array([7.0, 2.0]))
    for step in range(12):
        together = whole.run_stage(Stage.OBSERVE, step=step, repeat=0, inbox=inbox)
        alone = [
            part.run_stage(Stage.OBSERVE, step=step, repeat=0, inbox=inbox).outputs[OBSERVATIONS]
            for part in parts
        ]
        np.testing.assert_array_equal(together.outputs[OBSERVATIONS], np.concatenate(alone))
