"""A page about a new interview."""

import pytest

from tests.web.serving import served


@pytest.fixture
def page():
    with served() as running:
        yield running
