"""What every command prints, writes and ends with."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scenarios.doctor import Finding
from scenarios.loading import load_scenario
from scenarios.results import open_run
from tests.cli.helpers import in_shell, write_scenario
from tests.federates.helpers import federate_processes

N_HOMES = 12


# --------------------------------------------------------------------------------------- the roof


def test_help_imports_nothing_heavy_and_is_quick(tmp_path):
    code = (
        "import sys, time; began = time.perf_counter()\n"
        "from scenarios.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as exc: assert exc.code == 0\n"
        "heavy = {'torch', 'helics', 'numpy', 'pandas', 'pydantic'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy)); print('took', time.perf_counter() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "heavy: []" in done.stdout
    for command in ("doctor", "init", "run", "federate", "bench", "report"):
        assert f"  {command} " in done.stdout
    assert float(done.stdout.rsplit("took ", 1)[1]) < 1.0


@pytest.mark.parametrize(
    "command", ["doctor", "init", "run", "federate", "bench", "report", "bench federation"]
)
def test_every_command_explains_itself_with_an_example(gradmap, command):
    ended = gradmap(*command.split(), "--help")
    assert ended.code == 0
    assert "Usage:" in ended.out
    assert command == "bench" or "Example: gradmap" in ended.out


def test_unknown_commands_and_options_are_refused(gradmap):
    ended = gradmap("runn")
    assert (ended.code, "No command 'runn'; there are: doctor, init, run" in ended.err) == (2, True)
    ended = gradmap("run", "--fast")
    assert (ended.code, "No such option" in ended.err and "--fast" in ended.err) == (2, True)
    ended = gradmap("run", "quick_strat")
    assert (ended.code, "'quick_strat': no such file, nor a bundled" in ended.err) == (2, True)


# ----------------------------------------------------------------------------------------- doctor


@pytest.mark.federation
def test_doctor_finds_this_machine_well(tmp_path):
    ended = in_shell("doctor", cwd=tmp_path)
    assert ended.code == 0, ended.out
    for check in ("Python", "HELICS handshake on loopback", "OpenDSS on IEEE 123", "torch"):
        assert check in ended.out
    assert "FAILED" not in ended.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_doctor_reports_as_json_and_by_exit_code(gradmap, monkeypatch, ok, code):
    findings = [Finding(check="OpenDSS", ok=ok, detail="[3615.3] kW")]
    monkeypatch.setattr("scenarios.cli.doctor.run_checks", lambda: findings)
    ended = gradmap("doctor", "--json")
    assert ended.code == code
    assert json.loads(ended.out) == [{"check": "OpenDSS", "ok": ok, "detail": "[3615.3] kW"}]
    ended = gradmap("doctor")
    assert ended.code == code
    assert ("FAILED" in ended.out) is not ok
    assert "[3615.3] kW" in ended.out


def test_doctor_goes_on_after_a_check_that_fails(gradmap, monkeypatch):
    def broken() -> str:
        raise OSError("no loopback here")

    monkeypatch.setattr("federates.handshake.shake_hands", broken)
    monkeypatch.setattr("scenarios.doctor._opendss", lambda: "fine")
    ended = gradmap("doctor", "--json")
    rows = {row["check"]: row for row in json.loads(ended.out)}
    assert ended.code == 1
    assert rows["HELICS handshake on loopback"]["detail"] == "OSError: no loopback here"
    assert rows["Writable folders"]["ok"]


# ------------------------------------------------------------------------------------------- init


def test_init_writes_a_file_that_runs_as_it_is(gradmap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = gradmap("init", "my.yaml", "--like", "winter_week_ev")
    assert (ended.code, ended.out) == (
        0,
        "Wrote my.yaml. Edit it, then: gradmap run my.yaml\n",
    )
    assert load_scenario(Path("my.yaml")).name == "winter_week_ev"


def test_init_does_not_replace_a_file_unasked(gradmap, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("mine")
    ended = gradmap("init", path)
    assert ended.code == 2
    assert "exists; choose another name or pass --force" in ended.err
    assert path.read_text() == "mine"
    assert gradmap("init", path, "--force").code == 0
    assert load_scenario(path).name == "quick_start"


def test_init_schema_is_json_schema(gradmap, tmp_path):
    path = tmp_path / "schema.json"
    assert gradmap("init", path, "--schema").code == 0
    assert json.loads(path.read_text())["properties"]["seed"]["type"] == "integer"


def test_init_into_a_missing_folder_says_so(gradmap, tmp_path):
    ended = gradmap("init", tmp_path / "no" / "my.yaml")
    assert ended.code == 2
    assert f"{tmp_path / 'no' / 'my.yaml'} cannot be written: No such file" in ended.err


# -------------------------------------------------------------------------------------------- run


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished in-process run of two days in parts of a day, through the command line."""
    folder = tmp_path_factory.mktemp("finished")
    path = write_scenario(folder, time={"days": 2}, federation={"part_steps": 24})
    ended = in_shell("run", path, "--in-process", "--out", "run", "--quiet", cwd=folder)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    return folder / "run"


def test_run_in_process_leaves_results_summary_and_report(finished):
    assert {path.name for path in finished.iterdir()} == {
        ".gradmap-run",
        "inputs",
        "no_control",
        "report.html",
        "scenario.yaml",
        "summary.csv",
        "summary.json",
    }
    info = json.loads((finished / "no_control" / "run.json").read_text())
    assert info["in_process"] is True
    assert (info["exit"], info["n_steps_recorded"], info["error"]) == ("finished", 48, None)
    assert info["health"]["healthy"] is True


def test_run_prints_a_table_or_json(gradmap, tmp_path):
    path = write_scenario(tmp_path)
    ended = gradmap("run", path, "--in-process", "--out", tmp_path / "a")
    assert ended.code == 0
    assert "Minimum voltage [pu]" in ended.out
    assert "healthy" in ended.out
    assert f"Report: {tmp_path / 'a' / 'report.html'}" in ended.out
    ended = gradmap("run", path, "--in-process", "--out", tmp_path / "b", "--json")
    assert ended.code == 0
    summary = json.loads(ended.out)["controllers"]["no_control"]
    assert 0.8 < summary["v_min_pu"] <= summary["v_max_pu"] < 1.1
    assert ended.err == ""


@pytest.mark.parametrize(("n_households", "n_processes"), [(5, 1), (1000, 1), (40, 3)])
def test_a_households_file_counts_for_itself(
    gradmap, tmp_path, finished, n_households, n_processes
):
    """All twelve homes of the file are simulated, whatever `n_households` says."""
    path = write_scenario(
        tmp_path,
        population={
            "n_households": n_households,
            "households_file": str(finished / "inputs" / "households.csv"),
        },
        federation={"household_processes": n_processes},
    )
    ended = gradmap("run", path, "--in-process", "--out", tmp_path / "run", "--json")
    assert ended.code == 0, ended.err
    run = open_run(tmp_path / "run")
    p_kw = run["no_control"].p_kw
    assert list(p_kw.columns) == list(run.households.index)
    assert len(p_kw.columns) == N_HOMES
    losses = run["no_control"].losses["p_kw"]
    supplied = run["no_control"].head_power.iloc[:, :3].sum(axis=1)
    np.testing.assert_allclose(supplied, p_kw.sum(axis=1) + losses, atol=1e-3)


@pytest.mark.federation
def test_run_without_in_process_is_a_federation(tmp_path):
    path = write_scenario(tmp_path)
    ended = in_shell("run", path, "--out", "run", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["controllers"]["no_control"]
    logs = {file.stem for file in (tmp_path / "run" / "no_control" / "logs").glob("*.log")}
    assert logs == {"environment", "households_1", "agents", "grid", "recorder"}
    assert federate_processes() == []


def overload(folder: Path, *, first_bad_hour: int, on_failure: str) -> dict[str, Any]:
    """From some hour on, every home draws more than the feeder can carry."""
    homes = {f"h{i:04d}": [0.5 if h < first_bad_hour else 9e3 for h in range(24)] for i in HOMES}
    table = pd.DataFrame({"time_s": [3600.0 * h for h in range(24)], **homes})
    table.to_csv(folder / "load.csv", index=False)
    return {
        "profiles": {"base_load_file": "load.csv"},
        "feeder": {"on_failure": on_failure},
    }


HOMES = range(1, N_HOMES + 1)


def test_a_run_with_unsolved_steps_ends_with_3(gradmap, tmp_path):
    path = write_scenario(tmp_path, **overload(tmp_path, first_bad_hour=20, on_failure="hold"))
    ended = gradmap("run", path, "--in-process", "--out", tmp_path / "run")
    assert ended.code == 3
    assert "unhealthy steps" in ended.out
    health = open_run(tmp_path / "run").run_info("no_control")["health"]
    assert health["held_steps"] == 4
    assert health["non_converged_steps"] + health["implausible_steps"] == 4
    assert not health["healthy"]
    v_pu = open_run(tmp_path / "run")["no_control"].v_pu
    assert (v_pu.iloc[20:] == v_pu.iloc[19]).all(axis=None)


@pytest.mark.parametrize(
    ("on_failure", "first_bad_hour", "advice"),
    [
        ("fail", 20, "set `feeder.on_failure: hold` to go on with the last voltages"),
        ("hold", 0, "`feeder.on_failure: hold` has no earlier voltages to hold"),
    ],
)
def test_a_run_that_must_not_go_on_ends_with_1(
    gradmap, tmp_path, on_failure, first_bad_hour, advice
):
    changes = overload(tmp_path, first_bad_hour=first_bad_hour, on_failure=on_failure)
    path = write_scenario(tmp_path, **changes)
    ended = gradmap("run", path, "--in-process", "--out", tmp_path / "run")
    assert ended.code == 1
    assert f"did not solve at step {first_bad_hour}: " in ended.err
    assert advice in ended.err
    info = json.loads((tmp_path / "run" / "no_control" / "run.json").read_text())
    assert info["exit"] == "failed"
    assert info["n_steps_recorded"] == first_bad_hour
    assert advice in info["error"]


@pytest.mark.federation
def test_a_federation_that_fails_ends_with_1_and_names_the_grid(tmp_path):
    path = write_scenario(tmp_path, **overload(tmp_path, first_bad_hour=20, on_failure="fail"))
    ended = in_shell("run", path, "--out", "run", cwd=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith("Error: Federate 'grid' failed: Feeder 'ieee123' did not solve at")
    assert "Traceback" not in ended.err
    assert str(tmp_path / "run" / "no_control" / "logs" / "grid.log") in ended.err
    assert federate_processes() == []


# ----------------------------------------------------------------------------------------- report


def test_report_writes_the_page_of_a_finished_run_again(gradmap, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "report.html").unlink()
    ended = gradmap("report", run)
    assert ended.code == 0
    assert f"Report: {run / 'report.html'}" in ended.out
    assert (run / "report.html").stat().st_size > 50_000
    ended = gradmap("report", run, "--json", "--out", tmp_path / "page.html")
    assert ended.code == 0
    assert json.loads(ended.out) == json.loads((run / "summary.json").read_text())
    assert (tmp_path / "page.html").is_file()


def test_report_of_an_interrupted_run_says_how_far_it_came(gradmap, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    for part in run.glob("no_control/results/*/part-00001.parquet"):
        part.unlink()
    path = run / "no_control" / "run.json"
    info = json.loads(path.read_text()) | {"exit": "interrupted", "n_steps_recorded": 24}
    path.write_text(json.dumps(info))
    ended = gradmap("report", run)
    assert ended.code == 0
    assert "interrupted at 24/48" in ended.out
    assert "24 of 48" in (run / "report.html").read_text()


@pytest.mark.parametrize(("parts", "word"), [(2, "healthy"), (1, "ended at 24/48")])
def test_report_judges_a_run_without_run_json_by_its_steps(
    gradmap, finished, tmp_path, parts, word
):
    """As after `helics run`, or when everything was killed."""
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "no_control" / "run.json").unlink()
    if parts == 1:
        for part in run.glob("no_control/results/*/part-00001.parquet"):
            part.unlink()
    ended = gradmap("report", run)
    assert ended.code == 0
    assert word in ended.out


def test_report_of_something_else_is_refused(gradmap, tmp_path):
    ended = gradmap("report", tmp_path)
    assert ended.code == 2
    assert f"{str(tmp_path)!r} has no scenario.yaml" in ended.err
    ended = gradmap("report", tmp_path / "nowhere")
    assert ended.code == 2
    assert "does not exist" in ended.err


def test_report_of_a_run_that_never_started_says_so(gradmap, tmp_path):
    run = tmp_path / "run"
    assert gradmap("run", write_scenario(tmp_path), "--out", run, "--write-runner").code == 0
    ended = gradmap("report", run)
    assert ended.code == 0
    assert "ended at 0/24" in ended.out
    assert "No results were recorded." in (run / "report.html").read_text()


# --------------------------------------------------------------------------------------- federate


@pytest.mark.parametrize("kind", ["environment", "households", "agents", "grid", "recorder"])
def test_federate_prints_its_definition(gradmap, kind):
    ended = gradmap("federate", kind, "--definition")
    assert ended.code == 0
    assert json.loads(ended.out)["capabilities"]["broker_config"] is True


def test_federate_of_another_kind_is_refused(gradmap, tmp_path):
    config = {
        "name": "grid",
        "schedule": {"n_steps": 1},
        "settings": {"kind": "grid"},
    }
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(config))
    ended = gradmap("federate", "agents", "--config", path)
    assert ended.code == 2
    assert f"{path} configures a 'grid' federate, not 'agents'." in ended.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ('{"name": "g"}', "`schedule` is {'name': 'g'}: Field required"),
        (
            '{"name": "g", "schedule": {"dt_s": 6, "n_steps": 1}, "settings": {"kind": "grid"}}',
            "the stages of a step take 6 s of HELICS time, but the step has only 6 s",
        ),
        (
            '{"name": "g", "schedule": {"n_steps": 1}, "settings": {"kind": "grit"}}',
            "`settings` is {'kind': 'grit'}: Input tag 'grit'",
        ),
    ],
)
def test_a_wrong_federate_configuration_is_explained(gradmap, tmp_path, content, said):
    path = tmp_path / "grid.json"
    path.write_text(content)
    ended = gradmap("federate", "grid", "--config", path)
    assert ended.code == 2
    assert said in ended.err


def test_federate_without_configuration_says_what_it_looks_for(tmp_path):
    began = time.monotonic()
    ended = in_shell("federate", "grid", cwd=tmp_path)
    assert ended.code == 2
    assert "No --config given and static_inputs.json is not in the working directory" in ended.err
    assert time.monotonic() - began < 30


# ------------------------------------------------------------------------- pipes, signals, streams


def in_bash(line: str, folder: Path) -> tuple[int, str]:
    """Run a shell line in which `gradmap` is ours; return exit code and standard error."""
    ours = f'gradmap() {{ "{sys.executable}" -m scenarios.cli.main "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", ours + line],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("redirection", ["| true", ">&-", "2>&- >/dev/null"])
def test_a_reader_that_goes_away_does_not_make_a_good_run_fail(tmp_path, redirection):
    path = write_scenario(tmp_path)
    code, err = in_bash(f"gradmap run {path} --in-process --out run {redirection}", tmp_path)
    assert (code, err) == (0, "")
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT"])
def test_a_signal_while_preparing_leaves_no_trace(tmp_path, name):
    path = write_scenario(tmp_path, time={"days": 3000, "step_min": 60})
    with subprocess.Popen(
        [sys.executable, "-m", "scenarios.cli.main", "run", str(path), "--out", "run"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 300
            while not list(tmp_path.glob("run/prepare.partial/inputs/*/*")):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(getattr(signal, f"SIG{name}"))
            _, err = process.communicate(timeout=120)
        finally:
            # Should the wait fail, 3,000 days of federation must not slow all tests after it.
            process.terminate()
    assert process.returncode == 130
    assert "Interrupted." in err
    assert not (tmp_path / "run").exists()
