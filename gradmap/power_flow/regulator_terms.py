"""Regulators away from their base taps, eliminated exactly per sample.

A regulator phase at tap ratio t differs from its base by mu = 1/t - 1/t_base, which couples its
current j and its winding voltage s into the network. With z = (j; s) = z0 + z_i i + T d and
d = diag(mu, mu) z follows

    d = S (z0 + z_i i),     S = inv(I - diag(mu, mu) T) diag(mu, mu)

a small dense system per sample (Woodbury), so taps are continuous inputs with exact gradients.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gradmap.power_flow.network import Network


class RegulatorTerms:
    """The constants of S on one device, in complex128: S is badly scaled and computed rarely."""

    def __init__(self, network: Network, *, device: torch.device) -> None:
        """Take T and the base taps from the network."""
        self._part = torch.as_tensor(network.regulator_of_part, device=device)
        self._base = torch.tensor(network.base_tap_ratios, device=device)
        self._coupling = torch.as_tensor(network.regulator_unknowns.at_regulator, device=device)

    @property
    def n_terms(self) -> int:
        """Return 4 R: re and im of two terms for each regulator phase."""
        return 4 * len(self._part)

    def matrices(self, tap_ratios: Tensor) -> Tensor:
        """Return S in real form, [batch, 4 R, 4 R], float64, differentiable.

        Args:
            tap_ratios: [batch, regulator]. [pu]
        """
        mu = (1.0 / tap_ratios.double() - 1.0 / self._base)[:, self._part].repeat(1, 2)
        scale = torch.diag_embed(mu).to(self._coupling.dtype)
        identity = torch.eye(mu.shape[1], dtype=scale.dtype, device=scale.device)
        system = identity - mu[:, :, None] * self._coupling
        s = torch.linalg.solve(system, scale)
        top = torch.cat([s.real, -s.imag], dim=2)
        return torch.cat([top, torch.cat([s.imag, s.real], dim=2)], dim=1)
