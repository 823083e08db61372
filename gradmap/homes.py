"""Who sits where on the feeder, and how reactive their base loads are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.errors import ScenarioError
from gradmap.feeder import Feeder


@dataclass(frozen=True, kw_only=True, eq=False)
class Homes:
    """The homes of a population, in the order of `Fleet.household_ids`."""

    connection_index: Tensor
    """Row of each home in `Feeder.places`, int64 [household]."""
    tan_phi: Tensor
    """Reactive over active base load, positive absorbs, [household]. [kvar/kW]"""

    def __post_init__(self) -> None:
        """Refuse homes that are not described alike."""
        if self.connection_index.shape != self.tan_phi.shape or self.tan_phi.ndim != 1:
            raise ScenarioError(
                f"Homes: `connection_index` has shape {tuple(self.connection_index.shape)} and "
                f"`tan_phi` {tuple(self.tan_phi.shape)}; expected [household] for both."
            )

    @classmethod
    def on_feeder(
        cls,
        feeder: Feeder,
        *,
        connection_ids: Sequence[str],
        power_factor: Sequence[float],
        dtype: torch.dtype = torch.float64,
    ) -> Homes:
        """Return the homes by the names of their connections.

        Args:
            feeder: Where they sit, on its `places`.
            connection_ids: Connection of each home.
            power_factor: Lagging power factor of each base load, in (0, 1]. [-]
            dtype: Floating-point type.
        """
        row = {name: position for position, name in enumerate(feeder.places.connection_ids)}
        for home, name in enumerate(connection_ids):
            if name not in row:
                raise ScenarioError(
                    f"Home number {home}: connection {name!r} is not on feeder {feeder.name!r}; "
                    f"it has, for example, {', '.join(feeder.places.connection_ids[:3])}."
                )
        factor = torch.as_tensor(power_factor, dtype=torch.float64)
        wrong = torch.nonzero(~((factor > 0.0) & (factor <= 1.0))).flatten().tolist()
        if wrong:
            raise ScenarioError(
                f"Home number {wrong[0]}: power factor is {factor[wrong[0]].item():g}, expected a "
                f"number in (0, 1]."
            )
        return cls(
            connection_index=torch.tensor([row[name] for name in connection_ids]),
            tan_phi=torch.tan(torch.acos(factor)).to(dtype),
        )

    @property
    def n_households(self) -> int:
        """Return the number of homes."""
        return len(self.tan_phi)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Homes:
        """Return the homes on another torch device or in another floating-point type."""
        return Homes(
            connection_index=self.connection_index.to(device=device),
            tan_phi=self.tan_phi.to(device=device, dtype=dtype),
        )
