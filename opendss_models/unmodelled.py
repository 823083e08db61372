"""What a circuit has and a `Feeder` cannot hold: found, listed, and refused unless accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gradmap.errors import FeederError
from opendss_models.extract_branches import has_windings
from opendss_models.extract_connections import LOAD_MODELS
from opendss_models.extract_regulators import moved_winding, transformer_of
from opendss_models.raw_elements import RawElement

REST_KINDS = ("capacitor", "reactor", "fault", "gictransformer")
"""Linear elements that are only an admittance."""
_MODELLED = (
    *REST_KINDS,
    *("line", "transformer", "vsource", "load", "generator", "pvsystem", "storage", "regcontrol"),
    *("energymeter", "monitor", "sensor"),
)
_MAX_SHOWN = 20

_BY_CLASS = {
    "autotrans": ("autotransformer", "it has no series part and its taps stay as they are"),
    "capcontrol": ("capacitor_control", "the capacitor stays as it is"),
    "expcontrol": ("inverter_control", "the inverter keeps its present power"),
    "invcontrol": ("inverter_control", "the inverter keeps its present power"),
    "fuse": ("protection", "it never opens a branch"),
    "recloser": ("protection", "it never opens a branch"),
    "relay": ("protection", "it never opens a branch"),
    "swtcontrol": ("switch_control", "the switch stays as it is"),
    "indmach012": ("induction_machine", "it is left out"),
    "isource": ("current_source", "it is left out"),
    "storagecontroller": ("storage_controller", "storage keeps its present power"),
    "gendispatcher": ("generator_dispatcher", "generators keep their present power"),
}
_INVERTERS = ("pvsystem", "storage")


@dataclass(frozen=True, kw_only=True)
class Unmodelled:
    """One thing that a `Feeder` leaves out."""

    element: str
    """`class.name`, lower case."""
    what: str
    """Kind, such as `capacitor_control`; can be accepted for all elements at once."""
    why: str
    """What is not modelled, and what a feeder has in its place if it is accepted."""

    def __str__(self) -> str:
        return f"{self.element} ({self.what}): {self.why}"


def find_unmodelled(elements: Sequence[RawElement]) -> tuple[Unmodelled, ...]:
    """Return what is not modelled, in the order of the elements."""
    return tuple(
        Unmodelled(element=element.name, what=what, why=why)
        for element in elements
        for what, why in _reasons(element, elements=elements)
    )


def accepted(
    found: Sequence[Unmodelled], *, accept: Collection[str], feeder: str
) -> tuple[Unmodelled, ...]:
    """Return what was found if all of it is accepted, by element or by kind.

    Raises:
        FeederError: Lists what is not accepted.
    """
    names = {name.lower() for name in accept}
    refused = [item for item in found if item.element not in names and item.what not in names]
    if refused:
        kinds = sorted({item.what for item in refused})
        more = len(refused) - _MAX_SHOWN
        tail = f"\n  ... and {more} more" if more > 0 else ""
        raise FeederError(
            f"Feeder {feeder}: {len(refused)} elements are not modelled:\n  "
            + "\n  ".join(map(str, refused[:_MAX_SHOWN]))
            + f"{tail}\nTo leave them out, accept them by kind ({', '.join(kinds)}) or by element."
        )
    return tuple(found)


def _reasons(element: RawElement, *, elements: Sequence[RawElement]) -> Iterator[tuple[str, str]]:
    """Yield kind and reason of everything about an element that is not modelled."""
    kind = element.kind
    if kind in _BY_CLASS:
        if kind != "swtcontrol" or _is_pending(element, elements=elements):
            yield _BY_CLASS[kind]
    elif kind not in _MODELLED:
        yield kind, f"elements of class {kind} are left out"
    elif kind == "load":
        yield from _load_reasons(element)
    elif kind == "generator":
        yield from _generator_reasons(element)
    elif kind in _INVERTERS:
        yield from _inverter_reasons(element)
    elif kind == "regcontrol":
        yield from _regulator_reasons(element, elements=elements)
    elif kind == "vsource" and any(element.node_numbers[element.n_conductors :]):
        yield "source_between_buses", "the second terminal is taken as ground"


def _is_pending(control: RawElement, *, elements: Sequence[RawElement]) -> bool:
    """Return whether a switch control would move its switch in the next solve with controls."""
    settings = control.properties
    switched = str(settings["switchedobj"]).lower()
    is_open = any(element.open_conductors for element in elements if element.name == switched)
    return not settings["lock"] and is_open != (str(settings["state"]).lower() == "open")


def _load_reasons(element: RawElement) -> Iterator[tuple[str, str]]:
    settings = element.properties
    model = int(settings["model"])
    if model not in LOAD_MODELS:
        yield f"load_model_{model}", "constant power is taken instead"
    if settings["rneut"] >= 0.0 and element.node_ids[-1] and str(settings["conn"]) == "wye":
        yield "load_neutral_impedance", "the neutral of the load is not tied to ground"


def _generator_reasons(element: RawElement) -> Iterator[tuple[str, str]]:
    settings = element.properties
    model = int(settings["model"])
    if model not in (1, 2):
        yield f"generator_model_{model}", "constant power is taken instead"
    yield from _generating_reasons(element)


def _inverter_reasons(element: RawElement) -> Iterator[tuple[str, str]]:
    settings = element.properties
    model = int(settings["model"])
    if model not in (1, 2):
        yield f"{element.kind}_model_{model}", "constant power is taken instead"
    if settings["limitcurrent"]:
        yield "current_limit", "below and above its voltage limits it is a constant impedance"
    if str(settings["controlmode"]).lower() != "gfl":
        yield "grid_forming_inverter", "constant power is taken instead"
    yield from _generating_reasons(element)


def _generating_reasons(element: RawElement) -> Iterator[tuple[str, str]]:
    """Yield what concerns generators, PV systems and storage alike."""
    settings = element.properties
    if settings["balanced"] and element.n_phases > 1:
        yield "balanced_currents", "every phase has the power of its own voltage"
    if element.n_phases == 1 and str(settings["conn"]).lower() == "delta":
        yield (
            "single_phase_delta_limits",
            "beyond its voltage limits OpenDSS makes it a third of the constant impedance "
            "that it is here",
        )


def _is_delta(control: RawElement, elements: Sequence[RawElement]) -> bool:
    """Return whether the winding that a control looks at is a delta."""
    winding = int(control.properties["winding"]) - 1
    units = [x for x in elements if x.name == transformer_of(control)]
    return any(str(unit.properties["conns"][winding]).lower() == "delta" for unit in units)


def _regulator_reasons(
    element: RawElement, *, elements: Sequence[RawElement]
) -> Iterator[tuple[str, str]]:
    settings = element.properties
    units = [x for x in elements if x.name == transformer_of(element)]
    if not any(map(has_windings, units)):
        yield "regulator_without_winding", "it never moves"
    if settings["reversible"] or settings["cogen"]:
        yield "reverse_power_regulation", "it always regulates forward"
    if settings["inversetime"]:
        yield "inverse_time", "its delay is constant"
    if settings["ldc_z"]:
        yield "ldc_z", "there is no compensation by impedance magnitude"
    if settings["bus"] and settings["vlimit"] > 0.0:
        yield "remote_voltage_limit", "the limit counts at the remote bus"
    if settings["bus"] and settings["remoteptratio"] != settings["ptratio"]:
        yield "remote_pt_ratio", "the boost is computed with the remote ratio"
    if settings["bus"] and (_is_delta(element, elements) or settings["ptphase"] != "1"):
        yield "remote_regulation", "the first phase of the remote bus to ground is looked at"
    same = [
        other.name
        for other in elements
        if other.kind == "regcontrol"
        and transformer_of(other) == transformer_of(element)
        and moved_winding(other) == moved_winding(element)
    ]
    if same[0] != element.name:
        yield "shared_winding", f"the winding is moved by {same[0]} as well"
