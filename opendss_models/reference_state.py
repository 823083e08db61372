"""Taps, controls and multipliers of an engine while a reference uses it, and their way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from gradmap.errors import FeederError
from gradmap.feeder import Feeder, FloatArray
from opendss_models.engine import Engine
from opendss_models.power_setting import PowerSetter

OTHER_CONTROLS = (
    "capcontrol.", "swtcontrol.", "fuse.", "relay.", "recloser.", "invcontrol.", "expcontrol.",
    "storagecontroller.", "gendispatcher.", "upfccontrol.", "espvlcontrol.",
)  # fmt: skip
"""Controls that a `Feeder` does not have; they rest while its regulators act."""


class BorrowedState:
    """What a reference changes in an engine besides powers."""

    def __init__(self, engine: Engine, feeder: Feeder, *, powers: PowerSetter) -> None:
        """Find the feeder's regulators, and the controls that it does not have."""
        self._engine, self._dss, self._powers = engine, engine.context, powers
        self._windings = _regulated_windings(engine, feeder)
        self._foreign_controls = _foreign_controls(engine, feeder)

    @contextmanager
    def borrowed(self, control_mode: int, *, tolerance: float | None = None) -> Iterator[None]:
        """Set multipliers to 1, control mode and tolerance; afterwards put everything back."""
        dss = self._dss
        before = dss.Solution.ControlMode(), dss.Solution.LoadMult(), self.tap_ratios()
        controls, powers = self._engine.control_state(), self._powers.present()
        dss.Solution.LoadMult(1.0)
        dss.Solution.Convergence(tolerance or self._engine.settings.tolerance)
        dss.Solution.ControlMode(control_mode)
        for name in self._foreign_controls:
            dss.Circuit.Disable(name)
        try:
            yield
        finally:
            for name in self._foreign_controls:
                dss.Circuit.Enable(name)
            mode, multiplier, taps = before
            self._powers.put_back(powers)
            self._engine.restore_control_state(controls)
            self.set_tap_ratios(taps)
            dss.Solution.LoadMult(multiplier)
            dss.Solution.Convergence(self._engine.settings.tolerance)
            self.start_cold(mode)

    def start_cold(self, control_mode: int) -> None:
        """Make the next solve independent of those before.

        It starts from no-load voltages, no control action waits, and loads are linearised at their
        present power: OpenDSS would keep the linearisation of an earlier one, with which some
        situations do not converge (4-bus YY at 0.7 pu).
        """
        self._dss.Text.Command("set mode=snapshot")
        self._dss.Solution.ControlMode(control_mode)
        self._dss.CtrlQueue.ClearQueue()
        self._dss.YMatrix.SystemYChanged(True)

    def tap_ratios(self) -> FloatArray:
        """Return the present ratios, [regulator]. [pu]."""
        return np.array([self._tap_of(*winding) for winding in self._windings], dtype=np.float64)

    def _tap_of(self, transformer: str, winding: int) -> float:
        self._dss.Transformers.Name(transformer)
        self._dss.Transformers.Wdg(winding)
        return float(self._dss.Transformers.Tap())

    def set_tap_ratios(self, ratios: FloatArray) -> None:
        """Move every regulator's winding to a ratio, [regulator]. [pu]."""
        for winding, ratio in zip(self._windings, ratios.tolist(), strict=True):
            if self._tap_of(*winding) != ratio:  # writing makes OpenDSS rebuild its matrix
                self._dss.Transformers.Tap(ratio)


def _regulated_windings(engine: Engine, feeder: Feeder) -> tuple[tuple[str, int], ...]:
    """Return transformer and winding that each regulator moves."""
    controls = engine.context.RegControls
    rows = {name: k for k, name in enumerate(engine.regulator_ids, start=1)}
    windings = []
    for regulator in feeder.regulators:
        name = regulator.regulator_id.removeprefix("regcontrol.")
        if name not in rows:
            raise FeederError(
                f"Feeder {feeder.name!r}: the engine has no regulator {name!r}; it has "
                f"{', '.join(rows) or 'none'}."
            )
        controls.Idx(rows[name])
        windings.append((str(controls.Transformer()).lower(), int(controls.TapWinding())))
    return tuple(windings)


def _foreign_controls(engine: Engine, feeder: Feeder) -> tuple[str, ...]:
    """Return the enabled controls that are no regulators of the feeder."""
    dss = engine.context
    own = {f"regcontrol.{r.regulator_id.removeprefix('regcontrol.')}" for r in feeder.regulators}
    found = []
    for name in dss.Circuit.AllElementNames():
        control = name.lower().startswith(("regcontrol.", *OTHER_CONTROLS))
        if control and name.lower() not in own:
            dss.Circuit.SetActiveElement(name)
            if dss.CktElement.Enabled():
                found.append(name)
    return tuple(found)
