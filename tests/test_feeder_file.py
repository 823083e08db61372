"""inputs/feeder.json as it is written for the bundled feeder."""

import json

import pytest

from opendss_models.engine import Engine
from opendss_models.feeders import feeder_path
from scenarios.feeder_file import write_feeder_file
from scenarios.schema import Scenario


@pytest.fixture(scope="module")
def feeder(tmp_path_factory):
    path = tmp_path_factory.mktemp("feeder") / "feeder.json"
    engine = Engine(feeder_path("ieee123"))
    engine.notes = ("A remark.",)
    write_feeder_file(engine, scenario=Scenario(), path=path)
    return json.loads(path.read_text())


def test_only_the_nodes_behind_the_delta_transformer_are_not_grounded(feeder):
    floating = {node["id"] for node in feeder["nodes"] if not node["grounded"]}
    assert floating == {"610.1", "610.2", "610.3"}
    assert all(node["energised"] for node in feeder["nodes"])


def test_remarks_and_regulators_are_written(feeder):
    assert feeder["notes"] == ["A remark."]
    assert len(feeder["regulator_ids"]) == 7
