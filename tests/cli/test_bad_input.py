"""Wrong input: exit code 2, one message that says what to do, nothing started, nothing left."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gradmap.errors import ScenarioError
from opendss_models.feeders import feeder_path
from scenarios.loading import load_scenario
from scenarios.run import prepare
from tests.cli.helpers import in_shell, write_scenario
from tests.federates.helpers import federate_processes

Changes = dict[str, Any]
Damage = Callable[[Path, Path], Changes]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    """Inputs of a sound run, to take tables from."""
    folder = tmp_path_factory.mktemp("sound")
    prepare(load_scenario(write_scenario(folder)), folder=folder / "run")
    return folder / "run" / "inputs"


def negative_rating(folder: Path, inputs: Path) -> Changes:
    shutil.copytree(inputs / "devices", folder / "devices")
    table = pd.read_csv(folder / "devices" / "battery.csv")
    table.loc[1, "p_max_kw"] = -5.0
    table.to_csv(folder / "devices" / "battery.csv", index=False)
    return {
        "population": {"devices_folder": "devices", "households_file": f"{inputs}/households.csv"}
    }


def unknown_connection(folder: Path, inputs: Path) -> Changes:
    homes = pd.read_csv(inputs / "households.csv", dtype=str)
    homes.loc[3, "connection_id"] = "nowhere.1"
    homes.to_csv(folder / "homes.csv", index=False)
    return {"population": {"households_file": "homes.csv"}}


def short_profile(folder: Path, inputs: Path) -> Changes:
    homes = pd.read_csv(inputs / "households.csv")["household_id"]
    hours = pd.DataFrame({"time_s": [3600.0 * h for h in range(10)]} | dict.fromkeys(homes, 0.5))
    hours.to_csv(folder / "load.csv", index=False)
    return {"profiles": {"base_load_file": "load.csv"}}


def feeder_with(line: str) -> Damage:
    def damage(folder: Path, inputs: Path) -> Changes:
        copy = shutil.copytree(feeder_path("ieee123").parent, folder / "feeder")
        master = copy / "master.dss"
        lines = master.read_text().splitlines()
        first = next(i for i, x in enumerate(lines) if x.lower().startswith("redirect"))
        lines.insert(first + 1, line)
        master.write_text("\n".join(lines))
        return {"feeder": {"source": "feeder/master.dss"}}

    return damage


def typo_bus(folder: Path, inputs: Path) -> Changes:
    copy = shutil.copytree(feeder_path("ieee123").parent, folder / "feeder")
    loads = copy / "loads.dss"
    text = loads.read_text()
    loads.write_text(text.replace("bus1=1.1", "bus1=l.1", 1))
    assert loads.read_text() != text
    return {"feeder": {"source": "feeder/master.dss"}}


def as_is(**changes: Any) -> Damage:
    return lambda folder, inputs: changes


CASES: dict[str, tuple[Damage, str]] = {
    "unknown key": (as_is(sead=1), "`sead`: unknown key. Did you mean `seed`?"),
    "wrong type": (as_is(time={"days": "many"}), "`time.days` is 'many': expected a number"),
    "NaN": (as_is(limits={"v_min_pu": float("nan")}), "`limits.v_min_pu` is nan: "),
    "too many repeats": (
        as_is(time={"step_min": 1}, coupling={"mode": "iterate", "max_iterations": 60}),
        "`coupling.max_iterations: 60` takes 124 s",
    ),
    "missing file": (
        as_is(population={"households_file": "homes.csv"}),
        "`households_file` names homes.csv, which does not exist",
    ),
    "negative rating": (negative_rating, "`p_max_kw`"),
    "unknown connection": (unknown_connection, "connection 'nowhere.1' is not on the feeder"),
    "short profile": (short_profile, "Base load file"),
    "missing feeder": (as_is(feeder={"source": "no.dss"}), "no.dss': no such file"),
    "feeder that does not compile": (feeder_with("New Lyne.x bus1=1"), "Lyne"),
    "typo bus": (typo_bus, "is at bus 'l', which nothing connects. Did you mean bus"),
    "unsafe feeder": (feeder_with("DOScmd touch owned"), "runs a shell command"),
    "unknown controller": (
        as_is(controllers=["rule_bassed"]),
        "Controller 'rule_bassed' is unknown; expected one of no_control, rule_based",
    ),
    "policy without a folder": (as_is(controllers=["policy:"]), "Controller 'policy:' is unknown"),
    "missing policy": (
        as_is(controllers=["no_control", "policy:nowhere"]),
        "nowhere' has no policy.safetensors; expected",
    ),
    "more processes than homes": (
        lambda folder, inputs: {
            "population": {"households_file": f"{inputs}/households.csv"},
            "federation": {"household_processes": 13},
        },
        "`federation.household_processes` is 13, expected at most the 12 households of",
    ),
    "two policies of one name": (
        lambda folder, inputs: {"controllers": [two_policies(folder, n) for n in ("a", "b")]},
        "two policies have a folder called 'same'",
    ),
}


def two_policies(folder: Path, parent: str) -> str:
    policy = folder / parent / "same"
    policy.mkdir(parents=True)
    for name in ("policy.safetensors", "policy.json"):
        (policy / name).touch()
    return f"policy:{parent}/same"


@pytest.mark.parametrize("case", CASES)
def test_wrong_input_is_refused_before_anything_starts(gradmap, tmp_path, inputs, case):
    damage, said = CASES[case]
    path = write_scenario(tmp_path, **damage(tmp_path, inputs))
    before = sorted(tmp_path.rglob("*"))
    ended = gradmap("run", path, "--out", tmp_path / "run")
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert sorted(tmp_path.rglob("*")) == before
    assert federate_processes() == []


def test_wrong_input_as_a_process_of_its_own_says_one_thing_only(tmp_path):
    path = write_scenario(tmp_path, sead=1)
    ended = in_shell("run", path, cwd=tmp_path)
    assert ended.code == 2
    assert ended.err == f"Error: Scenario {path}:\n  `sead`: unknown key. Did you mean `seed`?\n"
    assert [item.name for item in tmp_path.iterdir()] == ["my.yaml"]


def test_a_policy_of_other_agents_is_refused_and_the_inputs_removed(gradmap, tmp_path, monkeypatch):
    """Found only once the population is known, so inputs have been written by then."""

    def refuse(name: str, **_: Any) -> None:
        assert (tmp_path / "run" / "prepare.partial" / "inputs" / "series").is_dir()
        raise ScenarioError(f"{name} was trained for other agents.")

    monkeypatch.setattr("scenarios.run.make_controller", refuse)
    ended = gradmap("run", write_scenario(tmp_path), "--out", tmp_path / "run")
    assert (ended.code, ended.err) == (2, "Error: no_control was trained for other agents.\n")
    assert not (tmp_path / "run").exists()


def test_ctrl_c_while_preparing_leaves_nothing(gradmap, tmp_path, monkeypatch):
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scenarios.run.materialise", interrupt)
    ended = gradmap("run", write_scenario(tmp_path), "--out", tmp_path / "run")
    assert (ended.code, ended.err.strip()) == (130, "Interrupted.")
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------------------- the run folder


def test_a_folder_in_use_needs_overwrite(gradmap, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine")
    path = write_scenario(tmp_path)
    ended = gradmap("run", path, "--out", tmp_path / "run")
    assert ended.code == 2
    assert "is not empty. Choose another with --out, or pass --overwrite" in ended.err
    ended = gradmap("run", path, "--out", tmp_path / "run", "--overwrite")
    assert ended.code == 2
    assert "holds no run of this tool, so it is not overwritten" in ended.err
    assert [item.name for item in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_a_folder_called_inputs_does_not_make_it_ours(gradmap, tmp_path):
    (tmp_path / "run" / "inputs").mkdir(parents=True)
    (tmp_path / "run" / "inputs" / "data.csv").write_text("mine")
    ended = gradmap("run", write_scenario(tmp_path), "--out", tmp_path / "run", "--overwrite")
    assert ended.code == 2
    assert (tmp_path / "run" / "inputs" / "data.csv").read_text() == "mine"


def test_overwrite_keeps_the_earlier_run_until_the_new_inputs_are_complete(gradmap, tmp_path):
    run = tmp_path / "run"
    assert gradmap("run", write_scenario(tmp_path), "--out", run, "--write-runner").code == 0
    (run / "old.txt").touch()
    before = sorted(run.rglob("*"))
    bad = write_scenario(tmp_path, controllers=["rule_bassed"])
    assert gradmap("run", bad, "--out", run, "--overwrite", "--write-runner").code == 2
    assert sorted(run.rglob("*")) == before
    good = write_scenario(tmp_path, seed=8)
    assert gradmap("run", good, "--out", run, "--overwrite", "--write-runner").code == 0
    assert (run / "old.txt").exists()  # not ours to delete
    assert load_scenario(run / "scenario.yaml").seed == 8
    assert not list(run.glob("*.partial"))


def test_a_failed_prepare_leaves_an_existing_empty_folder_empty(gradmap, tmp_path, inputs):
    (tmp_path / "run").mkdir()
    path = write_scenario(tmp_path, **unknown_connection(tmp_path, inputs))
    assert gradmap("run", path, "--out", tmp_path / "run").code == 2
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("where", ["file/run", "file"])
def test_a_folder_that_cannot_be_made_is_named(gradmap, tmp_path, where):
    (tmp_path / "file").write_text("mine")
    ended = gradmap("run", write_scenario(tmp_path), "--out", tmp_path / where)
    assert ended.code == 2
    assert str(tmp_path / where) in ended.err
    assert "--out" in ended.err
    assert (tmp_path / "file").read_text() == "mine"
