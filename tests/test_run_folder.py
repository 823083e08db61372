"""A run folder is ours or it is left alone; two runs never share one."""

import multiprocessing
from pathlib import Path

import pytest

from gradmap.errors import ScenarioError
from scenarios.loading import parse_scenario
from scenarios.run_folder import (
    INPUTS_FOLDER,
    MARKER,
    claimed,
    default_folder,
    in_use,
    refuse_unless_free,
    staging,
)
from scenarios.schema import Scenario


def scenario_of(**changes) -> Scenario:
    return parse_scenario({"name": "mine", **changes}, origin=Path("mine.yaml"))


def prepared(folder: Path, *contents: str) -> Path:
    with staging(folder, contents=contents) as place:
        (place / INPUTS_FOLDER / "households.csv").touch()
    for name in contents:
        (folder / name).mkdir()
    return folder


def test_replacing_a_run_removes_what_a_run_writes_and_nothing_else(tmp_path):
    folder = prepared(tmp_path / "run", "no_control")
    (folder / "report.html").touch()
    (folder / "thesis.tex").touch()
    (folder / "my_results").mkdir()
    prepared(folder, "rule_based")
    names = {path.name for path in folder.iterdir()}
    assert names == {MARKER, INPUTS_FOLDER, "rule_based", "thesis.tex", "my_results"}


def test_a_folder_with_only_a_scenario_file_is_not_a_run_of_ours(tmp_path):
    (tmp_path / "scenario.yaml").write_text("name: mine")
    with pytest.raises(ScenarioError, match="holds no run of this tool"):
        refuse_unless_free(tmp_path, scenario=scenario_of(), overwrite=True)


def test_a_run_that_reads_its_own_folder_is_not_replaced(tmp_path):
    folder = prepared(tmp_path / "run")
    homes = folder / INPUTS_FOLDER / "households.csv"
    scenario = scenario_of(population={"households_file": str(homes)})
    with pytest.raises(ScenarioError, match=r"`households_file` names .* lies in the run folder"):
        refuse_unless_free(folder, scenario=scenario, overwrite=True)


def test_a_marker_that_names_paths_elsewhere_removes_nothing_there(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = prepared(tmp_path / "run")
    (folder / MARKER).write_text('{"contents": ["../outside", "/", "..", ".", ""]}')
    (folder / "kept").touch()
    prepared(folder)
    assert outside.is_dir()
    assert (folder / "kept").exists()


def test_failed_preparation_leaves_the_earlier_run(tmp_path):
    folder = prepared(tmp_path / "run", "no_control")
    before = sorted(folder.rglob("*"))

    def fail() -> None:
        with staging(folder, contents=()) as place:
            (place / INPUTS_FOLDER / "half.csv").touch()
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert sorted(folder.rglob("*")) == before


def hold(folder: Path, held, release) -> None:
    with in_use(folder):
        held.set()
        release.wait(30)


def test_a_folder_in_use_by_another_process_is_refused_and_untouched(tmp_path):
    folder = prepared(tmp_path / "run", "no_control")
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=hold, args=(folder, held, release))
    other.start()
    try:
        assert held.wait(30)
        before = sorted(folder.rglob("*"))
        with pytest.raises(ScenarioError, match="in use by another run"):
            prepared(folder)
        assert sorted(folder.rglob("*")) == before
    finally:
        release.set()
        other.join(30)


def test_default_folders_of_one_second_differ_and_empty_ones_go_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {default_folder(scenario_of()) for _ in range(5)}
    assert len(folders) == 5
    with (
        pytest.raises(ScenarioError, match="wrong"),
        claimed(None, scenario=scenario_of()) as folder,
    ):
        raise ScenarioError("wrong input")
    assert not folder.exists()
