"""How a report was computed: inputs, settings, versions and what is not modelled."""

from __future__ import annotations

from scenarios.report.svg import clean
from scenarios.report.tables import MISSING
from scenarios.results import Run


def facts(run: Run) -> list[tuple[str, str]]:
    """Return what identifies the run, as names and values."""
    scenario, feeder = run.scenario, run.feeder
    limits, time = scenario.limits, scenario.time
    infos = [run.run_info(controller) for controller in run.controllers]
    info = next((item for item in infos if item), {})
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
        ("Buses left out of the limits", clean(", ".join(limits.exclude_buses)) or "none"),
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


def limitations() -> list[str]:
    """List what a reader must not conclude from this report."""
    return [
        "Steps are quasi-static: faults, protection, flicker and what happens inside a step are "
        "not modelled.",
        "Outages are not modelled, so there is no SAIDI or SAIFI.",
        "Voltages are line-to-neutral at the buses of the feeder file; service drops and neutrals "
        "beyond it are not modelled.",
        "Loading compares currents with normal ratings; thermal inertia and ageing are not "
        "modelled.",
        "Stored energy left in batteries and vehicles and heat left in homes at the end of the "
        "run have no value in the costs.",
    ]


def _regulators(run: Run) -> str:
    """Say how many regulators there are and what they do."""
    count = len(run.feeder.get("regulators_ids", []))
    does = {"locked": "held at neutral", "as_defined": "operated by OpenDSS"}
    return f"{count}, {does[run.scenario.feeder.regulators]}" if count else "none"


def _device_counts(run: Run) -> str:
    """Count the devices of every kind."""
    counts = [f"{len(table):,} {kind.replace('_', ' ')}s" for kind, table in run.devices.items()]
    pv = int((run.households["pv_kwp"] > 0).sum()) if "pv_kwp" in run.households else 0
    return ", ".join([*counts, f"{pv:,} with rooftop solar"])


def _versions(versions: object) -> str:
    """Return the versions of programs on one line."""
    if not isinstance(versions, dict) or not versions:
        return MISSING
    return clean(", ".join(f"{name} {version}" for name, version in sorted(versions.items())))
