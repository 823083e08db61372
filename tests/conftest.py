"""Fixtures shared by all tests."""

import os
from pathlib import Path

import hypothesis
import pytest

# Before torch is imported: one thread, as everywhere else in this project.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# First calls import torch or build caches, and machines are shared: seconds are not what is tested.
hypothesis.settings.register_profile("gradmap", deadline=None)
hypothesis.settings.load_profile("gradmap")

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the repository; tests skip without it."""
    if not SHARED.is_dir():
        pytest.skip("the reference folder ../shared is not here")
    return SHARED
