"""One small scenario and one small training, made once."""

import pytest

from scenarios.loading import load_scenario
from scenarios.training.run import train
from tests.small_case import write_small_scenario
from tests.training.small import N_HOMES, SETTINGS


@pytest.fixture(scope="session")
def scenario(tmp_path_factory):
    """The reference case with few large homes, in limits that they leave when left alone."""
    folder = tmp_path_factory.mktemp("scenario")
    return load_scenario(write_small_scenario(folder, n_homes=N_HOMES))


@pytest.fixture(scope="session")
def trained(scenario, tmp_path_factory):
    """A finished training folder; nobody writes into it."""
    out = tmp_path_factory.mktemp("trained") / "out"
    train(scenario, out=out, settings=SETTINGS)
    return out
