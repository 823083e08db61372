"""Properties of every kind of device: limits, gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradmap.devices.base import Surroundings
from gradmap.devices.registry import KINDS
from tests.devices.populations import DT_H, REPEATABLE, fleet_of, surroundings

N = 3
FLEETS = {kind: fleet_of(N, kinds=(kind,)) for kind in KINDS}

weather = st.builds(
    surroundings,
    temp_out_c=st.floats(-30, 45),
    ghi_w_per_m2=st.floats(0, 1200),
    plugged_in=st.sampled_from([0.0, 1.0]),
    trip_kwh=st.floats(0, 80),
    departure_h=st.floats(0, 48),
)
requests = st.lists(st.floats(allow_nan=False), min_size=N, max_size=N)
step_lengths = st.sampled_from([1 / 60, 0.25, 1.0])


def states(kind: str) -> st.SearchStrategy[list[float]]:
    low, high = {"heat_pump": (5.0, 35.0), "generator": (-5.0, 0.0)}.get(kind, (0.1, 0.95))
    return st.lists(st.floats(low, high), min_size=N, max_size=N)


@pytest.mark.parametrize("kind", KINDS)
@REPEATABLE
@given(data=st.data(), request_kw=requests, outside=weather, dt_h=step_lengths)
def test_any_request_is_delivered_inside_bounds_and_leaves_a_valid_state(
    kind: str, data: st.DataObject, request_kw: list[float], outside: Surroundings, dt_h: float
) -> None:
    fleet = FLEETS[kind]
    state = torch.tensor(data.draw(states(kind)), dtype=torch.float64)
    wanted = torch.tensor(request_kw, dtype=torch.float64)

    low, high = fleet.power_bounds(state, outside, dt_h)
    delivered = fleet.feasible_power(wanted, state=state, surroundings=outside, dt_h=dt_h)
    after = fleet.next_state(state, p_kw=delivered, surroundings=outside, dt_h=dt_h)

    rating_low, rating_high = fleet.action_range_kw()
    assert (low <= high).all()
    assert (rating_low <= low).all()
    assert (high <= rating_high).all()
    assert (low <= delivered).all()
    assert (delivered <= high).all()
    assert torch.isfinite(after).all()
    if kind == "battery":
        assert (after >= 0.1 - 1e-12).all()
        assert (after <= 0.95 + 1e-12).all()
    if kind == "ev_charger":
        assert (after >= 0.0).all()
        assert (after <= torch.clamp(state, min=0.8) + 1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
@REPEATABLE
@given(data=st.data(), request_kw=st.lists(st.floats(-20, 20), min_size=N, max_size=N))
def test_violation_is_the_clipped_amount(
    kind: str, data: st.DataObject, request_kw: list[float]
) -> None:
    fleet = FLEETS[kind]
    inputs = {
        "state": torch.tensor(data.draw(states(kind)), dtype=torch.float64),
        "surroundings": surroundings(),
        "dt_h": DT_H,
    }
    wanted = torch.tensor(request_kw, dtype=torch.float64)
    clipped = (wanted - fleet.feasible_power(wanted, **inputs)).abs()
    torch.testing.assert_close(fleet.violation_kw(wanted, **inputs), clipped, rtol=0, atol=1e-12)
    p_kw, violation_kw = fleet.deliver(wanted, **inputs)
    assert torch.equal(p_kw, fleet.feasible_power(wanted, **inputs))
    assert torch.equal(violation_kw, fleet.violation_kw(wanted, **inputs))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("request_kw", [-50.0, -1.0, 0.3, 1.0, 50.0])
def test_delivered_power_has_its_true_derivatives(kind: str, request_kw: float) -> None:
    fleet = FLEETS[kind]
    wanted = torch.full((N,), request_kw, dtype=torch.float64, requires_grad=True)
    state = (fleet.initial_state() + 1e-3).requires_grad_()

    def delivered(request: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        return fleet.feasible_power(request, state=before, surroundings=surroundings(), dt_h=DT_H)

    assert torch.autograd.gradcheck(delivered, (wanted, state))
    (by_request,) = torch.autograd.grad(delivered(wanted, state).sum(), wanted)
    clipped = fleet.violation_kw(wanted, state=state, surroundings=surroundings(), dt_h=DT_H) > 0.0
    assert torch.equal(by_request, torch.where(clipped, 0.0, 1.0).to(by_request))


def test_violation_has_its_true_gradient_to_request_and_state() -> None:
    fleet = FLEETS["battery"]
    wanted = torch.full((N,), 50.0, dtype=torch.float64, requires_grad=True)
    state = torch.full((N,), 0.94, dtype=torch.float64, requires_grad=True)

    def violation(request: torch.Tensor, soc: torch.Tensor) -> torch.Tensor:
        return fleet.violation_kw(request, state=soc, surroundings=surroundings(), dt_h=DT_H)

    assert torch.autograd.gradcheck(violation, (wanted, state))
    by_request, by_state = torch.autograd.grad(violation(wanted, state).sum(), (wanted, state))
    params = fleet.groups[0].device.params
    assert torch.equal(by_request, torch.ones(N, dtype=torch.float64))
    expected = params.e_max_kwh / (params.eta_charge * DT_H)
    torch.testing.assert_close(by_state, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_next_state_and_cost_match_finite_differences(kind: str) -> None:
    fleet = FLEETS[kind]
    low, high = fleet.action_range_kw()
    state = fleet.initial_state().clone().requires_grad_()
    p_kw = (low + 0.7 * (high - low)).requires_grad_()

    def after(soc: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
        return fleet.next_state(soc, p_kw=power, surroundings=surroundings(), dt_h=DT_H)

    assert torch.autograd.gradcheck(after, (state, p_kw))
    assert torch.autograd.gradcheck(lambda power: fleet.step_cost(power, DT_H), (p_kw,))
    assert torch.autograd.gradcheck(fleet.reactive_kvar, (p_kw,))
    assert torch.autograd.gradcheck(
        lambda x: fleet.restore_kwh(x + 0.05, surroundings=surroundings()), (state,)
    )


def test_idle_battery_has_the_gradient_of_charging() -> None:
    fleet = FLEETS["battery"]
    p_kw = torch.zeros(N, dtype=torch.float64, requires_grad=True)
    soc = fleet.next_state(fleet.initial_state(), p_kw=p_kw, surroundings=surroundings(), dt_h=DT_H)
    soc.sum().backward()
    params = fleet.groups[0].device.params
    expected = DT_H * params.eta_charge / params.e_max_kwh
    torch.testing.assert_close(p_kw.grad, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_actions_map_to_ratings_in_load_convention(kind: str) -> None:
    fleet = FLEETS[kind]
    p_max_kw = fleet.groups[0].device.params.p_max_kw
    least, most = {
        "battery": (-p_max_kw, p_max_kw),
        "heat_pump": (0.0 * p_max_kw, p_max_kw),
        "generator": (-p_max_kw, -0.2 * p_max_kw),
        "ev_charger": (0.0 * p_max_kw, p_max_kw),
    }[kind]
    ones = torch.ones(N, dtype=torch.float64)
    assert torch.equal(fleet.request_from_action(-ones), least)
    assert torch.equal(fleet.request_from_action(ones), most)
    torch.testing.assert_close(fleet.request_from_action(0 * ones), 0.5 * (least + most))


@pytest.mark.parametrize("kind", KINDS)
def test_leading_axes_give_the_same_numbers_as_single_steps(kind: str) -> None:
    fleet = FLEETS[kind]
    temp_out_c = torch.tensor([[-5.0], [5.0], [15.0]], dtype=torch.float64)
    outside = Surroundings(
        temp_out_c=temp_out_c, ghi_w_per_m2=torch.zeros(3, 1, dtype=torch.float64)
    )
    wanted = torch.linspace(-8, 8, 3 * N, dtype=torch.float64).reshape(3, N)
    state = fleet.initial_state().expand(3, N)
    p_kw = fleet.feasible_power(wanted, state=state, surroundings=outside, dt_h=DT_H)
    after = fleet.next_state(state, p_kw=p_kw, surroundings=outside, dt_h=DT_H)
    for day in range(3):
        alone = Surroundings(temp_out_c=temp_out_c[day], ghi_w_per_m2=torch.zeros(1))
        p_alone = fleet.feasible_power(wanted[day], state=state[day], surroundings=alone, dt_h=DT_H)
        after_alone = fleet.next_state(state[day], p_kw=p_alone, surroundings=alone, dt_h=DT_H)
        torch.testing.assert_close(p_kw[day], p_alone, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(after[day], after_alone, rtol=1e-12, atol=1e-12)


def test_nan_requests_are_passed_on() -> None:
    fleet = FLEETS["battery"]
    wanted = torch.full((N,), float("nan"), dtype=torch.float64)
    delivered = fleet.feasible_power(
        wanted, state=fleet.initial_state(), surroundings=surroundings(), dt_h=DT_H
    )
    assert delivered.isnan().all()


def test_float32_fleets_stay_float32() -> None:
    fleet = fleet_of(2).to(dtype=torch.float32)
    state = fleet.initial_state()
    wanted = fleet.request_from_action(torch.zeros(fleet.n_agents))
    p_kw = fleet.feasible_power(wanted, state=state, surroundings=surroundings(), dt_h=DT_H)
    after = fleet.next_state(state, p_kw=p_kw, surroundings=surroundings(), dt_h=DT_H)
    assert state.dtype == wanted.dtype == p_kw.dtype == after.dtype == torch.float32
    assert fleet.step_cost(p_kw, DT_H).dtype == torch.float32
