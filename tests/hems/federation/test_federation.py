"""The controller `hems` with the real broker: same numbers as in one process, and who acts."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.policies.checkpoint import Provenance, save_policy
from gradmap.policies.independent import Architecture, IndependentPolicies
from scenarios.outputs import write_outputs
from scenarios.population import Population
from scenarios.results import open_run
from tests.federates.helpers import run_twin
from tests.hems.federation.homes import home, write_homes

HEMS = ["hems"]


def assert_same(a, b, *, controller="hems", atol=1e-9):
    left, right = open_run(a), open_run(b)
    assert left.quantities(controller) == right.quantities(controller)
    for name in left.quantities(controller):
        np.testing.assert_allclose(
            left.frame(controller, name).to_numpy(),
            right.frame(controller, name).to_numpy(),
            rtol=0,
            atol=atol,
            err_msg=name,
        )


@pytest.mark.federation
@pytest.mark.parametrize("mode", ["ordered", "lag"])
def test_federated_equals_in_process_however_many_processes(prepared, tmp_path, mode):
    folder = write_homes(tmp_path / "homes", h0003=home())
    run = prepared(
        controllers=HEMS, coupling={"mode": mode}, population={"interviews": str(folder)}
    )
    federated = run_twin(run, name="federated", in_process=False, hems_processes=2)
    in_process = run_twin(run, name="in_process", in_process=True)
    assert_same(federated, in_process)
    info = open_run(federated).run_info("hems")
    assert info["health"]["healthy"]
    assert set(info["hems"]) == {"hems_1", "hems_2"}
    one = open_run(in_process).run_info("hems")["hems"]["hems_1"]
    assert one["plans"] == sum(part["plans"] for part in info["hems"].values())
    assert one["plans"] >= 6 * one["homes"] - (mode == "lag") * one["homes"]
    assert one["fallbacks"] == 0
    assert 0 < one["plan_s_mean"] <= one["plan_s_longest"]


def test_every_home_gains_and_the_report_counts_plans(prepared):
    run = prepared(controllers=["hems"], time={"step_min": 30, "days": 2})
    twin = run_twin(run, name="twin", in_process=True)
    results = open_run(twin)
    summaries = write_outputs(results)
    assert summaries["hems"].comfort_below_kelvin_hours < 0.5
    page = (twin / "report.html").read_text()
    assert "Energy managers' plans" in page.replace("&#39;", "'")
    assert "Plans made by rules" in page


def test_a_plan_that_takes_too_long_is_made_by_rules_and_counted(prepared):
    # 1 us for a solve: HiGHS gives up at once.
    run = prepared(controllers=HEMS, hems={"time_limit_s": 1e-6})
    twin = run_twin(run, name="twin", in_process=True)
    counts = open_run(twin).run_info("hems")["hems"]["hems_1"]
    assert counts["fallbacks"] + counts["not_optimal"] > 0
    if counts["fallbacks"]:
        assert counts["first_fallbacks"][0]["why"].startswith("fallback: ")
    assert open_run(twin).run_info("hems")["health"]["healthy"]


def test_what_nobody_may_touch_runs_by_habit(prepared, tmp_path):
    touched = home(flexibility__never_touch=("heat_pump",))
    folder = write_homes(tmp_path / "homes", h0003=touched)
    run = prepared(controllers=["hems", "no_control"], population={"interviews": str(folder)})
    frames = {}
    for name in ("hems", "no_control"):
        scenario = run.scenario.model_copy(update={"controllers": (name,)})
        twin = run_twin(type(run)(scenario=scenario, folder=run.folder), name=name, in_process=True)
        frames[name] = open_run(twin).frame(name, "request_kw")
    alone, planned = "h0003.heat_pump", "h0003.battery"
    np.testing.assert_allclose(frames["hems"][alone], frames["no_control"][alone], atol=1e-12)
    assert np.abs(frames["hems"][planned]).max() > 0.1


def test_hours_and_permissions_of_an_interviewed_home_hold(prepared, tmp_path):
    folder = write_homes(tmp_path / "homes", h0003=home())
    run = prepared(controllers=HEMS, time={"step_min": 15}, population={"interviews": str(folder)})
    twin = open_run(run_twin(run, name="twin", in_process=True))
    p_kw, net_kw = twin.frame("hems", "agent_p_kw"), twin.frame("hems", "p_kw")["h0003"]
    hour = p_kw.index.hour
    running = p_kw["h0003.generator"] < -1e-6
    assert running.any()
    assert hour[running].min() >= 8
    assert hour[running].max() < 20
    # It gives no more than the home draws: what else is exported is generated.
    discharging = p_kw["h0003.battery"] < -1e-6
    made = twin.frame("hems", "pv_kw")["h0003"] - p_kw["h0003.generator"]
    assert discharging.any()
    assert (net_kw[discharging] >= -made[discharging] - 1e-6).all()
    assert twin.frame("hems", "state")["h0003.battery"].min() >= 0.2 - 1e-9


def test_the_future_of_loads_is_unknown_and_that_of_prices_is_published(prepared):
    run = prepared(controllers=HEMS, time={"step_min": 30}, hems={"weather": "persistence"})
    before = requests_until_noon(run, name="before")
    scale_after_noon(run.folder, "base_load_kw", factor=3.0)
    scale_after_noon(run.folder, "environment", factor=2.0, columns=["temp_out_c", "ghi_w_per_m2"])
    np.testing.assert_array_equal(requests_until_noon(run, name="blind"), before)
    scale_after_noon(run.folder, "environment", factor=0.7, columns=["price_import_per_kwh"])
    assert not np.array_equal(requests_until_noon(run, name="published"), before)


def requests_until_noon(run, *, name):
    twin = open_run(run_twin(run, name=name, in_process=True))
    frame = twin.frame("hems", "request_kw")
    return frame[frame.index.hour < 12].to_numpy()


def scale_after_noon(folder, series, *, factor, columns=None):
    (path,) = (folder / "inputs" / "series" / series).glob("part-*.parquet")
    table = pd.read_parquet(path)
    later = table["time_s"] >= 12 * 3600
    for name in columns or table.columns[1:]:
        table.loc[later, name] *= factor
    table.to_parquet(path, index=False)


# --------------------------------------------------------------------------- beside a policy


def untrained_policy(population, folder):
    """Save networks of the agents that a policy may control, and of no others."""
    ids = population.households["household_id"].tolist()
    fleet = Fleet.from_tables(population.in_policy().devices, household_ids=ids)
    shape = Architecture(hidden=(6,))
    networks = IndependentPolicies.for_fleet(fleet, seed=7, architecture=shape)
    origin = Provenance(feeder_hash="f0", scenario_hash="s0", seed=7, version="0.1.0")
    save_policy(folder, policy=networks, provenance=origin)
    return f"policy:{folder}", set(fleet.agent_ids)


@pytest.mark.federation
def test_a_policy_leaves_homes_that_do_not_take_part_to_themselves(prepared, tmp_path):
    folder = write_homes(
        tmp_path / "homes",
        h0003=home(),
        h0004=home(flexibility__participate=True, flexibility__never_touch=("generator",)),
    )
    settings = {"population": {"interviews": str(folder)}}
    first = prepared(controllers=["hems"], **settings)
    own = run_twin(first, name="own", in_process=True)
    habits = run_twin(prepared(controllers=["no_control"], **settings), name="n", in_process=True)
    population = Population.read(first.folder / "inputs")
    policy, in_policy = untrained_policy(population, tmp_path / "trained" / "policy")
    everybody = {name for table in population.devices.values() for name in table["agent_id"]}
    left = {name for name in everybody if name.startswith("h0003.")} | {"h0004.generator"}
    assert everybody - in_policy == left

    run = prepared(controllers=[policy], **settings)
    federated = run_twin(run, name="federated", in_process=False)
    in_process = run_twin(run, name="in_process", in_process=True)
    assert_same(federated, in_process, controller="policy_trained")
    request_kw = open_run(federated).frame("policy_trained", "request_kw")
    alone_kw = open_run(own).frame("hems", "request_kw")
    for agent in left - {"h0004.generator"}:
        np.testing.assert_allclose(request_kw[agent], alone_kw[agent], atol=1e-9, err_msg=agent)
    generator_kw = open_run(habits).frame("no_control", "request_kw")["h0004.generator"]
    np.testing.assert_allclose(request_kw["h0004.generator"], generator_kw, atol=1e-9)
    shared = "h0004.battery"
    assert not np.allclose(request_kw[shared], alone_kw[shared])
    by_federate = open_run(federated).run_info("policy_trained")["timings"]["by_federate"]
    assert {"agents", "hems_1"} <= set(by_federate)


def test_unknown_controllers_are_refused_with_all_names(prepared):
    with pytest.raises(ScenarioError, match="no_control, rule_based, price_only, hems, policy:"):
        prepared(controllers=["hms"])


def test_times_must_fit_the_step(prepared):
    with pytest.raises(ScenarioError, match=r"`hems.replan_every_h` is 0.75 h.*step_min: 60"):
        prepared(hems={"replan_every_h": 0.75})
    with pytest.raises(ScenarioError, match=r"`replan_every_h` is 12, .* `horizon_h` = 6 h"):
        prepared(hems={"replan_every_h": 12, "horizon_h": 6})
