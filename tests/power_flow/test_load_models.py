"""Load models draw, conductor by conductor, what the same element draws in OpenDSS."""

import functools
import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from gradmap.errors import FeederError
from gradmap.feeder import Connections, LoadModel, concatenate
from gradmap.power_flow.load_models import LoadTable, currents, factor_slopes, factors

KV_LL = 4.16
KV_LN = KV_LL / math.sqrt(3)
SWEEP_PU = np.array([0.3, 0.45, 0.5, 0.55, 0.7, 0.85, 0.9, 0.94, 0.95, 0.96, 1.0, 1.05, 1.06, 1.3])
UNBALANCE = (1.0, 0.97, 1.02)

WYE_1 = (((0, 1),), "bus1=b.1 phases=1", KV_LN, KV_LN)
WYE_2 = (((0, 2), (1, 2)), "bus1=b.1.2 phases=2", KV_LL, KV_LN)
WYE_3 = (((0, 3), (1, 3), (2, 3)), "bus1=b.1.2.3 phases=3", KV_LL, KV_LN)
DELTA_1 = (((0, 1),), "bus1=b.1.2 phases=1 conn=delta", KV_LL, KV_LL)
DELTA_3 = (((0, 1), (1, 2), (2, 0)), "bus1=b.1.2.3 phases=3 conn=delta", KV_LL, KV_LL)
"""Conductors of every leg, how OpenDSS is told, its `kv`, and what one leg is rated."""

P_KW, Q_KVAR = 12.0, 5.0
DEFAULT_LIMITS = (0.5, 0.95, 1.05)
OTHER_LIMITS = (0.35, 0.8, 1.2)


@dataclass(frozen=True)
class Case:
    """An element, as OpenDSS is told and as we are."""

    kind: str
    shape: tuple
    model: int
    text: str = ""
    limits: tuple[float, float, float] = DEFAULT_LIMITS
    p_kw: float = P_KW
    q_kvar: float = Q_KVAR
    exponents: tuple[float, float] = (0.0, 0.0)
    zipv: tuple[float, ...] = field(default=(0.0,) * 7)

    @property
    def command(self) -> str:
        _, shape, kv, _ = self.shape
        low, minimum, maximum = self.limits
        text = f"new {self.kind}.e {shape} kv={kv!r} vminpu={minimum} vmaxpu={maximum} {self.text}"
        return text + (f" vlowpu={low}" if self.kind == "load" else "")

    def connections(self) -> Connections:
        legs, _, _, kv_rated = self.shape
        n = len(legs)
        low, minimum, maximum = self.limits
        return Connections(
            connection_ids=tuple(f"e.{k}" for k in range(n)),
            element_ids=(f"{self.kind}.e",) * n,
            nodes=np.array(legs),
            kv_rated=np.full(n, kv_rated),
            kv_base=np.full(n, kv_rated),
            model=np.full(n, self.model),
            p_kw=np.full(n, self.p_kw / n),
            q_kvar=np.full(n, self.q_kvar / n),
            v_min_pu=np.full(n, minimum),
            v_max_pu=np.full(n, maximum),
            v_low_pu=np.full(n, low),
            exponents=np.tile(self.exponents, (n, 1)),
            zipv=np.tile(self.zipv, (n, 1)),
        )


def load(shape=WYE_1, *, model, text="", limits=DEFAULT_LIMITS, **ours) -> Case:
    text = f"model={model} kw={P_KW} kvar={Q_KVAR} {text}"
    return Case("load", shape, model, text, limits, **ours)


def cvr(watts: float, var: float, shape=WYE_1, limits=DEFAULT_LIMITS) -> Case:
    text = f"cvrwatts={watts} cvrvars={var}"
    return load(shape, model=4, text=text, limits=limits, exponents=(watts, var))


def zip_(*values: float, shape=WYE_1, limits=DEFAULT_LIMITS) -> Case:
    return load(shape, model=8, text=f"zipv={list(values)}", limits=limits, zipv=values)


def source(kind: str, shape, text: str, *, limits=(0.0, 0.9, 1.1), model=1, **ours) -> Case:
    return Case(kind, shape, model, text, limits, **{"p_kw": -P_KW, "q_kvar": -Q_KVAR, **ours})


GENERATOR = f"model=1 kw={P_KW} kvar={Q_KVAR}"
PV = f"kva=20 pmpp={P_KW} irradiance=1 kvar={Q_KVAR}"
STORAGE = f"kwrated={P_KW} kva=20 kwhrated=50 %stored=50 kvar={Q_KVAR}"

CASES = {
    **{
        f"model {model} {name} {'other' if limits is OTHER_LIMITS else 'default'} limits": load(
            shape, model=model, limits=limits
        )
        for model in (1, 2, 5)
        for name, shape in {
            "wye 1": WYE_1,
            "wye 2": WYE_2,
            "wye 3": WYE_3,
            "delta 1": DELTA_1,
            "delta 3": DELTA_3,
        }.items()
        for limits in (DEFAULT_LIMITS, OTHER_LIMITS)
    },
    "model 1, no lower limit": load(model=1, limits=(0.5, 0.0, 1.05)),
    "model 1, no upper limit": load(model=1, limits=(0.5, 0.95, 0.0)),
    "model 5, no upper limit": load(model=5, limits=(0.5, 0.95, 0.0)),
    "model 1, v_low above v_min": load(model=1, limits=(0.8, 0.7, 1.05)),
    "model 5, v_min above 1": load(model=5, limits=(0.5, 1.02, 1.05)),
    "model 1, v_min above 1": load(model=1, limits=(0.5, 1.02, 1.2)),
    "model 4, linear and quadratic": cvr(1.0, 2.0),
    "model 4, cubic": cvr(0.8, 3.0),
    "model 4, fractions": cvr(0.6, 2.7, limits=OTHER_LIMITS),
    "model 4, zero": cvr(0.0, 0.0),
    "model 4, delta": cvr(0.4, 2.4, shape=DELTA_3),
    "model 8": zip_(0.5, 0.2, 0.3, 0.1, 0.4, 0.5, 0.0),
    "model 8, cut off": zip_(0.5, 0.2, 0.3, 0.1, 0.4, 0.5, 0.9),
    "model 8, low cut-off": zip_(0.5, 0.2, 0.3, 0.1, 0.4, 0.5, 0.2),
    "model 8, on the edge": zip_(0.24, -0.26, 1.02, 2.0, -3.0, 2.0, 0.9495, limits=OTHER_LIMITS),
    "model 8, delta": zip_(0.0, 0.4, 0.6, 0.0, 1.0, 0.0, 0.7, shape=DELTA_3),
    "model 8, shares not summing to 1": zip_(0.2, 0.0, 0.3, 0.0, 0.4, 0.0, 0.0, shape=WYE_3),
    "generator": source("generator", WYE_1, GENERATOR),
    "generator, wye 3": source("generator", WYE_3, GENERATOR, limits=(0.0, 0.85, 1.2)),
    "generator, delta 3": source("generator", DELTA_3, GENERATOR),
    "generator, constant impedance": source(
        "generator", DELTA_3, GENERATOR.replace("model=1", "model=2"), model=2
    ),
    "pv": source("pvsystem", WYE_1, PV),
    "pv, wye 3": source("pvsystem", WYE_3, PV, limits=(0.0, 0.85, 1.2)),
    "pv, delta 3": source("pvsystem", DELTA_3, PV),
    "storage, discharging": source("storage", WYE_3, f"{STORAGE} state=discharging"),
    "storage, charging": source("storage", WYE_3, f"{STORAGE} state=charging", p_kw=P_KW),
    "storage, idling": source(
        "storage", WYE_3, f"{STORAGE} state=idling", p_kw=0.01 * P_KW, q_kvar=-Q_KVAR
    ),
    "storage, delta": source("storage", DELTA_3, f"{STORAGE} state=discharging"),
}


@pytest.fixture(scope="module")
def dss():
    import opendssdirect  # noqa: PLC0415

    return opendssdirect.dss.NewContext()


def measured(dss, case: Case):
    """Sweep OpenDSS; yield voltages and currents of the element's conductors."""
    command = dss.Text.Command
    command("clear")
    stiff = "phases=1 basekv={kv} r1=0 x1=1e-6 r0=0 x0=1e-6"
    command(f"new circuit.c bus1=b.1 {stiff.format(kv=KV_LN)}")
    for phase, angle in ((2, -120), (3, 120)):
        command(f"new vsource.s{phase} bus1=b.{phase} {stiff.format(kv=KV_LN)} angle={angle}")
    command(case.command)
    for option in ("controlmode=off", "tolerance=1e-13", "maxiterations=500"):
        command(f"set {option}")
    for v_pu in SWEEP_PU:
        for k, factor in enumerate(UNBALANCE, start=1):
            dss.Vsources.Idx(k)
            dss.Vsources.PU(v_pu * factor)
        dss.Solution.Solve()
        dss.Solution.Solve()  # OpenDSS may stop one sweep after a change of voltage
        assert dss.Solution.Converged()
        dss.Circuit.SetActiveElement(f"{case.kind}.e")
        voltages = np.array(dss.CktElement.Voltages()).view(complex)
        yield voltages, np.array(dss.CktElement.Currents()).view(complex)


def ours(case: Case, conductor_v) -> np.ndarray:
    """Return the currents of the element's conductors at their voltages."""
    connections = case.connections()
    first, second = connections.nodes.T
    u = (conductor_v[first] - conductor_v[second])[:, None] / (connections.kv_rated[0] * 1e3)
    i_re, i_im = currents(
        torch.from_numpy(u.real.copy()),
        torch.from_numpy(u.imag.copy()),
        torch.from_numpy(connections.p_kw[:, None].copy()),
        torch.from_numpy(connections.q_kvar[:, None].copy()),
        LoadTable.build(connections),
    )
    i = (i_re + 1j * i_im).numpy()[:, 0] / connections.kv_rated[0]
    total = np.zeros(len(conductor_v), dtype=complex)
    np.add.at(total, first, i)
    np.add.at(total, second, -i)
    return total


NOMINAL_A = math.hypot(P_KW, Q_KVAR) / KV_LN


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_conductor_carries_what_opendss_says(dss, case):
    for conductor_v, conductor_i in measured(dss, case):
        # OpenDSS's cut-off goes to exactly 0, ours only nearly.
        atol = 1e-12 * np.abs(conductor_i).max() + 1e-14 * NOMINAL_A
        np.testing.assert_allclose(ours(case, conductor_v), conductor_i, rtol=0, atol=atol)


def test_a_one_phase_delta_generator_differs_only_outside_its_limits(dss):
    # There OpenDSS divides its admittance by 3 as if its voltage base were line-to-neutral.
    case = source("generator", DELTA_1, GENERATOR)
    for conductor_v, conductor_i in measured(dss, case):
        v = abs(conductor_v[0] - conductor_v[1]) / (KV_LL * 1e3)
        ratio = abs(conductor_i[0]) / abs(ours(case, conductor_v)[0])
        assert ratio == pytest.approx(1 if 0.9 < v <= 1.1 else 1 / 3, rel=1e-10)


def all_rows() -> Connections:
    return functools.reduce(concatenate, [case.connections() for case in CASES.values()])


V_GRID = torch.linspace(0.0, 2.0, 4001, dtype=torch.float64)[None]


def test_simple_models_are_one_fused_expression():
    connections = all_rows()
    table = LoadTable.build(connections)
    order = {LoadModel.CONSTANT_IMPEDANCE: 0, LoadModel.CONSTANT_CURRENT: 1}
    k = torch.tensor([float(order.get(model, 2)) for model in connections.model])[:, None]
    is_current, is_power = k == 1, k == 2
    v = V_GRID.clamp_min(1e-30)
    alpha = torch.where(is_current, table.current_limits.alpha, table.power_limits.alpha)
    beta = torch.where(is_current, table.current_limits.beta, table.power_limits.beta)
    above = torch.where(is_current, table.current_limits.above, table.power_limits.above)
    line = torch.where(is_current | is_power, alpha + beta / v, 1.0)
    limit = torch.where(is_current | is_power, above, 1.0)
    fused = torch.minimum(torch.maximum(v**-k, limit), torch.maximum(line, torch.ones(())))
    g_p, g_q = factors(V_GRID, table)
    fusable = table.fusable[:, 0]
    assert (fused - g_p)[fusable].abs().max() < 1e-14
    assert torch.equal(g_p[fusable], g_q[fusable])
    names = [case for case in CASES for _ in CASES[case].shape[0]]
    left_out = {name for name, ok in zip(names, fusable.tolist(), strict=True) if not ok}
    simple = {name for name in left_out if CASES[name].model in (1, 2, 5)}
    assert simple == {
        "model 1, no lower limit",
        "model 1, no upper limit",
        "model 5, no upper limit",
        "model 1, v_low above v_min",
        "model 1, v_min above 1",
        "model 5, v_min above 1",
    }


def test_slopes_are_the_derivatives_of_the_factors():
    table = LoadTable.build(all_rows())
    v = V_GRID.clamp_min(1e-3).expand(len(table.v_low), -1).clone().requires_grad_()
    step = 1e-6
    for which, slope in enumerate(factor_slopes(v.detach(), table)):
        (automatic,) = torch.autograd.grad(factors(v, table)[which].sum(), v)
        torch.testing.assert_close(slope, automatic, rtol=1e-11, atol=1e-11)
    kinks = torch.stack([table.v_low, table.v_min, table.v_max])
    smooth = ((v.detach() - kinks).abs() > 2 * step).all(dim=0)
    smooth &= (table.v_cut == 0) | ((v.detach() - table.v_cut).abs() > 0.1)
    upper, lower = factors(v.detach() + step, table), factors(v.detach() - step, table)
    slopes = factor_slopes(v.detach(), table)
    for after, before, slope in zip(upper, lower, slopes, strict=True):
        difference = ((after - before) / (2 * step))[smooth]
        torch.testing.assert_close(slope[smooth], difference, rtol=1e-6, atol=1e-6)


def test_zero_voltage_draws_nothing_and_has_finite_slopes():
    table = LoadTable.build(all_rows())
    zero = torch.zeros(len(table.v_low), 1, dtype=torch.float64)
    one = torch.ones_like(zero)
    for part in currents(zero, zero, one, one, table):
        assert torch.equal(part, zero)
    for slope in factor_slopes(zero, table):
        assert torch.isfinite(slope).all()


def test_float32_is_float64_rounded():
    connections = all_rows()
    wide = LoadTable.build(connections)
    narrow = LoadTable.build(connections, dtype=torch.float32)
    v = V_GRID[:, 200:] + 1e-4  # off the limits, where rounding decides which region it is
    far = (v - wide.v_cut).abs() > 0.05
    for exact, rounded in zip(factors(v, wide), factors(v.float(), narrow), strict=True):
        error = (exact - rounded).abs() / exact.abs().clamp_min(1.0)
        assert error[far].max() < 1e-5


def test_an_unknown_model_is_named():
    connections = replace(load(model=1).connections(), model=np.array([3]))
    with pytest.raises(
        FeederError, match=r"'e\.0': load model 3, expected one of \[1, 2, 4, 5, 8\]"
    ):
        LoadTable.build(connections)
