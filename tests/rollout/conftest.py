"""Short runs of the federation, in this process, to repeat as rollouts."""

import pytest

from scenarios.run import run_scenario
from tests.federates.helpers import make_scenario
from tests.rollout import recorded

POPULATION = {
    "n_households": 120,
    "base_load_scale": 5.0,
    "devices": {"battery": 0.5, "heat_pump": 0.5, "generator": 0.3, "ev_charger": 0.4},
}


@pytest.fixture(scope="session")
def record(tmp_path_factory):
    """Run the small scenario with changes, one day of quarter hours by default."""

    def make(**changes):
        scenario = make_scenario(**{"time": {"step_min": 15}, "population": POPULATION, **changes})
        folder = tmp_path_factory.mktemp("recorded") / "run"
        run_scenario(scenario, out=folder, in_process=True)
        return recorded.read(folder)

    return make


@pytest.fixture(scope="session")
def day(record):
    """One day of every device kind, several in a home, under two controllers."""
    return record(controllers=["no_control", "rule_based"])
