"""Where a rollout keeps what it does: in place without gradients, as a graph with them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.base import Surroundings


class Record:
    """Values of consecutive steps by name, each [day, ...], joined to [day, time, ...]."""

    def __init__(self, *, n_steps: int) -> None:
        """Begin an empty record; whether gradients are enabled now decides how it is kept."""
        self._n_steps = n_steps
        self._graph = torch.is_grad_enabled()
        self._steps: dict[str, list[Tensor]] = defaultdict(list)
        self._filled: dict[str, Tensor] = {}

    def put(self, step: int, **values: Tensor) -> None:
        """Keep the values of the next step, which may be overwritten afterwards."""
        for name, value in values.items():
            if self._graph:
                self._steps[name].append(value)
                continue
            if name not in self._filled:
                shape = (value.shape[0], self._n_steps, *value.shape[1:])
                self._filled[name] = value.new_empty(shape)
            self._filled[name][:, step] = value

    def joined(self) -> dict[str, Tensor]:
        """Return the values of all steps, [day, time, ...]."""
        return self._filled | {
            name: torch.stack(values, dim=1) for name, values in self._steps.items()
        }


def surroundings(days: Days) -> Surroundings:
    """Return what a whole fleet feels in every step, [day, time, agent or 1]."""
    vehicles: dict[str, Tensor] = {}
    if days.plugged_in is not None and days.trip_kwh is not None and days.departure_h is not None:
        vehicles = {
            "plugged_in": days.plugged_in,
            "trip_kwh": days.trip_kwh,
            "departure_h": days.departure_h,
        }
    return Surroundings(
        temp_out_c=days.temp_out_c[..., None], ghi_w_per_m2=days.ghi_w_per_m2[..., None], **vehicles
    )


def at_step(series: Surroundings, step: int) -> Surroundings:
    """Return one step of surroundings [day, time, ...]; constants stay."""
    values: dict[str, Tensor] = {item.name: getattr(series, item.name) for item in fields(series)}
    return Surroundings(
        **{name: value if value.ndim == 0 else value[:, step] for name, value in values.items()}
    )
