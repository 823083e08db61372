import pytest

from tests.power_flow import circuits


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return circuits.small(str(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="session")
def ieee123():
    return circuits.ieee123()


@pytest.fixture(scope="session", params=["small", "ieee123"])
def feeder(request):
    return request.getfixturevalue(request.param)
