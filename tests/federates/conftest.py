"""Prepared run folders of small scenarios."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenarios.run import prepare
from tests.federates.helpers import Prepared, make_scenario


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[..., Prepared]:
    """Prepare a run folder for the small scenario with changes."""

    def make(**changes: Any) -> Prepared:
        scenario = make_scenario(**changes)
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        prepare(scenario, folder=folder)
        return Prepared(scenario=scenario, folder=folder)

    return make
