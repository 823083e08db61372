"""inputs/feeder.json: what the results of a run refer to, readable without OpenDSS."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from opendss_models.engine import Engine
from scenarios.schema import Scenario


def write_feeder_file(engine: Engine, *, scenario: Scenario, path: Path) -> None:
    """Write nodes, buses with coordinates, branches with ratings, connections and remarks."""
    feeder_map = engine.feeder_map()
    data = {
        "source": scenario.feeder.source,
        "source_bus": feeder_map.source_bus,
        "regulators": scenario.feeder.regulators,
        "notes": list(engine.notes),
        "nodes": _nodes(engine),
        "buses": [
            {
                "bus": b.bus,
                "x": _finite(b.x),
                "y": _finite(b.y),
                "distance_km": _finite(b.distance_km),
            }
            for b in feeder_map.buses
        ],
        "branches": [
            {
                "id": branch.branch_id,
                "kind": branch.branch_id.partition(".")[0],
                "bus1": branch.bus1,
                "bus2": branch.bus2,
                "phases": list(branch.phases),
                "normal_amps": _finite(branch.normal_amps),
            }
            for branch in feeder_map.branches
        ],
        "connections": [
            {
                "connection_id": c.connection_id,
                "bus": c.bus,
                "nodes": list(c.nodes),
                "kv_base": c.kv_base,
                "p_nominal_kw": c.p_nominal_kw,
            }
            for c in engine.connections
        ],
        "regulator_ids": list(engine.regulator_ids),
    }
    path.write_text(json.dumps(data, indent=1, allow_nan=False))


def _nodes(engine: Engine) -> list[dict[str, Any]]:
    """Return every node; `grounded` says whether its voltage to ground is defined."""
    rows = zip(engine.node_ids, engine.node_kv_base, engine.grounded, engine.energised, strict=True)
    return [
        {
            "id": node,
            "bus": bus,
            "phase": int(phase),
            "kv_base": float(kv),
            "grounded": bool(grounded),
            "energised": bool(energised),
        }
        for node, kv, grounded, energised in rows
        for bus, _, phase in [node.rpartition(".")]
    ]


def _finite(value: float) -> float | None:
    """JSON has no NaN: a missing coordinate is null."""
    return float(value) if math.isfinite(value) else None
