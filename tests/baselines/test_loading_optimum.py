"""Optima of days on which line currents bind: found, kept in the exact power flow, certified."""

import numpy as np
import pytest

from gradmap.baselines.centralised import OptimumSettings, optimise_day
from gradmap.baselines.optimum.limits import NetworkLimits, RowSettings
from gradmap.baselines.optimum.model import build_model
from gradmap.power_flow.branch_flows import branch_loading
from gradmap.violations import Limits
from tests.baselines.hard_day import hard_day, replay

LIMITS = Limits(v_min_pu=0.9, v_max_pu=1.1, loading_max=1.1)
"""Voltages do not bind; line 115 does, in the evening."""
SETTINGS = OptimumSettings(with_loading=True)
WITHIN = LIMITS.loading_max + 2e-6


@pytest.fixture(scope="module")
def world():
    return hard_day()


def _highest_loading(world, p_kw, **options):
    return branch_loading(replay(world, p_kw, **options).solution).max().item()


def test_a_binding_line_is_kept_although_batteries_are_equally_cheap(world):
    """Two batteries at the line may swap ten kilowatts for nothing; each swap bends its current."""
    found = optimise_day(*world, limits=LIMITS, settings=SETTINGS)
    free = optimise_day(*world, limits=LIMITS, settings=SETTINGS, network=False)
    assert _highest_loading(world, free.p_kw) > 1.2, "the day must be a hard one"
    assert found.status == "optimal"
    assert 0.0 <= found.gap <= SETTINGS.gap
    assert found.max_violation <= SETTINGS.tolerance
    assert 1.099 < _highest_loading(world, found.p_kw) <= WITHIN
    assert found.cost > free.cost + 1.0


def test_the_limit_is_kept_with_acting_regulators_not_only_with_held_taps(world):
    found = optimise_day(*world, limits=LIMITS, settings=SETTINGS, control_regulators=True)
    assert found.status == "optimal"
    assert found.n_iterations > SETTINGS.taps_follow, "taps must have been held"
    assert _highest_loading(world, found.p_kw, control_regulators=True) <= WITHIN
    assert found.gap <= SETTINGS.gap


def test_a_day_that_did_not_converge_is_reported_as_it_really_is(world):
    """Its violation is that with acting regulators, not that of the program's taps."""
    settings = OptimumSettings(with_loading=True, taps_follow=0, max_iterations=2)
    found = optimise_day(*world, limits=LIMITS, settings=settings, control_regulators=True)
    loading = _highest_loading(world, found.p_kw, control_regulators=True)
    assert found.status == "not_converged"
    assert found.max_violation == pytest.approx(100.0 * (loading - LIMITS.loading_max), abs=1e-5)


def test_rows_are_exact_where_devices_deliver_less_than_requested(world):
    """Else the difference returns in every trajectory and the search never ends."""
    fleet, homes, flow, days = world
    low, high = fleet.action_range_kw()
    request = np.broadcast_to(0.5 * (low + high).numpy(), (96, fleet.n_agents)).copy()
    trajectory = replay(world, request)
    assert trajectory.violation_kw.max() > 1.0
    limits = NetworkLimits(flow.feeder, limits=LIMITS, with_loading=True, settings=RowSettings())
    excess = limits.excess(trajectory)
    model = build_model(fleet, days=days, connection_index=homes.connection_index)
    worst = np.sort(np.argsort(-excess.ravel())[:40])
    rows = limits.rows(trajectory, worst, model=model)
    on_paper = rows.values(model, request) - rows.limit - limits.settings.back_off
    np.testing.assert_allclose(on_paper, excess.ravel()[rows.key], rtol=0.0, atol=1e-9)
