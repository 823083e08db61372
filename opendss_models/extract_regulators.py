"""Regulators of a compiled circuit: the winding they move and the settings of their control."""

from __future__ import annotations

from gradmap.feeder import Regulator, RegulatorControl
from opendss_models.raw_elements import NodeIndex, RawElement
from opendss_models.windings import Windings

_PT_PHASE = {"max": -1, "min": -2}


def transformer_of(control: RawElement) -> str:
    """Return the full name of the transformer that a RegControl moves."""
    return f"transformer.{control.properties['transformer']}".lower()


def moved_winding(control: RawElement) -> int:
    """Return the winding, from 0, whose taps a RegControl moves."""
    return int(control.properties["tapwinding"]) - 1


def read_regulator(
    control: RawElement, *, transformer: RawElement, branch: int, index: NodeIndex
) -> Regulator:
    """Return one regulator and its control.

    Args:
        control: The RegControl.
        transformer: Its transformer.
        branch: Row of the transformer in the feeder.
        index: Rows of the feeder's nodes.
    """
    unit, moved = transformer.properties, moved_winding(control)
    windings = Windings(transformer, regulated=[moved])
    return Regulator(
        regulator_id=control.name.split(".", 1)[1],
        branch=branch,
        winding_incidence=windings.part_of(moved),
        tap_ratio=float(windings.tap_ratio[moved]),
        tap_ratio_min=float(unit["mintap"][moved]),
        tap_ratio_max=float(unit["maxtap"][moved]),
        n_taps=int(unit["numtaps"][moved]),
        control=_read_control(control, transformer=transformer, windings=windings, index=index),
    )


def _read_control(
    control: RawElement, *, transformer: RawElement, windings: Windings, index: NodeIndex
) -> RegulatorControl:
    """Return the settings of a control."""
    settings = control.properties
    watched = int(settings["winding"]) - 1
    is_remote = bool(settings["bus"])
    # OpenDSS leaves line-drop compensation out where the PT is at a remote bus.
    has_ldc = not is_remote and (settings["r"] != 0.0 or settings["x"] != 0.0)
    if is_remote:
        # There OpenDSS looks at the bus's first phase to ground, whatever phase the PT is on.
        pairs = [(int(index.rows(control)[0]), index.ground)]
        conductors = [0]
    else:
        rows = index.rows(transformer).tolist()
        pairs = [(rows[start], rows[end]) for start, end in windings.ends(watched)]
        conductors = list(range(transformer.n_phases))
    return RegulatorControl(
        v_reg_v=float(settings["vreg"]),
        band_v=float(settings["band"]),
        pt_ratio=float(settings["remoteptratio" if is_remote else "ptratio"]),
        ct_primary_a=float(settings["ctprim"]) if has_ldc else 0.0,
        r_v=float(settings["r"]) if has_ldc else 0.0,
        x_v=float(settings["x"]) if has_ldc else 0.0,
        v_limit_v=float(settings["vlimit"]),
        delay_s=float(settings["delay"]),
        tap_delay_s=float(settings["tapdelay"]),
        max_tap_change=int(settings["maxtapchange"]),
        winding_kv=float(windings.kv[watched]),
        monitored_nodes=tuple(pairs),
        monitored_conductors=tuple(watched * transformer.n_conductors + k for k in conductors),
        pt_phase=0 if is_remote else _pt_phase(control),
    )


def _pt_phase(control: RawElement) -> int:
    """Return the position of the phase a control looks at, or the code for a choice."""
    text = str(control.properties["ptphase"]).lower()
    return _PT_PHASE[text] if text in _PT_PHASE else int(text) - 1
