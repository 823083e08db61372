"""One home as plain numbers: its devices, what its people want, and its connection.

Series have one value a step of the plan, [step]; step numbers count from its start. Every device
has a name, under which its power and its state appear in schedules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from federates.hems.optimiser.checks import (
    BoolArray,
    FloatArray,
    as_mask,
    as_series,
    check_order,
    check_range,
    check_step,
)
from gradmap.errors import ScenarioError

WATER_KWH_PER_L_K = 4.186 / 3600.0
"""Heat capacity of a litre of water. [kWh/K]"""
PV = "pv"
"""Name of the solar modules' series."""


@final
@dataclass(frozen=True, kw_only=True)
class Battery:
    """Home battery, as `gradmap.devices.battery` with separate ratings and grid permissions."""

    capacity_kwh: float
    """Capacity between soc 0 and 1. [kWh]"""
    p_charge_max_kw: float
    """Rating for charging, at the grid side. [kW]"""
    p_discharge_max_kw: float
    """Rating for discharging, at the grid side. [kW]"""
    soc_init: float
    """State of charge before the first step; the end of the plan is valued against it. [-]"""
    eta_charge: float = 0.95
    """Stored over drawn energy. [-]"""
    eta_discharge: float = 0.95
    """Delivered over taken energy. [-]"""
    soc_min: float = 0.1
    """Lowest state of charge. [-]"""
    soc_max: float = 1.0
    """Highest state of charge. [-]"""
    wear_per_kwh: float = 0.0
    """Cost of ageing per kWh of throughput at the grid side, both directions counted. [cur/kWh]"""
    charge_from_grid: bool = True
    """If not, it charges no faster than the home generates in the same step."""
    discharge_to_grid: bool = True
    """If not, it discharges no faster than the home consumes in the same step."""
    name: str = "battery"

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        owner = f"Battery {self.name!r}"
        check_range(owner, "capacity_kwh", self.capacity_kwh, open_low=True)
        for field in ("p_charge_max_kw", "p_discharge_max_kw", "wear_per_kwh"):
            check_range(owner, field, getattr(self, field))
        for field in ("eta_charge", "eta_discharge"):
            check_range(owner, field, getattr(self, field), high=1.0, open_low=True)
        for field in ("soc_min", "soc_init", "soc_max"):
            check_range(owner, field, getattr(self, field), high=1.0)
        check_order(
            owner,
            ("soc_min", self.soc_min),
            ("soc_init", self.soc_init),
            ("soc_max", self.soc_max),
        )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Vehicle:
    """Electric vehicle at its charger; a trip is booked where it comes home, as in gradmap."""

    capacity_kwh: float
    """Capacity between soc 0 and 1. [kWh]"""
    charger_kw: float
    """Rating of the charger, at the grid side. [kW]"""
    plugged_in: BoolArray
    """Whether it can charge, [step]."""
    soc_init: float
    """State of charge before the first step; the end of the plan is valued against it. [-]"""
    departures: tuple[tuple[int, float], ...] = ()
    """(step, energy): what has to be stored at the end of the last step before leaving. [kWh]"""
    trip_kwh: FloatArray | float = 0.0
    """Energy of a trip, in the step in which the vehicle comes home, [step]. [kWh]"""
    eta_charge: float = 0.95
    """Stored over drawn energy. [-]"""
    eta_discharge: float = 0.95
    """Delivered over taken energy. [-]"""
    v2g_kw: float = 0.0
    """Rating for discharging; 0 if it cannot. [kW]"""
    soc_floor: float = 0.0
    """Reserve, a wish: below it every hour counts. [-]"""
    soc_max: float = 1.0
    """Charge limit. [-]"""
    firm: bool = True
    """Whether departures must be met; if not, they are a best effort."""
    name: str = "ev"

    def __post_init__(self) -> None:
        """Turn series into arrays and refuse impossible values."""
        owner = f"Vehicle {self.name!r}"
        object.__setattr__(self, "plugged_in", as_mask(owner, "plugged_in", self.plugged_in))
        n_steps = len(self.plugged_in)
        trip_kwh = as_series(owner, "trip_kwh", self.trip_kwh, n_steps=n_steps)
        object.__setattr__(self, "trip_kwh", trip_kwh)
        check_range(owner, "trip_kwh", float(trip_kwh.min()))
        check_range(owner, "capacity_kwh", self.capacity_kwh, open_low=True)
        for field in ("charger_kw", "v2g_kw"):
            check_range(owner, field, getattr(self, field))
        for field in ("eta_charge", "eta_discharge"):
            check_range(owner, field, getattr(self, field), high=1.0, open_low=True)
        for field in ("soc_init", "soc_floor", "soc_max"):
            check_range(owner, field, getattr(self, field), high=1.0)
        check_order(owner, ("soc_floor", self.soc_floor), ("soc_max", self.soc_max))
        for step, target_kwh in self.departures:
            check_step(owner, "departures", step, low=0, high=n_steps - 1)
            check_range(owner, "departures (energy)", target_kwh, high=self.capacity_kwh)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class HeatPump:
    """Electric heating of a one-node building, as `gradmap.devices.heat_pump`."""

    p_max_kw: float
    """Electric rating. [kW]"""
    ua_kw_per_k: float
    """Heat loss of the building per kelvin. [kW/K]"""
    c_kwh_per_k: float
    """Heat capacity of the building. [kWh/K]"""
    temp_init_c: float
    """Indoor temperature before the first step; the end is valued against it. [degC]"""
    temp_min_c: FloatArray
    """Lower end of the comfort band at the end of each step, [step]. [degC]"""
    temp_max_c: FloatArray
    """Upper end of the comfort band at the end of each step, [step]. [degC]"""
    solar_gain_m2: float = 0.0
    """Effective solar aperture: heat gain over global horizontal irradiance. [m2]"""
    internal_gain_kw: float = 0.0
    """Heat from people and appliances. [kW]"""
    carnot_fraction: float | None = None
    """Share of the ideal COP reached; None is a resistive heater, COP 1. [-]"""
    supply_temp_c: float = 45.0
    """Temperature of the water that a heat pump supplies. [degC]"""
    name: str = "heating"

    def __post_init__(self) -> None:
        """Turn series into arrays and refuse impossible values."""
        owner = f"Heating {self.name!r}"
        low = as_series(owner, "temp_min_c", self.temp_min_c)
        high = as_series(owner, "temp_max_c", self.temp_max_c, n_steps=len(low))
        object.__setattr__(self, "temp_min_c", low)
        object.__setattr__(self, "temp_max_c", high)
        for field in ("p_max_kw", "solar_gain_m2"):
            check_range(owner, field, getattr(self, field))
        for field in ("ua_kw_per_k", "c_kwh_per_k"):
            check_range(owner, field, getattr(self, field), open_low=True)
        check_range(owner, "internal_gain_kw", self.internal_gain_kw)
        check_range(owner, "temp_init_c", self.temp_init_c, low=-60.0, high=100.0)
        _check_cop(owner, self.carnot_fraction, self.supply_temp_c)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class HotWater:
    """Electric hot-water tank of one temperature."""

    volume_l: float
    """Volume. [L]"""
    p_max_kw: float
    """Electric rating. [kW]"""
    draw_kwh: FloatArray
    """Heat drawn in each step, [step]. [kWh]"""
    temp_init_c: float
    """Temperature before the first step; the end is valued against it. [degC]"""
    temp_min_c: float = 40.0
    """Wished at the end of every step at least. [degC]"""
    temp_max_c: float = 60.0
    """Wished at the end of every step at most. [degC]"""
    ready: tuple[tuple[int, float], ...] = ()
    """(step, temperature) wished at the end of that step. [degC]"""
    loss_kw_per_k: float = 0.002
    """Heat loss to the room per kelvin. [kW/K]"""
    temp_room_c: float = 20.0
    """Temperature around the tank. [degC]"""
    carnot_fraction: float | None = None
    """Share of the ideal COP of a heat-pump water heater; None is an immersion heater. [-]"""
    supply_temp_c: float = 55.0
    """Temperature of the water that a heat pump supplies. [degC]"""
    name: str = "hot_water"

    def __post_init__(self) -> None:
        """Turn the series into an array and refuse impossible values."""
        owner = f"Hot water {self.name!r}"
        object.__setattr__(self, "draw_kwh", as_series(owner, "draw_kwh", self.draw_kwh))
        check_range(owner, "draw_kwh", float(self.draw_kwh.min()))
        check_range(owner, "volume_l", self.volume_l, open_low=True)
        for field in ("p_max_kw", "loss_kw_per_k"):
            check_range(owner, field, getattr(self, field))
        for field in ("temp_init_c", "temp_min_c", "temp_max_c"):
            check_range(owner, field, getattr(self, field), low=-20.0, high=100.0)
        for step, temp_c in self.ready:
            check_step(owner, "ready", step, low=0, high=len(self.draw_kwh) - 1)
            check_range(owner, "ready (temperature)", temp_c, high=100.0)
        _check_cop(owner, self.carnot_fraction, self.supply_temp_c)

    @property
    def c_kwh_per_k(self) -> float:
        """Return the heat capacity of the water [kWh/K]."""
        return self.volume_l * WATER_KWH_PER_L_K


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Shiftable:
    """Appliance that runs at constant power for a fixed time, some time inside a window."""

    name: str
    power_kw: float
    """While it runs. [kW]"""
    duration: int
    """Of one run. [steps]"""
    earliest: int
    """First step in which it may run; may lie before the plan."""
    latest: int
    """Step by whose beginning it has to be done; may lie behind the plan."""
    runs: int = 1
    """How often it has to run."""
    interruptible: bool = False
    """Whether a run may pause."""
    after: str | None = None
    """Name of an appliance whose k-th run has to end before this one's k-th run begins."""
    allowed: BoolArray | None = None
    """Further limit of the window, [step]; absent: none."""

    def __post_init__(self) -> None:
        """Turn the mask into an array and refuse impossible values."""
        owner = f"Appliance {self.name!r}"
        check_range(owner, "power_kw", self.power_kw, open_low=True)
        check_range(owner, "duration", self.duration, low=1)
        check_range(owner, "runs", self.runs)
        check_order(owner, ("earliest", self.earliest), ("latest", self.latest))
        if self.allowed is not None:
            object.__setattr__(self, "allowed", as_mask(owner, "allowed", self.allowed))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Generator:
    """Generator with fuel cost a p + b p^2, see `physics.fuel_segments` for b > 0."""

    p_max_kw: float
    """Highest output. [kW]"""
    fuel_per_kwh: float
    """Linear fuel cost a. [cur/kWh]"""
    fuel_quadratic_per_kw2h: float = 0.0
    """Quadratic fuel cost b. [cur/(kW2 h)]"""
    p_min_kw: float = 0.0
    """Lowest output while it runs. [kW]"""
    can_stop: bool = True
    """Whether it may stand still; if not, it runs in every allowed step."""
    allowed: BoolArray | None = None
    """When it may run, [step]; absent: always."""
    name: str = "generator"

    def __post_init__(self) -> None:
        """Turn the mask into an array and refuse impossible values."""
        owner = f"Generator {self.name!r}"
        for field in ("p_min_kw", "p_max_kw", "fuel_per_kwh", "fuel_quadratic_per_kw2h"):
            check_range(owner, field, getattr(self, field))
        check_order(owner, ("p_min_kw", self.p_min_kw), ("p_max_kw", self.p_max_kw))
        if self.allowed is not None:
            object.__setattr__(self, "allowed", as_mask(owner, "allowed", self.allowed))


@final
@dataclass(frozen=True, kw_only=True)
class Pv:
    """Solar modules; how much they could deliver is in the forecast."""

    curtailable: bool = True
    """Whether the inverter can be told to deliver less."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Home:
    """Devices of one home and its connection to the grid."""

    batteries: tuple[Battery, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    heaters: tuple[HeatPump, ...] = ()
    tanks: tuple[HotWater, ...] = ()
    appliances: tuple[Shiftable, ...] = ()
    generators: tuple[Generator, ...] = ()
    pv: Pv | None = None
    import_limit_kw: float = 14.0
    """Highest power drawn from the grid, a wish that yields last. [kW]"""
    export_limit_kw: float = 14.0
    """Highest power injected into the grid, a wish that yields last. [kW]"""

    def __post_init__(self) -> None:
        """Refuse impossible limits, double names and predecessors that are not there."""
        for field in ("import_limit_kw", "export_limit_kw"):
            check_range("Home", field, getattr(self, field))
        names = self.names
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ScenarioError(
                f"Home: two devices are called {min(double)!r}, expected different names. Rename "
                f"one of them."
            )
        by_name = {appliance.name: appliance for appliance in self.appliances}
        for appliance in self.appliances:
            if appliance.after is not None:
                _check_predecessor(appliance, by_name)

    @property
    def electric(self) -> tuple[Battery | Vehicle, ...]:
        """Return the stores of electricity."""
        return (*self.batteries, *self.vehicles)

    @property
    def thermal(self) -> tuple[HeatPump | HotWater, ...]:
        """Return the stores of heat with their heaters."""
        return (*self.heaters, *self.tanks)

    @property
    def names(self) -> list[str]:
        """Return the names of all devices."""
        groups = (
            self.batteries,
            self.vehicles,
            self.heaters,
            self.tanks,
            self.appliances,
            self.generators,
        )
        found = [device.name for group in groups for device in group]
        return [*found, PV] if self.pv is not None else found

    def check_steps(self, n_steps: int) -> None:
        """Raise a ScenarioError unless every series has `n_steps` values."""
        series: list[tuple[str, str, FloatArray | BoolArray | None]] = []
        series += [(x.name, "plugged_in", x.plugged_in) for x in self.vehicles]
        series += [(x.name, "temp_min_c", x.temp_min_c) for x in self.heaters]
        series += [(x.name, "draw_kwh", x.draw_kwh) for x in self.tanks]
        series += [(x.name, "allowed", x.allowed) for x in self.appliances]
        series += [(x.name, "allowed", x.allowed) for x in self.generators]
        for name, field, values in series:
            if values is not None and len(values) != n_steps:
                raise ScenarioError(
                    f"Device {name!r}: `{field}` has {len(values)} values, but the forecast has "
                    f"{n_steps} steps. Give both the same length."
                )


def _check_cop(owner: str, carnot_fraction: float | None, supply_temp_c: float) -> None:
    if carnot_fraction is not None:
        check_range(owner, "carnot_fraction", carnot_fraction, high=1.0, open_low=True)
        check_range(owner, "supply_temp_c", supply_temp_c, low=20.0, high=80.0)


def _check_predecessor(appliance: Shiftable, by_name: dict[str, Shiftable]) -> None:
    before = by_name.get(appliance.after or "")
    if before is None or before is appliance:
        raise ScenarioError(
            f"Appliance {appliance.name!r}: `after` is {appliance.after!r}, expected the name of "
            f"another appliance: {sorted(set(by_name) - {appliance.name})}."
        )
    if appliance.interruptible or before.interruptible:
        raise ScenarioError(
            f"Appliance {appliance.name!r} runs after {before.name!r}, so neither may be "
            f"interruptible. Set `interruptible` to false, or drop `after`."
        )
