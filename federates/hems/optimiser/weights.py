"""What broken wishes cost: weights in multiples of the day's largest price.

A weight is a price at which a plan would rather break a wish. They are far above what keeping the
wish can cost, so that wishes are kept whenever that is possible, and ordered, so that where wishes
conflict the less important one yields:

    best-effort charging < comfort, warm water < departures, appliances < trips < grid limits

Keeping a building 1 K warmer for an hour costs UA / COP, about 0.1 kWh, and warming it by 1 K
ahead of time costs the price difference of C / COP, some 3 kWh that are not lost: 50 prices per
K h is above both in every house. A kWh of missing charge costs at most 1 / eta prices. The grid
limits stand for the fuse and are above all.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from federates.hems.optimiser.checks import check_range


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Costs of broken wishes over the largest price of the day, all positive."""

    comfort_per_k_h: float = 50.0
    """Indoor temperature outside its band. [kWh/(K h)]"""
    hot_water_per_k_h: float = 20.0
    """Tank outside its limits. [kWh/(K h)]"""
    ready_per_k: float = 20.0
    """Tank too cold when it has to be ready. [kWh/K]"""
    departure: float = 100.0
    """Charge missing at a firm departure. [-]"""
    best_effort: float = 3.0
    """Charge missing at a departure that is not firm. [-]"""
    vehicle_floor_per_h: float = 20.0
    """Charge below the reserve. [1/h]"""
    appliance: float = 100.0
    """Energy of runs that were not done. [-]"""
    grid_limit: float = 10_000.0
    """Energy above the import or export limit. [-]"""

    def __post_init__(self) -> None:
        """Refuse weights that are not positive."""
        for field in fields(self):
            check_range("Weights", field.name, getattr(self, field.name), open_low=True)

    def penalties(self, price_per_kwh: float) -> Penalties:
        """Return the weights as money.

        Args:
            price_per_kwh: Largest price by magnitude. [cur/kWh]
        """
        return Penalties(
            comfort_per_k_h=self.comfort_per_k_h * price_per_kwh,
            hot_water_per_k_h=self.hot_water_per_k_h * price_per_kwh,
            ready_per_k=self.ready_per_k * price_per_kwh,
            departure_per_kwh=self.departure * price_per_kwh,
            best_effort_per_kwh=self.best_effort * price_per_kwh,
            vehicle_floor_per_kwh_h=self.vehicle_floor_per_h * price_per_kwh,
            appliance_per_kwh=self.appliance * price_per_kwh,
            grid_limit_per_kwh=self.grid_limit * price_per_kwh,
        )


@dataclass(frozen=True, kw_only=True)
class Penalties:
    """Costs of broken wishes in currency."""

    comfort_per_k_h: float
    hot_water_per_k_h: float
    ready_per_k: float
    departure_per_kwh: float
    best_effort_per_kwh: float
    vehicle_floor_per_kwh_h: float
    appliance_per_kwh: float
    grid_limit_per_kwh: float
