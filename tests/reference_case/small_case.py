"""The reference case with few homes, whose own limits are just tight enough to bind."""

import yaml

from scenarios.loading import find_scenario

N_HOMES = 30
LIMITS = {"v_min_pu": 0.95, "v_max_pu": 1.029}
"""Unconstrained optima go 0.0002 to 0.0003 pu beyond."""


def write_small_scenario(folder):
    """Write the bundled scenario with few homes to a file and return its path."""
    data = yaml.safe_load(find_scenario("ieee123_1000_agents").read_text())
    data["population"]["n_households"] = N_HOMES
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**data, "name": "small", "limits": LIMITS}))
    return path
