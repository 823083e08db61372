"""The examples of interviewed homes: one runs as it stands, one is the reference case."""

import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from scenarios.loading import find_scenario, load_scenario
from scenarios.outputs import write_outputs
from scenarios.run import run_scenario
from tests.conftest import REPOSITORY
from tests.hems.federation.homes import home, write_homes


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


def test_the_street_is_the_reference_case_so_that_its_policies_can_be_fine_tuned(tmp_path):
    text = (REPOSITORY / "examples" / "hems" / "street.yaml").read_text()
    (tmp_path / "street.yaml").write_text(text)
    write_homes(tmp_path / "street" / "homes", h0003=home())
    street = load_scenario(tmp_path / "street.yaml")
    reference = load_scenario(find_scenario("ieee123_1000_agents"))
    for section in ("seed", "time", "feeder", "limits", "profiles", "tariff"):
        assert getattr(street, section) == getattr(reference, section)
    as_drawn = street.population.model_copy(update={"interviews": None})
    assert as_drawn == reference.population
    assert street.controllers[:3] == ("no_control", "rule_based", "hems")
    assert street.controllers[3].endswith("street/tuned/policy")
