"""Read a finished or interrupted run folder: time series as data frames, tables, health.

    run = open_run(Path("runs/winter_day"))
    run["no_control"].v_pu          # data frame: local time x node
    run.summary.loc["no_control", "v_min_pu"]

Frames hold a whole quantity; for a year of 1,000 homes use `Run.blocks`, which streams it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from federates.series import TIME_COLUMN, parts
from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.schema import Scenario

INPUTS_FOLDER = "inputs"
RESULTS_FOLDER = "results"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Consecutive steps of one quantity."""

    time_s: NDArray[np.float64]  # start of each step, seconds since the scenario's start [s]
    values: NDArray[np.float64]  # [time, id], in the quantity's own unit
    ids: tuple[str, ...]  # column names of `values`

    def rows(self, start: int, stop: int) -> Block:
        """Return the steps from `start` up to but without `stop`."""
        return Block(time_s=self.time_s[start:stop], values=self.values[start:stop], ids=self.ids)


class Run:
    """A run folder, opened for reading. Nothing is read before it is asked for."""

    def __init__(
        self, folder: Path, *, scenario: Scenario, homes: Collection[str] | None = None
    ) -> None:
        """Open a folder; `homes` leaves out the devices of all other households."""
        self.folder = folder
        self.scenario = scenario
        self._homes = homes

    def of_homes(self, homes: Collection[str]) -> Run:
        """Return the same run with the devices of some households only."""
        return Run(self.folder, scenario=self.scenario, homes=homes)

    def __repr__(self) -> str:
        return f"Run({self.scenario.name!r}, controllers={list(self.controllers)})"

    def __getitem__(self, controller: str) -> ControllerResults:
        self._controller_folder(controller)
        return ControllerResults(self, controller)

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        """Controllers with results, in the scenario's order where their names are in it."""
        found = sorted(
            path.name
            for path in self.folder.iterdir()
            if path.is_dir() and ((path / "run.json").is_file() or (path / RESULTS_FOLDER).is_dir())
        )
        order = {name: position for position, name in enumerate(self.scenario.controllers)}

        def position(name: str) -> tuple[int, str]:
            recorded = str(self.run_info(name).get("controller", name))
            return order.get(name, order.get(recorded, len(order))), name

        return tuple(sorted(found, key=position))

    def run_info(self, controller: str) -> dict[str, Any]:
        """Return run.json of a controller; empty if the run was killed before it was written."""
        path = self.folder / controller / "run.json"
        return cast(dict[str, Any], _read_json(path)) if path.is_file() else {}

    def quantities(self, controller: str) -> tuple[str, ...]:
        """Return the names of the recorded quantities of a controller."""
        return _series_names(self._controller_folder(controller) / RESULTS_FOLDER)

    def has(self, controller: str, quantity: str) -> bool:
        """Whether a quantity was recorded, if only for one step."""
        return quantity in self.quantities(controller)

    def blocks(
        self,
        controller: str,
        quantity: str,
        *,
        start_s: float = 0.0,
        stop_s: float = np.inf,
    ) -> Iterator[Block]:
        """Yield a quantity part by part, with the memory of one part.

        Args:
            controller: Name of a controller of this run.
            quantity: Name of a recorded quantity, for example `v_pu`.
            start_s: First step wanted, since the scenario's start. [s]
            stop_s: Steps from here on are left out. [s]
        """
        folder = self._controller_folder(controller) / RESULTS_FOLDER
        _require_series(folder / quantity, what=f"controller {controller!r}")
        return _read_blocks(folder / quantity, start_s=start_s, stop_s=stop_s)

    def input_blocks(
        self, name: str, *, start_s: float = 0.0, stop_s: float = np.inf
    ) -> Iterator[Block]:
        """Yield an input series part by part; arguments as for `blocks`."""
        folder = self.folder / INPUTS_FOLDER / "series" / name
        _require_series(folder, what="the inputs")
        return _read_blocks(folder, start_s=start_s, stop_s=stop_s)

    def frame(
        self,
        controller: str,
        quantity: str,
        *,
        start_s: float = 0.0,
        stop_s: float = np.inf,
    ) -> pd.DataFrame:
        """Return a quantity as local time (start of the step) x id; arguments as for `blocks`."""
        return self._to_frame(self.blocks(controller, quantity, start_s=start_s, stop_s=stop_s))

    def inputs(self, name: str) -> pd.DataFrame:
        """Return an input series, for example `environment`: local time x id."""
        return self._to_frame(self.input_blocks(name))

    def has_input(self, name: str) -> bool:
        """Whether an input series exists."""
        return name in _series_names(self.folder / INPUTS_FOLDER / "series")

    def local_time(self, time_s: NDArray[np.float64] | float) -> pd.DatetimeIndex:
        """Return wall-clock times of seconds since the start; days with a clock change included."""
        start = Clock.from_settings(self.scenario.time).start
        elapsed = pd.to_timedelta(np.atleast_1d(np.asarray(time_s, dtype=float)), unit="s")
        return pd.DatetimeIndex(start + elapsed, name="time")

    @property
    def dt_h(self) -> float:
        """Step length. [h]."""
        return self.scenario.time.step_min / 60

    @cached_property
    def feeder(self) -> dict[str, Any]:
        """inputs/feeder.json: source, nodes, buses, branches, connections."""
        path = self.folder / INPUTS_FOLDER / "feeder.json"
        return cast(dict[str, Any], _read_json(_require_file(path)))

    @cached_property
    def households(self) -> pd.DataFrame:
        """households.csv, indexed by household_id."""
        return _read_table(self.folder / INPUTS_FOLDER / "households.csv", key="household_id")

    @cached_property
    def devices(self) -> dict[str, pd.DataFrame]:
        """One table a device kind, indexed by agent_id; kinds nobody owns are absent."""
        files = sorted((self.folder / INPUTS_FOLDER / "devices").glob("*.csv"))
        tables = {path.stem: _read_table(path, key="agent_id") for path in files}
        if self._homes is not None:
            homes = list(self._homes)
            tables = {k: table[table["household_id"].isin(homes)] for k, table in tables.items()}
        return {kind: table for kind, table in tables.items() if len(table)}

    @property
    def summary(self) -> pd.DataFrame:
        """summary.json: one row a controller, one column a metric (`scenarios.metrics`)."""
        path = _require_file(self.folder / "summary.json")
        return pd.DataFrame.from_dict(_read_json(path)["controllers"], orient="index")

    def _to_frame(self, blocks: Iterator[Block]) -> pd.DataFrame:
        read = list(blocks)
        if not read:
            return pd.DataFrame(index=self.local_time(np.empty(0)))
        return pd.DataFrame(
            np.concatenate([block.values for block in read]),
            index=self.local_time(np.concatenate([block.time_s for block in read])),
            columns=list(read[0].ids),
        )

    def _controller_folder(self, controller: str) -> Path:
        if controller not in self.controllers:
            raise ScenarioError(
                f"Run {self.folder.name!r} has no results of controller {controller!r}, expected "
                f"one of {list(self.controllers)}. Add it to `controllers` and run again."
            )
        return self.folder / controller


class ControllerResults:
    """The recorded quantities of one controller, each a frame of local time x id."""

    def __init__(self, run: Run, controller: str) -> None:
        self.run = run
        self.controller = controller

    def frame(self, quantity: str) -> pd.DataFrame:
        """Return any recorded quantity by its name."""
        return self.run.frame(self.controller, quantity)

    @property
    def info(self) -> dict[str, Any]:
        """run.json."""
        return self.run.run_info(self.controller)

    @property
    def p_kw(self) -> pd.DataFrame:
        """Net active power of each household, load convention. [kW]."""
        return self.frame("p_kw")

    @property
    def q_kvar(self) -> pd.DataFrame:
        """Net reactive power of each household, absorbing positive. [kvar]."""
        return self.frame("q_kvar")

    @property
    def pv_kw(self) -> pd.DataFrame:
        """Delivered solar power of each household, never negative. [kW]."""
        return self.frame("pv_kw")

    @property
    def request_kw(self) -> pd.DataFrame:
        """Power each agent asked for. [kW]."""
        return self.frame("request_kw")

    @property
    def agent_p_kw(self) -> pd.DataFrame:
        """Power each device delivered, load convention. [kW]."""
        return self.frame("agent_p_kw")

    @property
    def state(self) -> pd.DataFrame:
        """State of each device after the step: soc [-], indoor temperature [degC] or last power."""
        return self.frame("state")

    @property
    def v_pu(self) -> pd.DataFrame:
        """Line-to-neutral voltage magnitude of each node `bus.phase`. [pu]."""
        return self.frame("v_pu")

    @property
    def connection_v_pu(self) -> pd.DataFrame:
        """Voltage magnitude of each load connection over its own base. [pu]."""
        return self.frame("connection_v_pu")

    @property
    def head_power(self) -> pd.DataFrame:
        """Power into the feeder at its head, columns p_kw_1.. [kW] and q_kvar_1.. [kvar]."""
        return self.frame("head_power")

    @property
    def losses(self) -> pd.DataFrame:
        """Losses of the feeder, columns p_kw [kW] and q_kvar [kvar]."""
        return self.frame("losses")

    @property
    def taps(self) -> pd.DataFrame:
        """Tap position of each regulator. [steps]."""
        return self.frame("taps")

    @property
    def loading(self) -> pd.DataFrame:
        """Loading of each line and transformer. [fraction of normal rating]."""
        return self.frame("loading")

    @property
    def status(self) -> pd.DataFrame:
        """Outcome of each power flow: code, iterations, control_iterations."""
        return self.frame("status")


def open_run(folder: Path | str, *, scenario: Scenario | None = None) -> Run:
    """Open a run folder; files outside it that its scenario names may be gone.

    Args:
        folder: The folder that `gradmap run` wrote; it holds scenario.yaml.
        scenario: Its scenario if already at hand; read from scenario.yaml otherwise.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ScenarioError(
            f"Run folder {str(folder)!r} does not exist, expected a folder that `gradmap run` "
            f"wrote. Check the path."
        )
    if scenario is None:
        from scenarios.loading import load_scenario  # noqa: PLC0415 - not needed with `scenario`

        scenario = load_scenario(_require_file(folder / "scenario.yaml"), check_files=False)
    return Run(folder, scenario=scenario)


def aligned(*streams: Iterator[Block]) -> Iterator[tuple[Block, ...]]:
    """Walk through several series together, whatever their part lengths.

    Yields blocks of the same steps, at most one part of each series in memory, and ends with the
    shortest series: the inputs of an interrupted run are longer than its results.
    """
    buffers: list[Block | None] = [None] * len(streams)
    while True:
        for i, stream in enumerate(streams):
            held = buffers[i]
            if held is None or len(held.time_s) == 0:
                buffers[i] = next(stream, None)
        held_blocks = [block for block in buffers if block is not None]
        if len(held_blocks) < len(streams):
            return
        n = min(len(block.time_s) for block in held_blocks)
        heads = tuple(block.rows(0, n) for block in held_blocks)
        for head in heads[1:]:
            _require_same_steps(heads[0], head)
        yield heads
        buffers = [block.rows(n, len(block.time_s)) for block in held_blocks]


def _require_same_steps(a: Block, b: Block) -> None:
    """Refuse series whose steps differ."""
    if not np.array_equal(a.time_s, b.time_s):
        at = int(np.flatnonzero(a.time_s != b.time_s)[0])
        raise ScenarioError(
            f"Series of this run do not share their steps: one has {a.time_s[at]} s where another "
            f"has {b.time_s[at]} s, expected equal times. The run folder mixes two runs; run again."
        )


def _read_blocks(folder: Path, *, start_s: float, stop_s: float) -> Iterator[Block]:
    """Read the parts that overlap [start_s, stop_s)."""
    for path in parts(folder):
        time_s = pq.read_table(path, columns=[TIME_COLUMN])[TIME_COLUMN].to_numpy()
        wanted = (time_s >= start_s) & (time_s < stop_s)
        if not wanted.any():
            continue
        table = pq.read_table(path)
        ids = tuple(name for name in table.column_names if name != TIME_COLUMN)
        values = np.empty((len(time_s), len(ids)))
        for i, name in enumerate(ids):
            values[:, i] = table[name].to_numpy()
        yield Block(time_s=time_s[wanted], values=values[wanted], ids=ids)


def _series_names(folder: Path) -> tuple[str, ...]:
    """Return the sub-folders that hold at least one part."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and parts(path)))


def _require_series(folder: Path, *, what: str) -> None:
    """Refuse a quantity that was not recorded, naming those that were."""
    if not parts(folder):
        raise ScenarioError(
            f"Quantity {folder.name!r} is not recorded for {what}, expected one of "
            f"{list(_series_names(folder.parent))}. Check the name, or run again to record it."
        )


def _require_file(path: Path) -> Path:
    """Refuse a run folder without this file."""
    if not path.is_file():
        raise ScenarioError(
            f"Run folder {str(path.parent)!r} has no {path.name}, expected the file that "
            f"`gradmap run` writes. Run again, or `gradmap report` if only summaries are missing."
        )
    return path


def _read_json(path: Path) -> Any:
    """Read a JSON file, naming it if it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise ScenarioError(
            f"{path} is not JSON ({exc}), expected what `gradmap run` wrote. Run again."
        ) from exc


def _read_table(path: Path, *, key: str) -> pd.DataFrame:
    """Read a CSV table; ids stay text, and a bus called "nan" is not a missing value."""
    header = pd.read_csv(_require_file(path), nrows=0).columns
    text = [name for name in header if name.endswith("_id") or name == "tariff"]
    table = pd.read_csv(
        path, dtype=dict.fromkeys(text, "str"), keep_default_na=False, na_values=[""]
    )
    return table.set_index(key)
