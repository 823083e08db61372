"""The one wrapper around OpenDSS: compile, set powers, solve, read. Nothing else imports it.

One `Engine` holds one engine context for its life, whose memory is not given back (about 2.6 MiB
for the 123-bus feeder): a production process makes one engine and keeps it.

Signs follow `gradmap.units`: positive power is drawn from the grid, `head_power` flows into the
feeder. Voltages are per unit of the node's line-to-neutral base or of the connection's own base.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradmap.errors import FeederError
from opendss_models.circuit_reader import (
    enabled_branches,
    enabled_sources,
    read_bases,
    read_capacitor_power,
    read_grounded_buses,
    read_head_power,
    read_load_power,
    read_loads,
    read_map,
    read_shunts,
    split_node,
)
from opendss_models.compiling import apply_settings, compile_feeder, solve_no_load
from opendss_models.connections import (
    LoadConnection,
    checked_power,
    rating_notes,
    split_loads,
    terminal_rows,
)
from opendss_models.controls import Controls, ControlState, element_names
from opendss_models.household_loads import attach_loads, write_powers
from opendss_models.judgement import judge, read_facts
from opendss_models.scan import scan_feeder
from opendss_models.settings import EngineSettings
from opendss_models.solve_status import SolveOutcome, SolveStatus
from opendss_models.topology import ENERGISED_PU, FeederMap, Terminal, check_bases, check_supply

if TYPE_CHECKING:
    from opendssdirect.OpenDSSDirect import OpenDSSDirect

__all__ = [
    "ControlState",
    "Engine",
    "EngineSettings",
    "FeederMap",
    "LoadConnection",
    "SolveOutcome",
    "SolveStatus",
]

_CONTROL_OFF = -1
_CONTROL_STATIC = 0


class Engine:
    """A compiled feeder that can be loaded, solved and read.

    Attributes:
        feeder: The master file.
        settings: As given.
        node_ids: `bus.phase` of every node, lower case; the order of every node array.
        node_kv_base: Line-to-neutral base of every node. [kV]
        energised: Whether a source reaches the node; others are left out of plausibility checks.
        grounded: Whether the node's voltage to ground is defined, as it is not behind a delta
            winding (bus 610 of the 123-bus feeder): leave such nodes out of voltage limits.
        feeder_loads: Names of the feeder's own enabled Load elements.
        connections: Where households can sit.
        regulator_ids: Names of the voltage regulators, the order of `taps`.
        notes: Remarks about the feeder that do not stop it.
        branch_ids: `line.<name>` and `transformer.<name>`, the order of `loading`.
    """

    def __init__(self, feeder: Path, *, settings: EngineSettings | None = None) -> None:
        """Scan, compile and check a feeder.

        Args:
            feeder: Its master .dss file.
            settings: Solver settings; defaults if left out.

        Raises:
            FeederError: The file is missing, unsafe, does not compile or is not connected.
        """
        self.feeder = Path(feeder)
        self.settings = settings or EngineSettings()
        self.scan = scan_feeder(self.feeder, trust=self.settings.trust)
        self._dss, self._dss_error = _new_context()
        self._attached = False
        self._load_index: list[int] = []
        self._compile()
        self._survey()
        self._initial_state = self.control_state()

    @property
    def context(self) -> OpenDSSDirect:
        """Return the raw engine context; whoever adds elements calls `circuit_changed`."""
        return self._dss

    def circuit_changed(self) -> None:
        """Take note that elements came or went: the next solve may order its nodes anew."""
        self._nodes_stale = True

    # ------------------------------------------------------------------ set up

    def _compile(self) -> None:
        """Run the master file and put the solver into a known state."""
        trust = self.settings.trust
        compile_feeder(self._dss, self.feeder, trust=trust, dss_error=self._dss_error)
        file_control_off = self._dss.Solution.ControlMode() == _CONTROL_OFF
        locked = self.settings.regulators == "locked"
        self._control_mode = _CONTROL_OFF if locked or file_control_off else _CONTROL_STATIC
        apply_settings(self._dss, self.settings)
        self._cold_start()
        self._controls = Controls(self._dss)
        self.regulator_ids = self._controls.regulator_ids
        self._capacitors = element_names(self._dss.Capacitors)
        if locked:
            self.set_taps(np.zeros(len(self.regulator_ids)))

    def _cold_start(self) -> None:
        """Make the next solve start from no-load voltages with controls unarmed."""
        self._dss.Text.Command("set mode=snapshot")
        self._dss.Solution.ControlMode(self._control_mode)
        self._dss.CtrlQueue.ClearQueue()

    def _survey(self) -> None:
        """Solve without load, check the topology, and list nodes, connections and branches."""
        dss = self._dss
        dss.Text.Command("makebuslist")
        loads = read_loads(dss)
        if not loads:
            raise FeederError(
                f"Feeder {self.feeder}: it has no enabled Load element, so there is no place for "
                f"households."
            )
        self.feeder_loads = tuple(load.name for load in loads)
        terminals = [Terminal(element=f"load.{x.name}", bus=x.bus, nodes=x.nodes) for x in loads]
        terminals += read_shunts(dss)
        before = self.control_state()
        self._enable(self.feeder_loads, enabled=False)
        dss.Solution.ControlMode(_CONTROL_OFF)
        solve_no_load(dss, self.feeder, dss_error=self._dss_error)
        self._read_nodes()
        self._index_nodes()
        check_bases(self._kv_base_by_bus)
        vm_pu = np.abs(self.node_v_pu())
        nodes = map(split_node, self.node_ids)
        check_supply(terminals, v_no_load_pu=dict(zip(nodes, vm_pu.tolist(), strict=True)))
        self.energised = vm_pu >= ENERGISED_PU
        self._enable(self.feeder_loads, enabled=True)
        self._cold_start()
        self.restore_control_state(before)
        self.notes = (
            *map(str, self.scan.findings),
            *rating_notes(loads, kv_base_by_bus=self._kv_base_by_bus),
        )
        self.connections = split_loads(loads, kv_base_by_bus=self._kv_base_by_bus)
        self._connection_nodes = terminal_rows(self.connections, node_ids=self.node_ids)
        self._connection_kv_base = np.array([c.kv_base for c in self.connections])
        branches = tuple(enabled_branches(dss))
        self.branch_ids = tuple(name for _, name in branches)
        self._branch_rows = np.array([row for row, _ in branches], dtype=np.intp)
        self._sources = tuple(enabled_sources(dss))
        grounded = read_grounded_buses(dss, sources=self._sources)
        self.grounded = np.array([split_node(node)[0] in grounded for node in self.node_ids])

    def _read_nodes(self) -> None:
        """List the nodes of the no-load circuit with their bases."""
        self.node_ids = tuple(name.lower() for name in self._dss.Circuit.YNodeOrder())
        self._kv_base_by_bus = read_bases(self._dss, node_ids=self.node_ids)
        self.node_kv_base = np.array(
            [self._kv_base_by_bus[split_node(node)[0]] for node in self.node_ids]
        )

    def _index_nodes(self) -> None:
        """Find `node_ids` in the engine's own order, which changes when loads come and go."""
        row = {name.lower(): k for k, name in enumerate(self._dss.Circuit.YNodeOrder())}
        self._node_order = np.array([row[node] for node in self.node_ids], dtype=np.intp)
        self._nodes_stale = False

    def _enable(self, names: Iterable[str], *, enabled: bool) -> None:
        """Switch Load elements in or out."""
        switch = self._dss.Circuit.Enable if enabled else self._dss.Circuit.Disable
        for name in names:
            switch(f"load.{name}")
        self.circuit_changed()

    # ------------------------------------------------------------------ loads

    def attach_households(self) -> None:
        """Replace the feeder's own loads by one constant-power Load per connection, at 0 kW.

        They ignore the file's load multiplier, so what is set is what is drawn.
        """
        if self._attached:
            return
        self._enable(self.feeder_loads, enabled=False)
        self._load_index = attach_loads(self._dss, self.connections)
        self._attached = True
        self.circuit_changed()

    def set_connection_power(self, *, p_kw: ArrayLike, q_kvar: ArrayLike) -> None:
        """Set what every connection draws until the next call.

        Args:
            p_kw: Active power, load convention, [connection]. [kW]
            q_kvar: Reactive power, positive absorbs, [connection]. [kvar]

        Raises:
            FeederError: A value is not finite or beyond 1e5; nothing was set.
        """
        if not self._attached:
            raise FeederError(
                f"Feeder {self.feeder}: powers cannot be set because its own loads are still in. "
                f"Call `attach_households()` first."
            )
        p = checked_power(p_kw, name="p_kw", connections=self.connections)
        q = checked_power(q_kvar, name="q_kvar", connections=self.connections)
        write_powers(self._dss, self._load_index, p_kw=p, q_kvar=q)

    def set_load_multiplier(self, multiplier: float) -> None:
        """Scale the feeder's own loads; households are not affected."""
        self._dss.Solution.LoadMult(multiplier)

    # ------------------------------------------------------------------ solve

    def solve(self) -> SolveOutcome:
        """Solve the power flow with the controls as the settings say.

        Returns:
            The outcome. After DIVERGED or NON_FINITE the controls are back where they were before
            the call and the next solve starts from no-load voltages; after NON_FINITE all
            household powers are zero until they are set again.
        """
        before = self.control_state()
        error = ""
        number = 0
        try:
            self._dss.Solution.Solve()
        except self._dss_error as exc:
            number, error = exc.args[0], str(exc)
        if self._nodes_stale:
            self._index_nodes()
        outcome = judge(
            self.node_v_pu(),
            energised=self.energised,
            node_ids=self.node_ids,
            settings=self.settings,
            facts=read_facts(self._dss.Solution, error_number=number, error=error),
        )
        if outcome.status is SolveStatus.NON_FINITE:
            self._recover(before)
        elif outcome.status is not SolveStatus.OK:
            after = self.control_state()
            self._cold_start()
            diverged = outcome.status is SolveStatus.DIVERGED
            self.restore_control_state(before if diverged else after)
        return outcome

    def _recover(self, state: ControlState) -> None:
        """Get rid of NaN voltages: restart the solution, and if that is not enough recompile."""
        if self._attached:
            zeros = np.zeros(len(self.connections))
            self.set_connection_power(p_kw=zeros, q_kvar=zeros)
        self._cold_start()
        self.restore_control_state(state)
        try:
            self._dss.Solution.SolveNoControl()
        except self._dss_error:
            finite = False
        else:
            self._index_nodes()
            finite = bool(np.isfinite(self._v_kv()).all())
        if not finite:
            self._recompile(state)
        self._cold_start()
        self.restore_control_state(state)

    def _recompile(self, state: ControlState) -> None:
        """Build the circuit again from its files."""
        multiplier = self._dss.Solution.LoadMult()
        attached, self._attached = self._attached, False
        self._compile()
        self._survey()
        self._dss.Solution.LoadMult(multiplier)
        if attached:
            self.attach_households()
        self.restore_control_state(state)

    # ------------------------------------------------------------------ read

    def _v_kv(self) -> NDArray[np.complex128]:
        """Return the node-to-ground voltages in kV, in the order of `node_ids`."""
        volts: NDArray[np.complex128] = np.asarray(
            self._dss.Circuit.YNodeVArray(), dtype=np.float64
        ).view(np.complex128)
        return volts[self._node_order] * 1e-3

    def node_v_pu(self) -> NDArray[np.complex128]:
        """Return every node's per-unit voltage to ground, [node]."""
        v_pu: NDArray[np.complex128] = self._v_kv() / self.node_kv_base
        return v_pu

    def connection_v_pu(self) -> NDArray[np.float64]:
        """Return every connection's voltage magnitude per unit of its own base, [connection]."""
        v_kv = np.append(self._v_kv(), 0.0)
        first, second = self._connection_nodes.T
        vm_pu: NDArray[np.float64] = np.abs(v_kv[first] - v_kv[second]) / self._connection_kv_base
        return vm_pu

    def head_power(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return active [kW] and reactive [kvar] power into the feeder, each [phase 1..3].

        Phases that the sources do not have stay zero.
        """
        return read_head_power(self._dss, sources=self._sources)

    def losses(self) -> tuple[float, float]:
        """Return the losses of all lines and transformers in kW and kvar."""
        p_w, q_var = self._dss.Circuit.Losses()
        return p_w * 1e-3, q_var * 1e-3

    def total_load_power(self) -> tuple[float, float]:
        """Return what all enabled loads draw in the present solution, in kW and kvar."""
        return read_load_power(self._dss)

    def capacitor_power(self) -> tuple[float, float]:
        """Return what all shunt capacitors draw in the present solution, in kW and kvar."""
        return read_capacitor_power(self._dss, capacitors=self._capacitors)

    def loading(self) -> NDArray[np.float64]:
        """Return the largest phase current over the normal rating, [branch].

        A fraction; 0 where the feeder gives no rating.
        """
        percent = np.asarray(self._dss.PDElements.AllPctNorm(False), dtype=np.float64)
        return percent[self._branch_rows] * 1e-2

    # ------------------------------------------------------------------ controls

    def taps(self) -> NDArray[np.int64]:
        """Return every regulator's tap position, 0 at neutral, [regulator]."""
        return np.array(self._controls.taps(), dtype=np.int64)

    def set_taps(self, taps: ArrayLike) -> None:
        """Move every regulator to a tap position, whole numbers, [regulator]."""
        self._controls.set_taps(taps)

    def reset_taps(self) -> None:
        """Put taps and capacitors back where compiling the feeder left them."""
        self._controls.restore(self._initial_state)

    def control_state(self) -> ControlState:
        """Return the positions of regulators and capacitors, for `restore_control_state`."""
        return self._controls.state()

    def restore_control_state(self, state: ControlState) -> None:
        """Put regulators and capacitors where they were when `state` was taken."""
        self._controls.restore(state)

    # ------------------------------------------------------------------ map

    def feeder_map(self) -> FeederMap:
        """Return where every bus is and what every branch connects."""
        return read_map(
            self._dss,
            source=self._sources[0],
            branch_ids=self.branch_ids,
            kv_base_by_bus=self._kv_base_by_bus,
        )


def _new_context() -> tuple[OpenDSSDirect, type[Exception]]:
    """Return a fresh engine context without side effects, and its exception class."""
    # Imported here: it pulls pandas in and takes 0.7 s, which `gradmap --help` should not pay.
    import opendssdirect  # noqa: PLC0415

    dss = opendssdirect.dss.NewContext()
    dss.Basic.AllowChangeDir(False)
    dss.Basic.AllowEditor(False)
    dss.Basic.AllowForms(False)
    if dss.Basic.AllowDOScmd():
        raise FeederError(
            "OpenDSS would let feeder files run shell commands (DSS_CAPI_ALLOW_DOSCMD is set). "
            "Unset that environment variable."
        )
    return dss, opendssdirect.DSSException
