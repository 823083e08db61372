"""The example of interviewed homes runs as it stands."""

import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from scenarios.loading import load_scenario
from scenarios.outputs import write_outputs
from scenarios.run import run_scenario
from tests.conftest import REPOSITORY


def test_homes_that_plan_pay_less_than_left_alone(tmp_path):
    scenario = load_scenario(REPOSITORY / "examples" / "hems" / "scenario.yaml")
    run = run_scenario(scenario, out=tmp_path / "run", in_process=True)
    summaries = write_outputs(run)
    assert summaries["hems"].total_cost < summaries["rule_based"].total_cost
    assert summaries["hems"].total_cost < summaries["no_control"].total_cost
    counts = run.run_info("hems")["hems"]["hems_1"]
    assert counts["fallbacks"] == 0
    couple = next(
        path.stem
        for path in (run.folder / "inputs" / "interviews").glob("*.yaml")
        if path.stem != "h0003"
    )
    assert f"{couple}.battery" in run.frame("hems", "request_kw")
    assert run.frame("hems", "request_kw")[f"{couple}.battery"].abs().max() == 0.0
