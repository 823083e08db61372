"""`gradmap study compare` as people use it, and which methods it calls dominated."""

import json
from xml.etree import ElementTree

import pytest

from gradmap.policies.checkpoint import Provenance, save_policy
from gradmap.policies.independent import IndependentPolicies
from gradmap.violation_summary import Share
from scenarios.case import open_case
from scenarios.cli.study_compare import _named
from scenarios.loading import bundled_policies, load_scenario
from scenarios.study.compare import Compared, Row, dominating
from scenarios.study.compare_figure import cost_violation
from scenarios.study.methods import MethodSummary
from tests.cli.helpers import CommandLine
from tests.small_case import write_small_scenario

SVG = "{http://www.w3.org/2000/svg}"
HISTORY = {
    "training_s": 60.0,
    "validation": {"cost": 100.0, "days": {"n_days": 10, "n_violating": 3}},
}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    return write_small_scenario(tmp_path_factory.mktemp("scenario"))


@pytest.fixture(scope="module")
def policies(scenario, tmp_path_factory):
    """Two untrained policies, the first with a training beside it."""
    home = tmp_path_factory.mktemp("trained")
    fleet = open_case(load_scenario(scenario)).fleet()
    for seed in (0, 1):
        save_policy(
            home / str(seed) / "policy",
            policy=IndependentPolicies.for_fleet(fleet, seed=seed),
            provenance=Provenance(feeder_hash="", scenario_hash="", seed=seed, version="0"),
        )
    rows = [HISTORY | {"iteration": k, "training_s": 60.0 * k} for k in (1, 2)]
    (home / "0" / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [home / str(seed) / "policy" for seed in (0, 1)]


def summary(*, cost, violation_pu, n_violating):
    days = Share(n_days=100, n_violating=n_violating)
    return MethodSummary(
        violating=days,
        upper_bound=days.upper_bound,
        violation_max_pu=2 * violation_pu,
        violation_mean_pu=violation_pu,
        cost=cost,
        comfort_k_h=0.0,
        clipped_kwh=0.0,
        shortfall_kwh=0.0,
        difference_max_pu=0.0,
        n_unsolved=0,
        n_overloaded=0,
        overload_max=0.0,
    )


def test_dominated_methods_are_named_with_the_cheapest_that_is_better():
    among = {
        "cheap": summary(cost=1.0, violation_pu=0.03, n_violating=90),
        "good": summary(cost=2.0, violation_pu=0.001, n_violating=1),
        "also good": summary(cost=2.5, violation_pu=0.001, n_violating=1),
        "bad": summary(cost=3.0, violation_pu=0.04, n_violating=95),
        "twin": summary(cost=2.0, violation_pu=0.001, n_violating=1),
        "safe": summary(cost=4.0, violation_pu=0.0, n_violating=0),
    }
    names = {label: label for label in among}
    found = {label: dominating(label, among=among, names=names) for label in among}
    assert found == {
        "cheap": None,
        "good": None,
        "also good": "good",
        "bad": "cheap",
        "twin": None,
        "safe": None,
    }
    seeds = {"good": "ours", "also good": "ours"}
    assert dominating("also good", among=among, names=names | seeds) == "twin"
    assert dominating("also good", among=among, names=names | seeds | {"twin": "ours"}) is None


def test_the_command_compares_draws_and_remembers(scenario, policies, tmp_path, capsys):
    gradmap = CommandLine(capsys)
    named = [f"--policy=Ours={policies[0]}", f"--policy=Ours={policies[1]}"]
    call = ("study", "compare", scenario, *named, "--days", "3", "--optimum-days", "1")
    kept = ("--results", tmp_path / "results", "--store", tmp_path / "optima", "--processes", "1")
    first = gradmap(*call, *kept, "--out", tmp_path / "figures", "--figure-day", "1")
    assert first.code == 0, first.err
    for words in (
        "no_control",
        "price_only",
        "Ours 1",
        "Ours 2",
        "optimum",
        "recovered",
        "2 seeds",
    ):
        assert words in first.out
    for name in ("cost_violation", "training", "day"):
        ElementTree.parse(tmp_path / "figures" / f"{name}.svg")
    assert "--optimum-days" not in first.out
    n_files = len(list((tmp_path / "results" / "methods").glob("*.json")))
    assert n_files == 2 * 5  # the first days, and the one whose optimum is known
    document = json.loads(gradmap(*call, *kept, "--json").out)
    assert len(list((tmp_path / "results" / "methods").glob("*.json"))) == n_files
    rows = {row["label"]: row for row in document["rows"]}
    best = document["optimum"]
    assert best["n_proven"] == 1
    assert rows["rule_based"]["recovered"] == pytest.approx(0.0)
    for row in rows.values():
        gap = (row["optimum_days"]["cost"] - best["cost"]) / abs(best["cost"])
        assert row["gap"] == pytest.approx(gap)
        assert row["all_days"]["violating"]["n_days"] == 3
    without = gradmap(*call[:-2], *kept)
    assert (without.code, "`--optimum-days 30 --store optima`" in without.out) == (0, True)


def test_wrong_policies_are_refused_before_anything_is_measured(scenario, policies, capsys):
    gradmap = CommandLine(capsys)
    call = ("study", "compare", scenario)
    for text in ("nameless", "=folder", "no_control=folder"):
        ended = gradmap(*call, "--policy", text)
        assert (ended.code, "expected NAME=FOLDER" in ended.err) == (2, True)
    ended = gradmap(*call, f"--policy=Ours={policies[0]}", "--figure-policy", "Theirs")
    assert (ended.code, "there are: Ours" in ended.err) == (2, True)


def test_optima_of_fresh_days_are_refused(scenario, capsys):
    gradmap = CommandLine(capsys)
    ended = gradmap("study", "compare", scenario, "--split", "fresh", "--optimum-days", "1")
    assert ended.code == 2
    assert "optima are known of test days only" in ended.err


def test_policies_are_named_by_folder_or_by_a_bundled_name(policies):
    assert _named(f"Ours={policies[0]}").folder == policies[0]
    assert _named("Ours= gradmap").folder == bundled_policies()["gradmap"]


@pytest.mark.parametrize("command", ["compare", "reuse", "scale"])
def test_every_study_explains_itself_with_an_example(command, capsys):
    ended = CommandLine(capsys)("study", command, "--help")
    assert ended.code == 0
    assert "Example: gradmap study" in ended.out
    assert "Exit codes" in ended.out


def test_names_that_are_no_xml_and_methods_without_policies_are_drawn(tmp_path):
    def row(name, **numbers):
        days = summary(**numbers)
        return Row(
            name=name, label=name, controller=name, all_days=days, optimum_days=None, gap=None,
            recovered=None, dominated_by=None,
        )  # fmt: skip

    plain = row("no_control", cost=5.0, violation_pu=0.02, n_violating=90)
    policy = row("<b> & co", cost=4.0, violation_pu=0.0001, n_violating=0)
    for rows in ((plain,), (plain, policy), (plain, policy, policy)):
        compared = Compared(
            scenario="few",
            case="",
            currency="USD",
            n_days=100,
            split="test",
            rows=rows,
            optimum=None,
        )
        ElementTree.fromstring(str(cost_violation(compared).image))


def test_a_policy_of_other_agents_is_refused(tmp_path, policies, capsys):
    ended = CommandLine(capsys)(
        "study", "compare", "quick_start", "--days", "1", "--policy", f"Ours={policies[0]}",
        "--results", tmp_path, "--processes", "1",
    )  # fmt: skip
    assert (ended.code, "no network for" in ended.err) == (2, True)
