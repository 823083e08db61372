"""Solar inverters: standard curves, var priority, curtailment."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradmap.devices.pv import PvInverters, VoltVarCurve, VoltWattCurve
from gradmap.errors import ScenarioError
from tests.devices.populations import REPEATABLE


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def inverters(s_rated_kva: torch.Tensor, **curves) -> PvInverters:
    ids = [f"h{i}" for i in range(len(s_rated_kva))]
    return PvInverters(household_ids=ids, s_rated_kva=s_rated_kva, **curves)


def test_volt_var_points_are_those_of_the_standard() -> None:
    v_pu = tensor(0.80, 0.92, 0.95, 0.98, 1.00, 1.02, 1.05, 1.08, 1.20)
    expected = tensor(-0.44, -0.44, -0.22, 0, 0, 0, 0.22, 0.44, 0.44)
    torch.testing.assert_close(VoltVarCurve().q_fraction(v_pu), expected, rtol=0, atol=1e-12)


def test_volt_watt_points_are_those_of_the_standard() -> None:
    v_pu = tensor(0.9, 1.06, 1.08, 1.10, 1.20)
    expected = tensor(1, 1, 0.5, 0, 0)
    torch.testing.assert_close(VoltWattCurve().p_fraction(v_pu), expected, rtol=0, atol=1e-12)
    to_20_percent = VoltWattCurve(p2_fraction=0.2).p_fraction(v_pu)
    torch.testing.assert_close(to_20_percent, tensor(1, 1, 0.6, 0.2, 0.2), rtol=0, atol=1e-12)


def test_without_curves_only_the_rating_limits() -> None:
    out = inverters(tensor(5, 5, 0)).output(tensor(3, 7, 0), v_pu=tensor(1.2, 1.2, 1.2))
    assert out.p_kw.tolist() == [-3.0, -5.0, 0.0]
    assert out.curtailed_kw.tolist() == [0.0, 2.0, 0.0]
    assert not out.q_kvar.any()


def test_vars_have_priority_over_watts() -> None:
    fleet = inverters(tensor(5, 5), volt_var=VoltVarCurve())
    out = fleet.output(tensor(5, 2), v_pu=tensor(1.08, 1.08))
    torch.testing.assert_close(out.q_kvar, tensor(2.2, 2.2), rtol=1e-12, atol=0)
    apparent_kva = torch.sqrt(out.p_kw**2 + out.q_kvar**2)
    assert apparent_kva[0].item() == pytest.approx(5.0, rel=1e-12)
    assert out.p_kw[1].item() == -2.0


def test_low_voltage_injects_vars() -> None:
    out = inverters(tensor(5), volt_var=VoltVarCurve()).output(tensor(4), v_pu=tensor(0.95))
    assert out.q_kvar.item() == pytest.approx(-1.1, rel=1e-12)


def test_there_are_no_vars_at_night() -> None:
    fleet = inverters(tensor(5, 5, 5), volt_var=VoltVarCurve())
    out = fleet.output(tensor(0, 0.5, 1.0), v_pu=tensor(1.08, 1.08, 1.08))
    torch.testing.assert_close(out.q_kvar, tensor(0, 1.1, 2.2), rtol=1e-12, atol=0)


def test_curtailment_limits_output() -> None:
    out = inverters(tensor(5)).output(tensor(4), v_pu=tensor(1.0), limit_kw=tensor(1.5))
    assert out.p_kw.item() == -1.5
    assert out.curtailed_kw.item() == 2.5


@REPEATABLE
@given(
    available_kw=st.floats(0, 12),
    v_pu=st.floats(0.5, 1.5),
    s_rated_kva=st.sampled_from([0.0, 3.0, 8.0]),
)
def test_output_is_finite_and_inside_the_rating(
    available_kw: float, v_pu: float, s_rated_kva: float
) -> None:
    fleet = inverters(tensor(s_rated_kva), volt_var=VoltVarCurve(), volt_watt=VoltWattCurve())
    available = tensor(available_kw).requires_grad_()
    voltage = tensor(v_pu).requires_grad_()
    out = fleet.output(available, v_pu=voltage)
    assert (out.p_kw <= 0).all()
    assert (out.curtailed_kw >= 0).all()
    assert torch.sqrt(out.p_kw**2 + out.q_kvar**2).item() <= s_rated_kva * (1 + 1e-12)
    (out.p_kw + out.q_kvar).sum().backward()
    assert torch.isfinite(available.grad).all()
    assert torch.isfinite(voltage.grad).all()


@pytest.mark.parametrize(("available_kw", "v_pu"), [(4.5, 1.07), (2.0, 1.04), (4.0, 0.96)])
def test_output_matches_finite_differences(available_kw: float, v_pu: float) -> None:
    fleet = inverters(tensor(5), volt_var=VoltVarCurve(), volt_watt=VoltWattCurve())

    def deliver(available: torch.Tensor, voltage: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out = fleet.output(available, v_pu=voltage)
        return out.p_kw, out.q_kvar

    inputs = (tensor(available_kw).requires_grad_(), tensor(v_pu).requires_grad_())
    assert torch.autograd.gradcheck(deliver, inputs)


@pytest.mark.parametrize("rating", [-1.0, float("nan")])
def test_impossible_ratings_name_the_household(rating: float) -> None:
    with pytest.raises(ScenarioError, match="household 'h1'"):
        inverters(tensor(5, rating))


def test_disordered_curves_are_refused() -> None:
    with pytest.raises(ScenarioError, match="v1 < v2"):
        VoltVarCurve(v1_pu=1.0)
    with pytest.raises(ScenarioError, match="v1 < v2"):
        VoltWattCurve(v2_pu=1.05)
