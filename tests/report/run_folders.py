"""Run folders made up for tests: exact ones, number by number, and a plausible day on a feeder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from federates.series import SeriesWriter
from scenarios.results import Run, open_run
from scenarios.schema import Scenario

SAME_HEALTH = {
    "non_converged_steps": 0, "implausible_steps": 0, "control_limit_steps": 0,
    "not_settled_steps": 0, "held_steps": 0, "missing_values": 0,
}  # fmt: skip


def write_series(folder, values, *, dt_s, part_steps):
    """Write {id: values over time} as one quantity."""
    ids = list(values)
    table = np.array([np.asarray(values[i], dtype=float) for i in ids]).T.reshape(-1, len(ids))
    writer = SeriesWriter(folder, ids=ids, part_steps=part_steps)
    writer.extend(np.arange(len(table)) * float(dt_s), table)
    writer.close()


def write_run(
    folder: Path,
    *,
    scenario: Scenario,
    results,
    inputs=None,
    devices=None,
    households=None,
    feeder=None,
    run_info=None,
    part_steps=3,
) -> Run:
    """Write a run folder from results[controller][quantity][id] and open it."""
    dt_s = scenario.time.dt_s
    (folder / "inputs" / "devices").mkdir(parents=True)
    feeder = feeder or {
        "source": "test", "regulators": "locked", "nodes": [], "buses": [], "branches": [],
        "connections": [], "regulator_ids": [],
    }  # fmt: skip
    (folder / "inputs" / "feeder.json").write_text(json.dumps(feeder))
    homes = households if households is not None else pd.DataFrame({"household_id": []})
    homes.to_csv(folder / "inputs" / "households.csv", index=False)
    for kind, table in (devices or {}).items():
        table.to_csv(folder / "inputs" / "devices" / f"{kind}.csv", index=False)
    for name, values in (inputs or {}).items():
        write_series(
            folder / "inputs" / "series" / name, values, dt_s=dt_s, part_steps=part_steps + 2
        )
    for controller, quantities in results.items():
        for name, values in quantities.items():
            write_series(
                folder / controller / "results" / name, values, dt_s=dt_s, part_steps=part_steps
            )
        recorded = max((len(next(iter(v.values()), [])) for v in quantities.values()), default=0)
        info = {
            "controller": controller, "n_steps": scenario.time.n_steps,
            "n_steps_recorded": recorded, "exit": "finished", "seed": scenario.seed,
            "config_hash": "0123abcd", "versions": {"gradmap": "0.1.0", "opendss": "0.14.5"},
            "timings": {"start_up_s": 1.2, "run_s": 3.4, "ms_per_step": 5.6, "by_federate": {}},
            "health": dict(SAME_HEALTH),
        }  # fmt: skip
        info |= (run_info or {}).get(controller, {})
        (folder / controller / "run.json").write_text(json.dumps(info))
    return open_run(folder, scenario=scenario)


def small_feeder(*, coordinates=True, bad_name=None):
    """A three-phase trunk of six buses with a single-phase lateral of two at each."""
    buses, branches, parents = [], [], {}
    for i in range(6):
        bus = f"t{i}"
        buses.append((bus, float(i), 0.0, 0.4 * i, ["1", "2", "3"]))
        if i:
            branches.append((f"line.trunk{i}", f"t{i - 1}", bus, ["1", "2", "3"], 400.0))
        phase = "123"[i % 3]
        for j in (1, 2):
            name = bad_name if bad_name and (i, j) == (3, 2) else f"l{i}{j}"
            above = bus if j == 1 else f"l{i}1"
            side = -j if i % 2 else j
            buses.append((name, i + 0.2 * j, 0.5 * side, 0.4 * i + 0.2 * j, [phase]))
            branches.append((f"line.{name}", above, name, [phase], 100.0))
    for _, above, bus, _, _ in branches:
        parents[bus] = above
    return {
        "source": "synthetic.dss", "regulators": "locked", "regulator_ids": [],
        "nodes": [{"id": f"{b}.{p}", "bus": b, "phase": int(p), "kv_base": 2.4}
                  for b, _, _, _, phases in buses for p in phases],
        "buses": [{"bus": b, "x": x if coordinates else None, "y": y if coordinates else None,
                   "distance_km": km} for b, x, y, km, _ in buses],
        "branches": [{"id": i, "kind": "line", "bus1": a, "bus2": b, "phases": p, "normal_amps": n}
                     for i, a, b, p, n in branches],
        "connections": [{"connection_id": f"{b}.{p}", "bus": b, "nodes": [int(p)], "kv_base": 2.4}
                        for b, _, _, _, phases in buses for p in phases],
    }  # fmt: skip


def plausible_run(
    folder: Path,
    *,
    scenario: Scenario,
    feeder=None,
    controllers=("no_control", "rule_based"),
    n_steps=None,
    homes_a_node=2,
    part_steps=50,
) -> Run:
    """Write a run with a morning and an evening peak, midday solar, and four kinds of device.

    Every controller after the first has a flatter load. Voltages fall with distance and load; this
    is no power flow, only plausible enough to look at.
    """
    feeder = feeder or small_feeder()
    rng = np.random.default_rng(np.random.SeedSequence((scenario.seed, 7)))
    total = scenario.time.n_steps
    steps = total if n_steps is None else n_steps
    hour = (np.arange(total) * scenario.time.step_min / 60) % 24
    shape = 0.35 + 0.5 * _bump(hour, 7.5, 1.3) + 1.2 * _bump(hour, 18.2, 2.2)
    sun = np.maximum(np.cos((hour - 12.7) / 11 * np.pi), 0) ** 1.5
    homes = pd.DataFrame(
        [
            {"household_id": f"h{i:04d}", "connection_id": c["connection_id"], "base_scale": 1.0,
             "power_factor": 0.97, "pv_kwp": 4.0 * (i % 2)}
            for i, c in enumerate(feeder["connections"] * homes_a_node)
        ]
    )  # fmt: skip
    n = len(homes)
    solar = {
        h: kwp * sun * rng.uniform(0.7, 1)
        for h, kwp in zip(homes.household_id, homes.pv_kwp, strict=True) if kwp
    }  # fmt: skip
    devices = device_tables(homes)
    home = (hour < 8) | (hour > 17.5)
    evs = devices["ev_charger"].agent_id
    price = np.select([(hour >= 16) & (hour < 19), hour < 6], [0.40, 0.15], 0.25)
    inputs = {
        "environment": {"hour": hour, "price_import_per_kwh": price,
                        "price_export_per_kwh": np.full(total, 0.1)},
        "pv_available_kw": solar,
        "ev_plugged_in": {a: home.astype(float) for a in evs},
    }  # fmt: skip
    noise = rng.normal(1, 0.15, (n, total))
    results = {}
    for k, controller in enumerate(controllers):
        device_kw, request_kw, state = _device_series(devices, hour, rng, calm=k > 0)
        p_kw = np.array([0.8 * shape * noise[i] * (0.7 if k else 1.0) for i in range(n)])
        for i, name in enumerate(homes.household_id):
            p_kw[i] -= solar.get(name, 0)
            p_kw[i] += sum(v for a, v in device_kw.items() if a.startswith(name + "."))
        results[controller] = _grid_series(feeder, homes, p_kw) | {
            "p_kw": dict(zip(homes.household_id, p_kw, strict=True)),
            "pv_kw": {h: solar.get(h, np.zeros(total)) * (0.97 if k else 1)
                      for h in homes.household_id},
            "agent_p_kw": device_kw, "request_kw": request_kw, "state": state,
        }  # fmt: skip
        for name, values in results[controller].items():
            results[controller][name] = {i: v[:steps] for i, v in values.items()}
    info = {c: {"exit": "finished" if steps == total else "interrupted"} for c in controllers}
    return write_run(
        folder, scenario=scenario, results=results, inputs=inputs, devices=devices,
        households=homes, feeder=feeder, run_info=info, part_steps=part_steps,
    )  # fmt: skip


def device_tables(homes):
    """One device a household, the four kinds in turn."""
    kinds = ("battery", "heat_pump", "generator", "ev_charger")
    settings = {
        "battery": {"p_max_kw": 5, "e_max_kwh": 10, "wear_per_kwh": 0.02},
        "heat_pump": {"p_max_kw": 3, "temp_min_c": 19, "temp_max_c": 22},
        "generator": {"p_max_kw": 2, "fuel_per_kwh": 0.3, "fuel_quadratic_per_kw2h": 0.05},
        "ev_charger": {"p_max_kw": 7, "e_max_kwh": 50, "soc_target": 0.9},
    }
    rows = {kind: [] for kind in kinds}
    for i, household in enumerate(homes.household_id):
        kind = kinds[i % 4]
        rows[kind].append(
            {"agent_id": f"{household}.{kind}", "household_id": household} | settings[kind]
        )
    return {kind: pd.DataFrame(items) for kind, items in rows.items()}


def _device_series(devices, hour, rng, *, calm):
    """Return delivered power, requested power and state of every agent."""
    power, request, state = {}, {}, {}
    for kind, table in devices.items():
        for agent in table.agent_id:
            s = rng.uniform(0.6, 1.2)
            late = rng.normal(0, 0.7)
            if kind == "battery":
                p = (
                    s
                    * (_bump(hour - late, 12.5, 2) - 1.3 * _bump(hour - late, 18, 1.5))
                    * (2 if calm else 1)
                )
                x = np.clip(0.3 + 0.1 * np.cumsum(p) * (hour[1] - hour[0]) / 2, 0.05, 0.95)
            elif kind == "heat_pump":
                p = s * (0.9 + 0.3 * np.cos((hour - 4) / 24 * 2 * np.pi)) - calm * 0.5 * _bump(
                    hour, 18, 1.4
                )
                x = (
                    20.4
                    + 0.8 * s * np.sin((hour - 10 - late) / 24 * 2 * np.pi)
                    - calm * 0.6 * _bump(hour, 19, 1.5)
                )
            elif kind == "generator":
                p = -np.maximum(0.2, 0.9 * s * _bump(hour - late, 18, 2) * (2 if calm else 0.5))
                x = p
            else:
                p = 5 * s * (_bump(hour, 2.5, 2) if calm else _bump(hour - late, 19, 1.5))
                x = np.clip(0.5 + 0.3 * s * _bump(hour, 7, 3), 0, 1)
            power[agent], request[agent], state[agent] = p, p + (s > 1.1) * 0.1, x
    return power, request, state


def _grid_series(feeder, homes, p_kw):
    """Return voltages, head power, losses and loading that look like a power flow."""
    km = {b["bus"]: b["distance_km"] for b in feeder["buses"]}
    phase_kw = {str(p): np.zeros(p_kw.shape[1]) for p in (1, 2, 3)}
    for connection, p in zip(homes.connection_id, p_kw, strict=True):
        phase_kw[connection.rpartition(".")[2]] += p
    far = max(km.values())
    worst = max(float(np.abs(p).max()) for p in phase_kw.values())
    v_pu = {
        node["id"]: 1.01
        - 0.075 * (km[node["bus"]] / far) ** 0.7 * phase_kw[str(node["phase"])] / worst
        for node in feeder["nodes"]
    }
    total = sum(phase_kw.values())
    return {
        "v_pu": v_pu,
        "head_power": {f"p_kw_{p}": 1.03 * v for p, v in phase_kw.items()},
        "losses": {"p_kw": 0.03 * np.abs(total), "q_kvar": 0.06 * np.abs(total)},
        "taps": {"reg1": np.round(total / np.abs(total).max() * 4)},
        "loading": {b["id"]: np.abs(total) / np.abs(total).max() * (1.1 - 0.9 * km[b["bus2"]] / far)
                    for b in feeder["branches"]},
        "status": {"code": np.zeros(len(total))},
    }  # fmt: skip


def _bump(hour, centre, width):
    """A bell over the hours of a day, periodic."""
    apart = (hour - centre + 12) % 24 - 12
    return np.exp(-0.5 * (apart / width) ** 2)
