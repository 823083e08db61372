"""One small scenario and one small training, made once."""

import pytest
import yaml

from scenarios.loading import find_scenario, load_scenario
from scenarios.training.run import train
from tests.training.small import N_HOMES, SETTINGS


@pytest.fixture(scope="session")
def scenario(tmp_path_factory):
    """The reference case with few large homes, in limits that they leave when left alone."""
    data = yaml.safe_load(find_scenario("ieee123_1000_agents").read_text())
    data["population"] |= {
        "n_households": N_HOMES,
        "base_load_scale": 20.0,
        "pv_kwp_mean": 60.0,
        "battery_scale": 10.0,
        "floor_area_mean_m2": 1000.0,
    }
    data["limits"] = {"v_min_pu": 0.985, "v_max_pu": 1.0365}
    path = tmp_path_factory.mktemp("scenario") / "few.yaml"
    path.write_text(yaml.safe_dump({**data, "name": "few"}))
    return load_scenario(path)


@pytest.fixture(scope="session")
def trained(scenario, tmp_path_factory):
    """A finished training folder; nobody writes into it."""
    out = tmp_path_factory.mktemp("trained") / "out"
    train(scenario, out=out, settings=SETTINGS)
    return out
