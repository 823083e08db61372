"""What counts as the same value."""

import pytest

from federates.hems.parameters.slots import slot
from federates.hems.users.agreement import agrees


@pytest.mark.parametrize("said", ["vw id 4", "VW ID.4", "Vw Id-4"])
def test_a_model_is_the_same_without_its_marks(said):
    assert agrees(slot("evs.1.model"), said, truth="VW ID.4")


@pytest.mark.parametrize("said", ["VW ID.3", "VW", "VW ID.4 GTX"])
def test_another_model_is_not(said):
    assert not agrees(slot("evs.1.model"), said, truth="VW ID.4")
