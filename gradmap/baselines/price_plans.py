"""Plans of price-only owners: value tables of their stores, by dynamic programming.

Every agent plans for itself from its own meter's history, taking the days of the history as equally
likely outcomes of every step:

    V_t-1(x) = mean over days of  min_p  [bill(n + p) - bill(n) + wear(p)]  +  V_t(x'(p))

and, at the end of the day, V = mean import price x energy to restore the initial state, as
`gradmap.costs` counts. Axes are [point of the grid, day, agent], for heat pumps
[point, day, table, agent] with one table for each deviation of the outdoor temperature from the
history's mean: that of the present step says what to expect of the next.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import torch
from torch import Tensor

from gradmap.baselines.value_tables import Slopes, battery_request_kw, heat_request_kw
from gradmap.days import Days
from gradmap.devices.base import Surroundings
from gradmap.devices.battery import Battery
from gradmap.devices.heat_pump import HeatPump
from gradmap.types import AgentValues

N_CELLS: Final = 64
N_OUTSIDE: Final = 8
"""Cells of a heat pump's grid beyond either end of the comfort band."""
TEMP_OFFSETS_K: Final = (-8.0, -4.0, 0.0, 4.0, 8.0)
"""Heat pumps have a table for days that much warmer than usual."""
COMFORT_WEIGHT: Final = 50.0
"""A kelvin outside the band for a step, over heating a kelvin at the highest price."""


def battery_slopes(battery: Battery, *, surplus_kw: Tensor, history: Days) -> Slopes:
    """Return what stored energy is worth, over the state of charge [cur/kWh].

    Args:
        battery: The batteries.
        surplus_kw: Solar power beyond the load of their homes, [day, time, agent]. [kW]
        history: For its prices.
    """
    pars, dt_h = battery.params, history.dt_h
    low, high = pars.soc_min, pars.soc_max
    width = (high - low).clamp(min=torch.finfo(low.dtype).eps)
    grid = _grid(low, high, n_cells=N_CELLS)
    nothing = Surroundings(temp_out_c=low.new_zeros(()), ghi_w_per_m2=low.new_zeros(()))
    restore_kwh = battery.restore_kwh(grid, surroundings=nothing)
    value = history.price_import_per_kwh.mean() * restore_kwh
    soc, found = grid[:, None], []
    for step in reversed(range(history.n_steps)):
        slopes = _slopes(value) / (width * pars.e_max_kwh / N_CELLS)[:, None]
        table = Slopes(by_step=slopes[None, None], low=low, high=high)
        found.append(slopes[None])
        prices = _prices(history, step)
        surplus = surplus_kw[:, step]
        p_kw = battery_request_kw(
            soc,
            surplus_kw=surplus,
            price_import=prices[0],
            price_export=prices[1],
            pars=pars,
            level=partial(table.at, step=0),
            dt_h=dt_h,
        )
        cost = dt_h * step_bill(p_kw, surplus_kw=surplus, prices=prices)
        cost = cost + battery.step_cost(p_kw, dt_h)
        after = battery.next_state(soc, p_kw=p_kw, surroundings=nothing, dt_h=dt_h)
        later = expected(value[:, None], position=(after - low) / width * N_CELLS)
        value = (cost + later).mean(dim=1)
    return Slopes(by_step=torch.stack(found[::-1]), low=low, high=high)


def heat_pump_slopes(
    heat_pump: HeatPump, *, surplus_kw: Tensor, history: Days, temp_out_c: Tensor
) -> Slopes:
    """Return what a warmer home is worth, over the indoor temperature [cur/K].

    Args:
        heat_pump: The heat pumps and their homes.
        surplus_kw: Solar power beyond the load of their homes, [day, time, agent]. [kW]
        history: For its prices and sun.
        temp_out_c: Usual outdoor temperature, [time]. [degC]
    """
    pars, dt_h = heat_pump.params, history.dt_h
    margin = (pars.temp_max_c - pars.temp_min_c) * N_OUTSIDE / (N_CELLS - 2 * N_OUTSIDE)
    low, high = pars.temp_min_c - margin, pars.temp_max_c + margin
    width = (high - low).clamp(min=1e-3)
    temp_c = _grid(low, high, n_cells=N_CELLS)[:, None, None]
    offset_k = low.new_tensor(TEMP_OFFSETS_K)[:, None]
    highest = history.price_import_per_kwh.amax().clamp(min=0.0)
    outside = COMFORT_WEIGHT * highest * heat_pump.comfort_violation_k(temp_c) * pars.c_kwh_per_k
    value, found = outside.new_zeros(()), []
    for step in reversed(range(history.n_steps)):
        around = Surroundings(
            temp_out_c=temp_out_c[step] + offset_k,
            ghi_w_per_m2=history.ghi_w_per_m2[:, step, None, None],
        )
        cop = heat_pump.cop(around)
        if step == history.n_steps - 1:
            restore_kwh = heat_pump.restore_kwh(temp_c, surroundings=around)
            value = history.price_import_per_kwh.mean() * restore_kwh
        value = value + outside / cop
        slopes = _slopes(value[:, 0]) / (width / N_CELLS)[:, None]
        table = Slopes(by_step=slopes[None], low=low, high=high)
        found.append(slopes)
        prices = _prices(history, step)
        surplus = surplus_kw[:, step, None]
        warming = heat_pump_warming(heat_pump, around, dt_h=dt_h)
        off_kw = torch.zeros_like(warming)
        unheated_c = heat_pump.next_state(temp_c, p_kw=off_kw, surroundings=around, dt_h=dt_h)
        levels = [
            table.level((dt_h * price[:, None] / warming).transpose(0, 1), step=0).transpose(0, 1)
            for price in prices
        ]
        p_kw = heat_request_kw(
            unheated_c,
            warming_k_per_kw=warming,
            surplus_kw=surplus,
            p_max_kw=pars.p_max_kw,
            levels=(levels[0], levels[1]),
        )
        both = (prices[0][:, None], prices[1][:, None])
        cost = dt_h * step_bill(p_kw, surplus_kw=surplus, prices=both)
        after_c = unheated_c + warming * p_kw
        later = expected(value, position=(after_c - low) / width * N_CELLS)
        value = (cost + later).mean(dim=1, keepdim=True)
    return Slopes(by_step=torch.stack(found[::-1]), low=low, high=high)


def heat_pump_warming(heat_pump: HeatPump, around: Surroundings, *, dt_h: float) -> AgentValues:
    """Return by how much a kW for a step warms the home until its end [K/kW]."""
    pars = heat_pump.params
    exponent = pars.ua_kw_per_k * dt_h / pars.c_kwh_per_k
    return heat_pump.cop(around) * -torch.expm1(-exponent) / pars.ua_kw_per_k


def step_bill(
    p_kw: AgentValues, *, surplus_kw: AgentValues, prices: tuple[Tensor, Tensor]
) -> AgentValues:
    """Return what a device's power adds to the household's bill [cur/h].

    Args:
        p_kw: Of the device. [kW]
        surplus_kw: Solar power beyond the load. [kW]
        prices: Of import and export. [cur/kWh]
    """

    def bill(net_kw: Tensor) -> Tensor:
        return prices[0] * torch.relu(net_kw) - prices[1] * torch.relu(-net_kw)

    return bill(p_kw - surplus_kw) - bill(-surplus_kw)


def expected(value: Tensor, *, position: Tensor) -> Tensor:
    """Return V between the grid's points and, along its last slopes, beyond them.

    Args:
        value: V at the points, [point, ...].
        position: Where, in cells from the first point, [any, ...].
    """
    cell = position.floor().clamp(0, value.shape[0] - 2)
    index = cell.long()
    value = value.expand(-1, *position.shape[1:])
    below, above = value.gather(0, index), value.gather(0, index + 1)
    return below + (position - cell) * (above - below)


def _grid(low: Tensor, high: Tensor, *, n_cells: int) -> Tensor:
    """Return equidistant levels, [point, agent]."""
    share = torch.linspace(0.0, 1.0, n_cells + 1, dtype=low.dtype, device=low.device)
    return low + share[:, None] * (high - low)


def _prices(history: Days, step: int) -> tuple[Tensor, Tensor]:
    """Return import and export price of a step, [day, 1] [cur/kWh]."""
    return history.price_import_per_kwh[:, step, None], history.price_export_per_kwh[:, step, None]


def _slopes(value: Tensor) -> Tensor:
    """Return differences of V per cell, [..., agent, cell], made nondecreasing against rounding."""
    rises = value.diff(dim=0).movedim(0, -1)
    return torch.cummax(rises, dim=-1).values.contiguous()
