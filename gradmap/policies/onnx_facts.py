"""What a home controller must know to use one agent's network: the metadata of an ONNX file.

Texts by name; `features`, `feature_units`, `feature_meanings` and `trained_ranges` are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from gradmap.observations import FEATURES, UNITS
from gradmap.policies.card import ModelCard
from gradmap.policies.checkpoint import LoadedPolicy

METADATA_VERSION: Final = "1"
CLOCK: Final = (
    "`hour` is the local wall clock at the start of the step, 0 <= hour < 24, with daylight saving "
    "where the home has it; `day_of_week` is 0 on Monday. One action holds for a step of `step_min`"
)
ACTION: Final = (
    "one number in [-1, 1]: p_kw = p_min_kw + (action + 1) / 2 * (p_max_kw - p_min_kw), held for "
    "the step and cut by the device to what it can do; p_kw > 0 draws from the grid"
)
MEANINGS: Final[Mapping[str, str]] = {
    "hour": "wall clock at the start of the step",
    "price_import_per_kwh": "price of energy drawn from the grid in the step",
    "price_export_per_kwh": "price paid for energy fed in during the step",
    "temp_out_c": "outdoor temperature in the step",
    "base_load_kw": "the home's load that nobody controls, mean over the step, without solar",
    "pv_kw": "output of the home's rooftop solar, mean over the step, >= 0, 0 without",
    "v_pu": "voltage at the home's connection at the end of the step before, over nominal; 1 if "
    "unknown",
    "state": "of the device at the start of the step, see `state`",
    "plugged_in": "1 while the vehicle is connected, else 0; always 1 for other devices",
    "departure_h": "time to the vehicle's next departure, 0 while it is away; always 0 for other "
    "devices",
    "day_of_week": "0 is Monday",
}
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "battery": ("-", "state of charge, 0 empty to 1 full"),
    "heat_pump": ("degC", "indoor temperature"),
    "generator": ("kW", "power of the step before, <= 0 because it feeds in"),
    "ev_charger": (
        "-",
        "the vehicle's state of charge, 0 empty to 1 full; while it is away, that at departure",
    ),
}
"""Device kind to unit and meaning of the feature `state`."""


def onnx_facts(
    loaded: LoadedPolicy, *, agent_id: str, card: ModelCard | None = None
) -> dict[str, str]:
    """Return all that is known about one agent's network, as texts by name.

    Args:
        loaded: A verified checkpoint that has the agent.
        agent_id: Whose network.
        card: Of the policy. Without it kind, power range, step, currency and trained ranges are
            left out.
    """
    facts = {
        "metadata_version": METADATA_VERSION,
        "agent_id": agent_id,
        "features": json.dumps(list(FEATURES)),
        "feature_units": json.dumps(UNITS),
        "feature_meanings": json.dumps(MEANINGS),
        "senses_voltage": json.dumps(loaded.policy.architecture.senses_voltage),
        "action": ACTION,
        "clock": CLOCK,
        "policy_sha256": loaded.tensors_sha256,
        **{name: str(value) for name, value in asdict(loaded.provenance).items()},
    }
    if card is None or agent_id not in card.agents:
        return facts
    return facts | _of_card(card, agent_id=agent_id)


def _of_card(card: ModelCard, *, agent_id: str) -> dict[str, str]:
    """Return what the model card says about an agent's device and its training days."""
    agent, days = card.agents[agent_id], card.days
    state_unit, state = STATES[agent.kind]
    units = {name: unit.replace("cur", days.currency) for name, unit in UNITS.items()}
    ranges = {
        name: [_rounded(seen.low), _rounded(seen.high)]
        for name, seen in {**days.common, **days.by_kind[agent.kind]}.items()
    }
    ends = {"p_min_kw": agent.p_min_kw, "p_max_kw": agent.p_max_kw}
    return {
        "kind": agent.kind,
        "connection_id": agent.connection_id,
        "device_hash": agent.device_hash,
        "feature_units": json.dumps(units | {"state": state_unit}),
        "state": state,
        **{name: repr(value) for name, value in ends.items() if value is not None},
        "step_min": repr(days.step_min),
        "currency": days.currency,
        "trained_ranges": json.dumps(ranges),
        "feeder_name": card.grid.feeder_name,
    }


def _rounded(value: float) -> float:
    """Return a value to six digits: of training in single precision, 0.09 is 0.090000004."""
    return float(f"{value:.6g}")
