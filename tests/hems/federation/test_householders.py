"""Homes of simulated householders: reproducible, fitting, named after households, as files."""

import json
import os
import subprocess
import sys

import pytest

from federates.grid import open_engine
from federates.hems.parameters import read
from gradmap.errors import ScenarioError
from scenarios.federation import grid_settings
from scenarios.householders import (
    AskedHome,
    Place,
    ask_householders,
    kinds_of,
    place_of,
    write_asked,
)
from scenarios.loading import load_scenario
from scenarios.population import draw_population
from tests.cli.helpers import CommandLine
from tests.conftest import REPOSITORY
from tests.hems.federation.homes import home
from tests.small_case import write_small_scenario

ASK = """
from federates.hems.users.persona import draw_persona
from scenarios.householders import ask_householders

for number in range(60):
    print(draw_persona(0, number).truth)
for home in ask_householders(3, seed=0):
    print(home.found.model_dump_json())
"""


def test_the_same_seed_gives_the_same_homes_and_fewer_are_the_first_ones():
    two, (one,) = ask_householders(2, seed=5), ask_householders(1, seed=5)
    assert [asked.number for asked in two] == [0, 1]
    assert two[0].found == one.found
    assert two[0].true == one.true != two[1].true
    assert two[0].name == "householder_0000"


def test_homes_do_not_depend_on_how_a_process_orders_sets():
    found = [
        subprocess.run(
            [sys.executable, "-c", ASK],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1")
    ]
    assert found[0] == found[1]
    assert "never_touch" in found[0]


def test_only_homes_that_a_policy_may_control_are_taken():
    place = Place(currency="GBP", kinds={"h1": frozenset({"battery"})})
    taking_part = {"flexibility__participate": True}
    assert place.takes(home(**taking_part))
    assert not place.takes(home())  # does not take part
    assert not place.takes(home(**taking_part, flexibility__never_touch=("generator",)))
    assert place.takes(home(**taking_part, flexibility__never_touch=("dishwasher",)))
    assert not Place(currency="USD", kinds=place.kinds).takes(home(**taking_part))


def test_a_home_stands_in_for_a_household_with_most_kinds_in_common():
    kinds = {
        "h1": frozenset({"generator"}),
        "h2": frozenset({"battery", "heat_pump"}),
        "h3": frozenset({"battery"}),
    }
    place = Place(currency="GBP", kinds=kinds)
    assert kinds_of(home()) == ("battery", "heat_pump", "generator", "ev_charger")
    assert place.household_for(home(), taken=[]) == "h2"
    assert place.household_for(home(), taken=["h2"]) == "h1"
    with pytest.raises(ScenarioError, match=r"4 homes were asked for.*has 3 households"):
        ask_householders(4, seed=0, place=place)


def test_homes_of_a_scenario_are_written_and_read_by_it(capsys, tmp_path):
    gradmap, path = CommandLine(capsys), write_small_scenario(tmp_path)
    ended = gradmap(
        "hems", "homes", "--homes", "1", "--scenario", path, "--out", tmp_path / "homes",
        "--true-homes", tmp_path / "true",
    )  # fmt: skip
    assert ended.code == 0
    assert "values right" in ended.out
    listed = json.loads((tmp_path / "homes" / "homes.json").read_text())["homes"]
    names = [one["name"] for one in listed]
    for folder, devices in (("homes", "devices"), ("true", "true_devices")):
        found = {file.stem: read(file) for file in (tmp_path / folder).glob("*.yaml")}
        assert {name: list(kinds_of(one)) for name, one in found.items()} == {
            one["name"]: one[devices] for one in listed
        }
    place = place_of(load_scenario(path), seed=0)
    for one in listed:  # somebody in thirty homes has one of a kind
        known = set(one["devices"]) - {"ev_charger"}
        assert not known or known & place.kinds[one["name"]]
    path.write_text(path.read_text().replace("population:", "population:\n  interviews: homes"))
    scenario = load_scenario(path)
    population = draw_population(scenario, _connections(scenario))
    assert set(population.interviews) == set(names)
    assert population.in_policy().n_agents == population.n_agents


def test_folders_of_others_are_left_alone(tmp_path):
    asked = (
        AskedHome(
            name="h1", number=0, level="expert", ended="done", n_turns=9, right=None, found=home(),
            true=home(),
        ),
    )  # fmt: skip
    write_asked(asked, seed=5, folder=tmp_path / "homes")
    write_asked(asked, seed=5, folder=tmp_path / "homes")  # its own files it replaces
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "me.yaml").write_text("mine")
    with pytest.raises(ScenarioError, match=r"no homes.json"):
        write_asked(asked, seed=5, folder=tmp_path / "mine")
    assert (tmp_path / "mine" / "me.yaml").read_text() == "mine"


def _connections(scenario):
    return open_engine(grid_settings(scenario)).connections
