"""Which training days a batch consists of."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

CHOICE: Final = 4
"""Hard days are drawn from so many times as many of the hardest, so that they vary."""


def drawn_days(worst: Tensor, *, size: int, hard_share: float, draw: torch.Generator) -> Tensor:
    """Return the numbers of a batch's days, each once, int64.

    Args:
        worst: Largest scaled violation of each day when it was last seen, [day]; -inf if never.
        size: Days in a batch, at most as many as there are.
        hard_share: Part of them drawn from the days furthest outside. [-]
        draw: Source of randomness.
    """
    shuffled = torch.randperm(len(worst), generator=draw)
    n_hard = round(hard_share * size)
    hardest = torch.argsort(worst, descending=True, stable=True)[: CHOICE * n_hard]
    hardest = hardest[worst[hardest] > 0.0]  # days inside all limits are not hard
    hard = hardest[torch.randperm(len(hardest), generator=draw)[:n_hard]]
    others = shuffled[~torch.isin(shuffled, hard)]
    return torch.cat([hard, others[: size - len(hard)]])
