"""How a report was computed: inputs, settings, versions and what is not modelled."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.metrics.voltage_points import VoltagePoints, voltage_points
from scenarios.report.svg import clean
from scenarios.report.tables import MISSING
from scenarios.results import Run

MAX_LISTED = 8  # floating buses or remarks that are named; more are counted


def facts(run: Run) -> list[tuple[str, str]]:
    """Return what identifies the run, as names and values."""
    scenario, feeder = run.scenario, run.feeder
    limits, time = scenario.limits, scenario.time
    infos = [run.run_info(controller) for controller in run.controllers]
    info = next((item for item in infos if item), {})
    points = voltage_points(run)
    source_v = scenario.feeder.source_v_pu
    return [
        ("Feeder", clean(str(feeder.get("source", scenario.feeder.source)))),
        (
            "Network",
            f"{len(feeder['buses']):,} buses, {len(feeder['nodes']):,} nodes, "
            f"{len(feeder['branches']):,} lines and transformers, "
            f"{len(feeder['connections']):,} load connections",
        ),
        ("Regulators", _regulators(run)),
        ("Source voltage", "as in the feeder file" if source_v is None else f"{source_v:g} pu"),
        (
            "Period",
            f"{time.days} {'day' if time.days == 1 else 'days'} of 24 h from "
            f"{time.start:%Y-%m-%d %H:%M}, {time.timezone}",
        ),
        ("Step", f"{time.step_min} min, {time.n_steps:,} steps"),
        ("Households", f"{len(run.households):,}; {_device_counts(run)}"),
        ("Tariff", f"{scenario.tariff.kind}, {scenario.tariff.currency}"),
        ("Coupling inside a step", scenario.coupling.mode),
        (
            "Limits",
            f"voltage {limits.v_min_pu:g} to {limits.v_max_pu:g} pu, loading "
            f"{100 * limits.loading_max:g} % of the normal rating",
        ),
        ("Voltages", "across load connections" if points.across_connections else "at nodes"),
        ("Floating buses", _floating_buses(points)),
        ("Other buses left out of the limits", clean(", ".join(limits.exclude_buses)) or "none"),
        ("Remarks on the feeder", _remarks(feeder.get("notes", []))),
        ("Seed", str(info.get("seed", scenario.seed))),
        ("Configuration hash", clean(str(info.get("config_hash", MISSING)))),
        ("Versions", _versions(info.get("versions", {}))),
    ]


def load_model(run: Run) -> str:
    """State how households act on the grid; without it voltages cannot be compared."""
    return (
        "Households are constant power (OpenDSS load model 1 with vminpu 0.7 and vmaxpu 1.3). "
        "OpenDSS's defaults of 0.95 and 1.05 would turn loads into impedances exactly at the "
        "usual limits and hide part of every violation. "
        "One OpenDSS load per connection carries the sum of its households. "
        f"PV inverters: {run.scenario.population.inverter_mode.replace('_', '-')}."
    )


def voltage_note(run: Run) -> str:
    """Say that voltages are those across load connections; empty where they are those of nodes."""
    points = voltage_points(run)
    if not points.across_connections:
        return ""
    return (
        "Voltages are those across the load connections, per unit of each connection's own base: "
        f"{points.n_floating_nodes:,} of {points.n_nodes:,} nodes and "
        f"{points.n_floating_connections:,} of {points.n_connections:,} load connections are "
        "behind a delta winding with nothing grounded, where voltages to ground mean nothing. "
        "Where a metric says node, read load connection (bus.n to ground, bus.n.m between phases)."
    )


def limitations(run: Run) -> list[str]:
    """List what a reader must not conclude from this report."""
    across = voltage_points(run).across_connections
    measured = "across load connections" if across else "line-to-neutral"
    return [
        "Steps are quasi-static: faults, protection, flicker and what happens inside a step are "
        "not modelled.",
        "Outages are not modelled, so there is no SAIDI or SAIFI.",
        f"Voltages are {measured} at the buses of the feeder file; service drops and neutrals "
        "beyond it are not modelled.",
        "Loading compares currents with normal ratings; thermal inertia and ageing are not "
        "modelled.",
        "Stored energy left in batteries and vehicles and heat left in homes at the end of the "
        "run have no value in the costs.",
    ]


def _floating_buses(points: VoltagePoints) -> str:
    """Name the buses whose voltages to ground are not judged, and the loads that goes for."""
    if not points.floating_buses:
        return "none"
    count = len(points.floating_buses)
    named = clean(_shortened(points.floating_buses, separator=", "))
    if points.across_connections:
        return f"{count:,}: {named}; voltages across load connections are judged instead"
    lost = points.n_floating_connections
    plural = "" if lost == 1 else "s"
    loads = f", which leaves {lost:,} load connection{plural} without a judged voltage"
    return f"{count:,}: {named}; left out of voltage limits and charts{loads if lost else ''}"


def _remarks(notes: Sequence[str]) -> str:
    """Return what was found in the feeder's files that did not stop the run."""
    return clean(_shortened(notes, separator=" | ")) or "none"


def _shortened(items: Sequence[str], *, separator: str) -> str:
    """Join the first items and count the others."""
    rest = len(items) - MAX_LISTED
    return separator.join(items[:MAX_LISTED]) + (f" and {rest:,} more" if rest > 0 else "")


def _regulators(run: Run) -> str:
    """Say how many regulators there are and what they do."""
    count = len(run.feeder.get("regulator_ids", []))
    does = {"locked": "held at neutral", "as_defined": "operated by OpenDSS"}
    return f"{count}, {does[run.scenario.feeder.regulators]}" if count else "none"


def _device_counts(run: Run) -> str:
    """Count the devices of every kind."""
    counts = [f"{len(table):,} {_plural(kind)}" for kind, table in run.devices.items()]
    pv = int((run.households["pv_kwp"] > 0).sum()) if "pv_kwp" in run.households else 0
    return ", ".join([*counts, f"{pv:,} with rooftop solar"])


def _plural(kind: str) -> str:
    """Return the plural of a device kind as words."""
    words = kind.replace("_", " ")
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _versions(versions: object) -> str:
    """Return the versions of programs on one line."""
    if not isinstance(versions, dict) or not versions:
        return MISSING
    return clean(", ".join(f"{name} {version}" for name, version in sorted(versions.items())))
