"""What installers set up today: self-consumption, timers, night setback; every home for itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never, final

import torch

from gradmap.baselines.no_control import thermostat_kw
from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.fleet import Fleet
from gradmap.devices.generator import Generator
from gradmap.devices.heat_pump import HeatPump
from gradmap.observations import INDEX
from gradmap.types import AgentValues, Observation, PerAgent

HOURS_PER_DAY = 24.0
_JITTER_HASH_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Window:
    """A daily time window by wall clock; `end_h` before `start_h` runs over midnight."""

    start_h: float
    end_h: float

    @property
    def length_h(self) -> float:
        """Return the length [h]."""
        return (self.end_h - self.start_h) % HOURS_PER_DAY

    def contains(self, hour: AgentValues) -> AgentValues:
        """Return whether the wall-clock hour is inside, the start included."""
        return torch.remainder(hour - self.start_h, HOURS_PER_DAY) < self.length_h


@dataclass(frozen=True, kw_only=True)
class RuleSettings:
    """Settings an installer leaves behind. Prices are in the scenario's currency."""

    cheap_per_kwh: float = 0.20
    """Batteries charge from the grid at night only at or below this price. [cur/kWh]"""
    expensive_per_kwh: float = 0.30
    """Batteries cover the own load at or above this price, whatever the time. [cur/kWh]"""
    battery_night: Window = field(default_factory=lambda: Window(start_h=0.0, end_h=5.0))
    """When batteries may charge from the grid."""
    battery_evening: Window = field(default_factory=lambda: Window(start_h=16.0, end_h=22.0))
    """When batteries cover the own load."""
    setback: Window = field(default_factory=lambda: Window(start_h=23.0, end_h=5.5))
    """Night setback of the thermostat."""
    setback_k: float = 2.0
    """Depth of the setback, not below the comfort band. [K]"""
    boost: Window = field(default_factory=lambda: Window(start_h=14.0, end_h=16.0))
    """Heating ahead of the evening peak."""
    boost_k: float = 1.0
    """Height of the boost, not above the comfort band. [K]"""
    peak: Window = field(default_factory=lambda: Window(start_h=16.0, end_h=19.0))
    """Evening peak, with a setback as deep as the boost is high."""
    generator: Window = field(default_factory=lambda: Window(start_h=6.0, end_h=22.0))
    """When generators may run above their least output (noise, service hours)."""
    ev_night: Window = field(default_factory=lambda: Window(start_h=0.0, end_h=6.0))
    """When vehicles charge."""
    ev_margin_h: float = 0.5
    """Vehicles that would miss their departure by waiting keep this much spare time. [h]"""
    clock_jitter_h: float = 0.25
    """Homes' timers differ from the nominal by up to this much, either way. [h]"""


def clock_offset_h(agent_ids: Sequence[str], *, jitter_h: float) -> list[float]:
    """Return by how much each agent's timer runs ahead, fixed by its id, in +-`jitter_h` [h].

    Timers in homes are set by hand and drift, yet stay almost synchronous, which is what makes them
    harmful to feeders. Hashing the id keeps an agent's offset in every subset and on every machine.
    """
    digests = [hashlib.sha256(agent_id.encode()).digest() for agent_id in agent_ids]
    span = 2.0 ** (8 * _JITTER_HASH_BYTES)
    units = [int.from_bytes(digest[:_JITTER_HASH_BYTES]) / span for digest in digests]
    return [(2.0 * unit - 1.0) * jitter_h for unit in units]


@final
class RuleBased:
    """Timers and thresholds on local measurements; no forecast, no communication, no memory.

    - Battery: charges from surplus (available solar beyond the base load), covers the own net load
      in the evening and whenever energy is expensive, charges at full power in the night window if
      energy is cheap. The other devices of the home are not seen.
    - Heat pump: thermostat with night setback, boost before the peak and setback during it.
    - Generator: full output inside its timer while the import price exceeds its marginal cost at
      full output, else least output.
    - Vehicle: night timer; at once if waiting would miss the departure.
    """

    def __init__(self, fleet: Fleet, *, settings: RuleSettings | None = None) -> None:
        """Set the same rules in every home, with slightly different clocks."""
        self.fleet = fleet
        self.settings = settings or RuleSettings()
        offset_h = clock_offset_h(fleet.agent_ids, jitter_h=self.settings.clock_jitter_h)
        self._clock_offset_h: PerAgent = fleet.initial_state().new_tensor(offset_h)

    def act(self, obs: Observation) -> AgentValues:
        """Return every agent's request, see `gradmap.controller.Controller` [kW]."""
        clock_h = obs[..., INDEX["hour"]] + self._clock_offset_h
        rules = self.settings
        requests = []
        for group in self.fleet.groups:
            own = obs.index_select(-2, group.index)
            hour = clock_h.index_select(-1, group.index)
            match group.device:
                case Battery():
                    requests.append(battery_kw(group.device, obs=own, hour=hour, rules=rules))
                case HeatPump():
                    requests.append(heat_pump_kw(group.device, obs=own, hour=hour, rules=rules))
                case Generator():
                    requests.append(generator_kw(group.device, obs=own, hour=hour, rules=rules))
                case EvCharger():
                    requests.append(ev_charger_kw(group.device, obs=own, hour=hour, rules=rules))
                case unknown:
                    assert_never(unknown)
        return self.fleet.merge(requests)


def battery_kw(
    battery: Battery, *, obs: Observation, hour: AgentValues, rules: RuleSettings
) -> AgentValues:
    """Return a battery's self-consumption request, with cheap charging at night [kW].

    Args:
        battery: The batteries of the observed agents.
        obs: Their observations [..., agent, feature].
        hour: Each home's own clock [h].
        rules: The installer's settings.
    """
    price_per_kwh = obs[..., INDEX["price_import_per_kwh"]]
    surplus_kw = obs[..., INDEX["pv_kw"]] - obs[..., INDEX["base_load_kw"]]
    covers = rules.battery_evening.contains(hour) | (price_per_kwh >= rules.expensive_per_kwh)
    fills = rules.battery_night.contains(hour) & (price_per_kwh <= rules.cheap_per_kwh)
    from_grid_kw = torch.where(fills, battery.params.p_max_kw, 0.0)
    without_surplus_kw = torch.where(covers, surplus_kw, from_grid_kw)
    request_kw = torch.where(surplus_kw > 0.0, surplus_kw, without_surplus_kw)
    return request_kw.clamp(-battery.params.p_max_kw, battery.params.p_max_kw)


def heat_pump_kw(
    heat_pump: HeatPump, *, obs: Observation, hour: AgentValues, rules: RuleSettings
) -> AgentValues:
    """Return a thermostat's request with setback and boost by timer; arguments as above [kW]."""
    pars = heat_pump.params
    shift_k = (
        rules.boost_k * rules.boost.contains(hour)
        - rules.boost_k * rules.peak.contains(hour)
        - rules.setback_k * rules.setback.contains(hour)
    )
    temp_set_c = (pars.temp_set_c + shift_k).clamp(pars.temp_min_c, pars.temp_max_c)
    return thermostat_kw(heat_pump, temp_in_c=obs[..., INDEX["state"]], temp_set_c=temp_set_c)


def generator_kw(
    generator: Generator, *, obs: Observation, hour: AgentValues, rules: RuleSettings
) -> AgentValues:
    """Return full output where it pays inside the timer, else least; arguments as above [kW]."""
    pars = generator.params
    marginal_per_kwh = pars.fuel_per_kwh + 2.0 * pars.fuel_quadratic_per_kw2h * pars.p_max_kw
    pays = obs[..., INDEX["price_import_per_kwh"]] > marginal_per_kwh
    full_kw, least_kw = generator.action_range_kw()
    return torch.where(pays & rules.generator.contains(hour), full_kw, least_kw)


def ev_charger_kw(
    charger: EvCharger, *, obs: Observation, hour: AgentValues, rules: RuleSettings
) -> AgentValues:
    """Return a charging timer's request, at once if departure requires; arguments as above [kW]."""
    pars = charger.params
    missing_kwh = torch.relu(pars.soc_target - obs[..., INDEX["state"]]) * pars.e_max_kwh
    needed_h = missing_kwh / (pars.eta_charge * pars.p_max_kw)
    in_window = rules.ev_night.contains(hour)
    wait_h = torch.remainder(rules.ev_night.start_h - hour, HOURS_PER_DAY)
    usable_h = (obs[..., INDEX["departure_h"]] - wait_h).clamp(max=rules.ev_night.length_h)
    too_late_to_wait = needed_h + rules.ev_margin_h > usable_h
    charges = (in_window | too_late_to_wait) & (missing_kwh > 0.0)
    return charges * obs[..., INDEX["plugged_in"]] * pars.p_max_kw
