"""The solver's fast load currents equal the plain ones of `load_models`."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradmap.feeder import Connections
from gradmap.power_flow.fused_currents import admittances, fused_table, slopes
from gradmap.power_flow.load_models import LoadTable, currents

MODELS = [1, 2, 4, 5, 8]
CPU = torch.device("cpu")


def _connections(rng, n):
    model = rng.choice(MODELS, n)
    v_low = rng.choice([0.0, 0.3, 0.5], n)
    shares = rng.uniform(0.0, 1.0, (n, 7)) * (model == 8)[:, None]
    return Connections(
        connection_ids=tuple(map(str, range(n))),
        element_ids=tuple(map(str, range(n))),
        nodes=np.zeros((n, 2), dtype=np.int64),
        kv_rated=np.ones(n),
        kv_base=np.ones(n),
        model=model,
        p_kw=np.ones(n),
        q_kvar=np.ones(n),
        v_min_pu=rng.uniform(0.6, 0.98, n),
        v_max_pu=rng.uniform(1.02, 1.3, n),
        v_low_pu=v_low,
        exponents=rng.uniform(0.0, 3.0, (n, 2)) * (model == 4)[:, None],
        zipv=shares,
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_currents_and_slopes_equal_the_plain_ones_in_every_region(seed):
    rng = np.random.default_rng(seed)
    connections = _connections(rng, 20)
    v = torch.tensor(rng.uniform(0.02, 1.5, (20, 50)))
    angle = torch.tensor(rng.uniform(-3.1, 3.1, (20, 50)))
    u = torch.cat([v * angle.cos(), v * angle.sin()])
    p, q = torch.tensor(rng.normal(0, 50, (2, 20, 50)))
    table = fused_table(connections, dtype=torch.float64, device=CPU)
    u_re, u_im = u.clone().requires_grad_().chunk(2)
    plain = currents(u_re, u_im, p, q, LoadTable.build(connections))
    buffers = (torch.empty_like(p), torch.empty_like(p))
    a, b = admittances(*u.chunk(2), p, q, table=table, out=buffers)
    re, im = u.chunk(2)
    for fused, expected in zip((a * re + b * im, a * im - b * re), plain, strict=True):
        torch.testing.assert_close(fused, expected, rtol=1e-12, atol=1e-10)
    x = torch.tensor(rng.normal(size=(2, 20, 50)))
    expected = torch.autograd.grad((plain[0] * x[0] + plain[1] * x[1]).sum(), (u_re, u_im))
    at = slopes(u, p, q, table=table)
    product = (torch.empty_like(x[0]), torch.empty_like(x[0]))
    at.transposed(x[0], x[1], out=product)
    for ours, theirs in zip(product, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-8)
    rr, ri, ir, ii = at.blocks()
    torch.testing.assert_close(rr * x[0] + ir * x[1], product[0])
    torch.testing.assert_close(ri * x[0] + ii * x[1], product[1])


def test_a_dead_connection_draws_nothing():
    connections = _connections(np.random.default_rng(0), 20)
    table = fused_table(connections, dtype=torch.float32, device=CPU)
    zero, ones = torch.zeros(20, 1), torch.ones(20, 1)
    a, b = admittances(zero, zero, ones, ones, table=table, out=(ones.clone(), ones.clone()))
    assert torch.isfinite(a).all()
    assert torch.isfinite(b).all()
