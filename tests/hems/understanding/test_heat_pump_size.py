"""Heat pumps are called by the heat they give; what they draw is asked for."""

from __future__ import annotations

import pytest

from federates.hems.parameters.slots import slot
from federates.hems.understanding.rules import understand

KEY = "heating.rated_electric_kw"
PUMP = {"household.devices": ("heat_pump",), "heating.kind": "heat_pump"}


@pytest.mark.parametrize(
    ("text", "said_kw"),
    [("it's a 7kW heat pump", 7.0), ("8.5 kW Vaillant", 8.5), ("the ASHP is 12 kW", 12.0)],
)
def test_the_size_of_a_heat_pump_may_be_its_heat(text, said_kw):
    got = understand(text, asked=[slot(KEY)], known=PUMP)
    (doubt,) = got.ambiguous
    assert not got.findings
    electric_kw, drawn_kw = doubt.readings
    assert electric_kw == said_kw
    assert said_kw / 4 < drawn_kw < said_kw / 2
    assert "heat it gives" in doubt.question


@pytest.mark.parametrize(
    "text",
    ["2.5 kW", "the heat pump draws 2.5 kW", "heat pump, 2.5 kW electric", "2.5 kW input, Daikin"],
)
def test_what_it_draws_is_taken_as_said(text):
    got = understand(text, asked=[slot(KEY)], known=PUMP)
    assert {one.key: one.value for one in got.findings} == {KEY: 2.5}
    assert not got.ambiguous
