"""The metrics of one controller: names, units and definitions in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

from scenarios.metrics.homes import (
    comfort,
    curtailed_solar,
    energy_bills,
    fuel_and_wear,
    limit_overrides,
    unmet_ev_energy,
)
from scenarios.metrics.network import head_power, loading, losses, recorded_steps, taps, voltages
from scenarios.results import Run

Better = Literal["lower", "higher"] | None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a field of `Summary` means and how to show it."""

    name: str  # field of `Summary`
    label: str  # short, for tables
    unit: str  # "currency" stands for the scenario's currency; "" for names and times
    group: str  # heading in tables
    definition: str  # one sentence
    better: Better  # which direction a planner prefers, None if that depends
    digits: int  # decimals in tables
    scale: float  # multiplies the stored value to get `unit`


def _metric(
    label: str,
    unit: str,
    group: str,
    definition: str,
    *,
    better: Better = None,
    digits: int = 0,
    scale: float = 1.0,
) -> Any:
    """Declare a field of `Summary` with its meaning."""
    return field(
        metadata={
            "label": label,
            "unit": unit,
            "group": group,
            "definition": definition,
            "better": better,
            "digits": digits,
            "scale": scale,
        }
    )


_V, _N, _H, _C, _D = "Voltage", "Lines and transformers", "Feeder head", "Cost", "Homes and devices"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Metrics of one controller over the recorded steps; not-a-number where nothing was recorded.

    A step counts with its whole length. Voltages are line-to-neutral, nodes are `bus.phase`; nodes
    of `limits.exclude_buses`, floating ones and those below 0.1 pu (not energised) are left out. On
    feeders that mostly float (delta), load connections take the place of nodes in every voltage
    metric (`scenarios.metrics.voltage_points`).
    """

    hours: float = _metric(
        "Recorded time", "h", "Run", "Number of recorded power flows times the step length."
    )
    v_min_pu: float = _metric(
        "Lowest voltage", "pu", _V, "Lowest node voltage of all steps.", better="higher", digits=4
    )
    v_min_node: str = _metric(
        "Lowest voltage, node", "", _V, "Node (bus.phase) of the lowest voltage."
    )
    v_min_time: str = _metric(
        "Lowest voltage, time",
        "",
        _V,
        "Start of the step of the lowest voltage, ISO 8601 local time.",
    )
    v_max_pu: float = _metric(
        "Highest voltage", "pu", _V, "Highest node voltage of all steps.", better="lower", digits=4
    )
    v_max_node: str = _metric(
        "Highest voltage, node", "", _V, "Node (bus.phase) of the highest voltage."
    )
    v_max_time: str = _metric(
        "Highest voltage, time",
        "",
        _V,
        "Start of the step of the highest voltage, ISO 8601 local time.",
    )
    node_hours_below: float = _metric(
        "Below the lower limit",
        "node-h",
        _V,
        "Sum over nodes of the time with a voltage below limits.v_min_pu.",
        better="lower",
        digits=2,
    )
    node_hours_above: float = _metric(
        "Above the upper limit",
        "node-h",
        _V,
        "Sum over nodes of the time with a voltage above limits.v_max_pu.",
        better="lower",
        digits=2,
    )
    node_hours_outside: float = _metric(
        "Outside the limits",
        "node-h",
        _V,
        "Node-hours below plus node-hours above the limits.",
        better="lower",
        digits=2,
    )
    nodes_ever_outside_fraction: float = _metric(
        "Nodes ever outside the limits",
        "%",
        _V,
        "Share of the energised nodes that leave the limits in at least one step.",
        better="lower",
        digits=1,
        scale=100.0,
    )
    node_hours_outside_range_b: float = _metric(
        "Outside 0.9167 to 1.0583 pu",
        "node-h",
        _V,
        "Node-hours outside 110/120 to 127/120 pu, the wider (Range B) band of ANSI C84.1, "
        "whatever limits the scenario sets.",
        better="lower",
        digits=2,
    )
    voltage_unbalance_max_percent: float = _metric(
        "Largest voltage unbalance",
        "%",
        _V,
        "Largest deviation of a phase from the mean of three, over that mean, of all three-phase "
        "buses and steps (line-to-neutral magnitudes; the three legs of a bus where voltages are "
        "those across load connections).",
        better="lower",
        digits=2,
    )
    voltage_unbalance_bus: str = _metric(
        "Largest unbalance, bus", "", _V, "Bus of the largest unbalance."
    )
    max_loading_fraction: float = _metric(
        "Highest loading",
        "% of rating",
        _N,
        "Highest current of a line or transformer over its normal rating.",
        better="lower",
        digits=1,
        scale=100.0,
    )
    max_loading_branch: str = _metric(
        "Highest loading, branch", "", _N, "Branch of the highest loading."
    )
    element_hours_overloaded: float = _metric(
        "Overloaded",
        "element-h",
        _N,
        "Sum over lines and transformers of the time loaded above limits.loading_max.",
        better="lower",
        digits=2,
    )
    losses_kwh: float = _metric(
        "Losses", "kWh", _N, "Energy lost in the feeder.", better="lower", digits=1
    )
    losses_percent: float = _metric(
        "Losses, share of supply",
        "%",
        _N,
        "Losses over the energy that enters the feeder: import at the head plus what households "
        "export.",
        better="lower",
        digits=2,
    )
    tap_operations: float = _metric(
        "Tap operations",
        "steps",
        _N,
        "Sum over regulators of |tap change| from step to step; changes inside a step and before "
        "the first one are not seen.",
        better="lower",
    )
    peak_kw: float = _metric(
        "Peak", "kW", _H, "Highest total power into the feeder (sum of phases).", better="lower"
    )
    peak_time: str = _metric("Peak, time", "", _H, "Start of the step of the peak.")
    min_kw: float = _metric(
        "Lowest power", "kW", _H, "Lowest total power into the feeder; negative is reverse flow."
    )
    min_time: str = _metric("Lowest power, time", "", _H, "Start of the step of the lowest power.")
    reverse_flow_hours: float = _metric(
        "Reverse flow", "h", _H, "Time with total power out of the feeder.", digits=2
    )
    energy_import_kwh: float = _metric(
        "Imported energy", "kWh", _H, "Energy into the feeder in steps of positive total power."
    )
    energy_export_kwh: float = _metric(
        "Exported energy", "kWh", _H, "Energy out of the feeder in steps of negative total power."
    )
    load_factor: float = _metric(
        "Load factor",
        "-",
        _H,
        "Mean over peak of the total power into the feeder.",
        better="higher",
        digits=3,
    )
    energy_cost: float = _metric(
        "Energy",
        "currency",
        _C,
        "Net energy of each household at each step: import at the import price, export at the "
        "export price (negative); sum of all households.",
        better="lower",
        digits=2,
    )
    fuel_cost: float = _metric(
        "Fuel",
        "currency",
        _C,
        "Generators: (fuel_per_kwh |p| + fuel_quadratic_per_kw2h p²) times the step.",
        better="lower",
        digits=2,
    )
    wear_cost: float = _metric(
        "Battery wear",
        "currency",
        _C,
        "Batteries: wear_per_kwh times the energy that passes the terminals, both ways.",
        better="lower",
        digits=2,
    )
    total_cost: float = _metric(
        "Total", "currency", _C, "Energy, fuel and wear.", better="lower", digits=2
    )
    bill_p5: float = _metric(
        "Household bill, 5th percentile",
        "currency",
        _C,
        "5th percentile over households of the energy cost (without fuel and wear).",
        better="lower",
        digits=2,
    )
    bill_p50: float = _metric(
        "Household bill, median",
        "currency",
        _C,
        "Median over households of the energy cost (without fuel and wear).",
        better="lower",
        digits=2,
    )
    bill_p95: float = _metric(
        "Household bill, 95th percentile",
        "currency",
        _C,
        "95th percentile over households of the energy cost (without fuel and wear).",
        better="lower",
        digits=2,
    )
    comfort_below_kelvin_hours: float = _metric(
        "Too cold",
        "K h",
        _D,
        "Heat pump homes: sum of (temp_min_c minus indoor temperature) where positive, times the "
        "step.",
        better="lower",
        digits=1,
    )
    comfort_above_kelvin_hours: float = _metric(
        "Too warm",
        "K h",
        _D,
        "Heat pump homes: sum of (indoor temperature minus temp_max_c) where positive, times the "
        "step.",
        better="lower",
        digits=1,
    )
    comfort_homes_affected: float = _metric(
        "Homes outside the comfort band",
        "homes",
        _D,
        "Heat pump homes that leave the comfort band in at least one step.",
        better="lower",
    )
    limit_override_agent_hours: float = _metric(
        "Requests cut by a device limit",
        "agent-h",
        _D,
        "Time in which a device delivers another power than requested (by more than 1e-6 kW): "
        "rating, empty or full battery, vehicle away, thermostat floor or ceiling.",
        better="lower",
        digits=2,
    )
    ev_unmet_kwh: float = _metric(
        "Vehicle energy missing at departure",
        "kWh",
        _D,
        "Sum over departures (plugged in, and not in the next step) of "
        "(soc_target minus soc) e_max_kwh where positive.",
        better="lower",
        digits=1,
    )
    pv_curtailed_kwh: float = _metric(
        "Curtailed solar",
        "kWh",
        _D,
        "Available minus delivered solar energy.",
        better="lower",
        digits=1,
    )

    def as_dict(self) -> dict[str, float | str]:
        """Return the metrics by name."""
        return asdict(self)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {item.name: Metric(name=item.name, **item.metadata) for item in fields(Summary)}
)


def summarise(run: Run, controller: str) -> Summary:
    """Compute every metric of one controller, a part of the series at a time.

    Args:
        run: The run; interrupted ones are summarised over the steps they have.
        controller: One of `run.controllers`.
    """
    bills = energy_bills(run, controller)
    running = fuel_and_wear(run, controller)
    head = head_power(run, controller)
    values: dict[str, Any] = {
        "hours": recorded_steps(run, controller) * run.dt_h,
        **voltages(run, controller),
        **loading(run, controller),
        **losses(
            run,
            controller,
            supplied_kwh=float(head["energy_import_kwh"]) + bills.pop("households_export_kwh"),
        ),
        **taps(run, controller),
        **head,
        **bills,
        **running,
        "total_cost": bills["energy_cost"] + running["fuel_cost"] + running["wear_cost"],
        **comfort(run, controller),
        **limit_overrides(run, controller),
        **unmet_ev_energy(run, controller),
        **curtailed_solar(run, controller),
    }
    return Summary(**values)
