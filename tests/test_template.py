"""The commented file and the JSON Schema say what the schema says."""

import json
import types
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scenarios.loading import bundled_scenarios, load_scenario, parse_scenario
from scenarios.schema import Scenario
from scenarios.template import commented_scenario, json_schema

BUNDLED = sorted(bundled_scenarios())
# Counts and identifiers: numbers without a unit, said by their description.
UNITLESS = {
    "seed",
    "n_households",
    "max_iterations",
    "household_processes",
    "hems_processes",
    "part_steps",
}


def reload(scenario: Scenario, folder: Path) -> Scenario:
    path = folder / "again.yaml"
    path.write_text(commented_scenario(scenario), encoding="utf-8")
    return load_scenario(path)


def fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    found = []
    for name, field in model.model_fields.items():
        found.append((name, field))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += fields(field.annotation)
    return found


@pytest.mark.parametrize("name", BUNDLED)
def test_commented_file_of_a_bundled_scenario_loads_as_the_same(tmp_path, name):
    scenario = load_scenario(bundled_scenarios()[name])
    rules = tuple(one for one in scenario.controllers if not one.startswith("policy:"))
    without_policies = scenario.model_copy(update={"controllers": rules})
    assert reload(scenario, tmp_path) == without_policies


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(description=st.text(max_size=150), bus=st.text(max_size=8))
def test_commented_file_holds_any_text(tmp_path, description, bus):
    data = {"description": description, "limits": {"exclude_buses": [bus]}}
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate, which no text file holds
        return
    scenario = parse_scenario(data, origin=tmp_path / "x.yaml")
    assert reload(scenario, tmp_path) == scenario


def test_commented_file_comments_every_setting():
    text = commented_scenario(Scenario())
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line and not line.lstrip().startswith("#"):
            assert lines[number - 1].lstrip().startswith("# "), line
    assert "One of: ordered, lag, iterate." in text
    assert len([line for line in lines if line.endswith(":")]) == 13  # sections


@pytest.mark.parametrize(("name", "field"), fields(Scenario), ids=lambda v: str(v)[:30])
def test_every_setting_is_described_with_its_unit(name, field):
    assert field.description, name
    kinds = {field.annotation, *typing.get_args(field.annotation)}
    if kinds & {int, float} and name not in UNITLESS:
        assert "[" in field.description, f"{name}: {field.description}"


def test_json_schema_accepts_bundled_scenarios_and_refuses_typos():
    schema = json.loads(json_schema())
    for name in BUNDLED:
        data = yaml.safe_load(bundled_scenarios()[name].read_text())
        assert faults(data, schema, schema) == []
    typo = faults({"sead": 1, "time": {"days": "x"}, "feeder": {"trust": 3}}, schema, schema)
    assert typo == ["sead: unknown", "time.days: not integer", "feeder.trust: not boolean"]
    assert schema["properties"]["time"]["$ref"].endswith("TimeSettings")
    described = schema["$defs"]["TimeSettings"]["properties"]["step_min"]["description"]
    assert described.endswith("[min]")


TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "null": types.NoneType,
}


def faults(data: Any, rule: dict[str, Any], schema: dict[str, Any], where: str = "") -> list[str]:
    """The structural part of JSON Schema that ours uses."""
    if "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].rpartition("/")[2]]
    if "anyOf" in rule:
        each = [faults(data, option, schema, where) for option in rule["anyOf"]]
        return min(each, key=len)
    if rule["type"] != "object":
        ok = isinstance(data, TYPES[rule["type"]]) and data in rule.get("enum", [data])
        return [] if ok else [f"{where}: not {rule['type']}"]
    assert rule["additionalProperties"] is False
    found = []
    for key, value in data.items():
        name = f"{where}.{key}".lstrip(".")
        known = rule["properties"].get(key)
        found += faults(value, known, schema, name) if known else [f"{name}: unknown"]
    return found
