"""What one more unit in store is worth, as tables of slopes, and what owners do with them.

With V_t(x) the cost that an owner expects from the end of step t on, x being the level of its store
(state of charge, indoor temperature), a step is the choice of

    min_p  bill(n + p) - bill(n) + wear(p)  +  V_t(x'(p))

Bills and wear are piecewise linear and convex in p, so the best p moves x towards a level that
depends on prices but not on x: as far as one more unit is worth more than it costs. The whole
policy is therefore the table of dV/dx (`Slopes`), and a look-up of prices in it. `price_plans`
makes the tables.

References:
    [1] D. P. Bertsekas, "Dynamic Programming and Optimal Control", Athena Scientific, vol. I,
        chapter on perfect state information (base-stock policies).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.devices.battery import BatteryParams
from gradmap.types import AgentValues, PerAgent


@dataclass(frozen=True, kw_only=True, eq=False)
class Slopes:
    """Derivative of V at the end of every step, nondecreasing in the level."""

    by_step: Tensor
    """[time, table, agent, cell]. [cur per unit of the level]"""
    low: PerAgent
    """Level at the lower end of the first cell, [agent]."""
    high: PerAgent
    """Level at the upper end of the last cell, [agent]."""

    def level(self, value: Tensor, *, step: int) -> Tensor:
        """Return up to which level one more unit is worth more than `value`.

        Args:
            value: For each table or, with a first axis of length 1, for all of them,
                [table, ..., agent]. [cur per unit of the level]
            step: At the end of which step.

        Returns:
            Levels, [table, ..., agent].
        """
        slopes = self.by_step[step]
        n_tables, _, n_cells = slopes.shape
        wanted = -value.flatten(1, -2) if value.ndim > 2 else -value[:, None]
        wanted = wanted.transpose(1, 2).expand(n_tables, -1, -1).contiguous()
        n_worth = torch.searchsorted(slopes, wanted).transpose(1, 2)
        share = n_worth.to(value).reshape(n_tables, *value.shape[1:]) / n_cells
        return self.low + share * (self.high - self.low)

    def at(self, value: AgentValues, *, step: int) -> AgentValues:
        """Return the same for a single table, [..., agent]."""
        return self.level(value[None], step=step)[0]


def battery_request_kw(
    soc: AgentValues,
    *,
    surplus_kw: AgentValues,
    price_import: AgentValues,
    price_export: AgentValues,
    pars: BatteryParams,
    level: Callable[[Tensor], Tensor],
    dt_h: float,
) -> AgentValues:
    """Return what a battery does, given what stored energy is worth [kW].

    It charges from the grid, or from own surplus, as long as a stored kWh is worth more than
    (price + wear) / eta_c, and covers own load, or exports, as long as it is worth less than
    (price - wear) eta_d.

    Args:
        soc: State of charge. [-]
        surplus_kw: Own solar power beyond the own load; negative is net load. [kW]
        price_import: [cur/kWh]
        price_export: [cur/kWh]
        pars: The batteries.
        level: From values of stored energy [cur/kWh] to states of charge, see `Slopes.level`.
        dt_h: Step length. [h]
    """
    wear = pars.wear_per_kwh
    values = (
        (price_import + wear) / pars.eta_charge,
        (price_export + wear) / pars.eta_charge,
        (price_import - wear) * pars.eta_discharge,
        (price_export - wear) * pars.eta_discharge,
    )
    levels = [level(value) for value in values]
    in_kw = pars.e_max_kwh / (pars.eta_charge * dt_h)
    out_kw = pars.e_max_kwh * pars.eta_discharge / dt_h
    from_grid_kw = (levels[0] - soc) * in_kw
    from_surplus_kw = torch.minimum((levels[1] - soc) * in_kw, torch.relu(surplus_kw))
    to_load_kw = torch.minimum((soc - levels[2]) * out_kw, torch.relu(-surplus_kw))
    to_grid_kw = (soc - levels[3]) * out_kw
    charge_kw = torch.relu(torch.maximum(from_grid_kw, from_surplus_kw))
    discharge_kw = torch.relu(torch.maximum(to_load_kw, to_grid_kw))
    return torch.clamp(charge_kw - discharge_kw, -pars.p_max_kw, pars.p_max_kw)


def heat_request_kw(
    temp_unheated_c: AgentValues,
    *,
    warming_k_per_kw: AgentValues,
    surplus_kw: AgentValues,
    p_max_kw: PerAgent,
    levels: tuple[AgentValues, AgentValues],
) -> AgentValues:
    """Return what a heat pump does to end the step at the temperature that pays [kW].

    Args:
        temp_unheated_c: Indoors at the end of the step without heating. [degC]
        warming_k_per_kw: What a kW for the step adds to it. [K/kW]
        surplus_kw: Own solar power beyond the own load. [kW]
        p_max_kw: Rating.
        levels: Up to which temperature heating pays at the import and at the export price. [degC]
    """
    from_grid_kw = (levels[0] - temp_unheated_c) / warming_k_per_kw
    wanted_kw = (levels[1] - temp_unheated_c) / warming_k_per_kw
    from_surplus_kw = torch.minimum(wanted_kw, torch.relu(surplus_kw))
    request_kw = torch.relu(torch.maximum(from_grid_kw, from_surplus_kw))
    return torch.minimum(request_kw, p_max_kw)
