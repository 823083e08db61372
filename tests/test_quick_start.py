"""The main job, as a newcomer runs it, and the README that shows its output."""

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.results import open_run
from tests.conftest import REPOSITORY


def table_lines(text: str) -> list[str]:
    """The lines of the result table, without what differs by terminal."""
    return [line.rstrip() for line in text.splitlines() if line.startswith(("│", "┃"))]


@pytest.mark.federation
def test_quick_start_prints_the_table_of_the_readme(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.cli.main", "run", "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    printed = table_lines(done.stdout)
    assert len(printed) == 12
    assert printed == table_lines((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    run = open_run(tmp_path / "run")
    for controller in ("no_control", "rule_based", "policy_gradmap"):
        assert run.run_info(controller)["health"]["healthy"]
        assert len(run.frame(controller, "v_pu")) == 96
    assert (tmp_path / "run" / "report.html").stat().st_size > 100_000


def test_only_trained_policies_keep_the_limits_and_cost_least(tmp_path: Path):
    """What the README says about the table, from the summary rather than from its text."""
    from scenarios.outputs import write_outputs  # noqa: PLC0415  slow import
    from scenarios.run import run_scenario  # noqa: PLC0415

    summaries = write_outputs(run_scenario("quick_start", out=tmp_path / "run", in_process=True))
    no_control, rule_based = summaries["no_control"], summaries["rule_based"]
    assert no_control.v_max_pu > 1.05
    assert no_control.v_min_pu < 0.95
    assert rule_based.v_min_pu < no_control.v_min_pu
    assert rule_based.energy_cost < no_control.energy_cost
    trained = summaries["policy_gradmap"]
    assert trained.v_max_pu < 1.05
    assert trained.v_min_pu > 0.95
    assert trained.total_cost < rule_based.total_cost < no_control.total_cost
