"""What a policy subtracts from and divides its observations by: fixed before training.

Constants rather than running statistics, so that a policy is a fixed function of its observation.
"""

from __future__ import annotations

from typing import Final, assert_never

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.fleet import Fleet
from gradmap.devices.generator import Generator
from gradmap.devices.heat_pump import HeatPump
from gradmap.observations import FEATURES, INDEX

_TYPICAL: Final = {
    "hour": (12.0, 7.0),
    "price_import_per_kwh": (0.25, 0.10),
    "price_export_per_kwh": (0.10, 0.10),
    "temp_out_c": (10.0, 10.0),
    "base_load_kw": (0.5, 0.5),
    "pv_kw": (1.0, 1.5),
    "v_pu": (1.0, 0.01),
    "state": (0.0, 1.0),
    "plugged_in": (0.5, 0.5),
    "departure_h": (6.0, 6.0),
    "day_of_week": (3.0, 2.0),
}
"""Centre and scale of each feature, in its physical unit; `state` is set per device kind. Of `v_pu`
thousandths count: the scale is a fifth of the way to a limit."""
_BAND_EDGE_K: Final = 0.5
"""Scale of indoor temperatures. Heating is cheapest along the lower end of the comfort band, where
tenths of a kelvin decide; with 2 K around the thermostat's setting learning took twice as long. [K]
"""
_COMMON: Final = ("price_import_per_kwh", "price_export_per_kwh", "temp_out_c")
_OWN: Final = {"base_load_kw": "base_load_kw", "pv_kw": "pv_available_kw"}
_SMALLEST_SHARE: Final = 0.05
"""Of the typical scale: what hardly changes in training is not blown up by it."""


def typical_normalisation(fleet: Fleet) -> tuple[Tensor, Tensor]:
    """Return centre and scale [agent, feature] that bring observations to order one.

    Only `state` depends on the agent: half charge for batteries and vehicles, the lower end of the
    comfort band for heat pumps, half output for generators.
    """
    dtype = fleet.initial_state().dtype
    device = fleet.household_index.device
    rows = torch.tensor([_TYPICAL[name] for name in FEATURES], dtype=dtype, device=device)
    center = rows[:, 0].repeat(fleet.n_agents, 1)
    scale = rows[:, 1].repeat(fleet.n_agents, 1)
    state = INDEX["state"]
    for group in fleet.groups:
        match group.device:
            case HeatPump(params=homes):
                center[group.index, state] = homes.temp_min_c
                scale[group.index, state] = _BAND_EDGE_K
            case Generator(params=engines):
                center[group.index, state] = -0.5 * engines.p_max_kw
                scale[group.index, state] = 0.5 * engines.p_max_kw
            case Battery() | EvCharger():
                center[group.index, state] = 0.5
                scale[group.index, state] = 0.3
            case unknown:
                assert_never(unknown)
    return center, scale


def measured_normalisation(fleet: Fleet, days: Days) -> tuple[Tensor, Tensor]:
    """Return centre and scale [agent, feature] from training days.

    Mean and standard deviation over days and steps of prices and outdoor temperature, and of each
    home's own load and sun; the other features keep their typical ones.

    Args:
        fleet: Who observes.
        days: Training days, and only those.
    """
    center, scale = typical_normalisation(fleet)
    typical = scale.clone()
    for name in _COMMON:
        series = getattr(days, name)
        center[:, INDEX[name]], scale[:, INDEX[name]] = series.mean(), series.std()
    for name, field in _OWN.items():
        by_home = getattr(days, field)
        home = fleet.household_index
        center[:, INDEX[name]] = by_home.mean(dim=(0, 1))[home].to(center)
        scale[:, INDEX[name]] = by_home.std(dim=(0, 1))[home].to(scale)
    return center, torch.maximum(scale, _SMALLEST_SHARE * typical)
