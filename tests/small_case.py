"""The reference case with few large homes, in limits that they leave when left alone."""

import yaml

from scenarios.loading import find_scenario

N_HOMES = 30


def write_small_scenario(folder, *, n_homes=N_HOMES, regulators="locked"):
    """Write the bundled scenario with few homes to a file and return its path."""
    data = yaml.safe_load(find_scenario("ieee123_1000_agents").read_text())
    data["population"] |= {
        "n_households": n_homes,
        "base_load_scale": 20.0,
        "pv_kwp_mean": 60.0,
        "battery_scale": 10.0,
        "floor_area_mean_m2": 1000.0,
    }
    data["feeder"]["regulators"] = regulators
    data["limits"] = {"v_min_pu": 0.985, "v_max_pu": 1.0365}
    path = folder / "few.yaml"
    path.write_text(yaml.safe_dump({**data, "name": "few"}))
    return path
