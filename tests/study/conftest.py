"""The small case, opened once."""

import pytest

from scenarios.case import open_case
from scenarios.loading import load_scenario
from tests.small_case import write_small_scenario


@pytest.fixture(scope="session")
def small_case(tmp_path_factory):
    return open_case(load_scenario(write_small_scenario(tmp_path_factory.mktemp("scenario"))))
