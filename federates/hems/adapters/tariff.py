"""Prices of an interviewed home's own tariff, step by step."""

from __future__ import annotations

import numpy as np

from federates.hems.adapters.hours import Steps, inside
from federates.hems.optimiser.checks import FloatArray
from federates.hems.parameters.models import FlatTariff, HomeParameters, TimeOfUseTariff
from gradmap.errors import ScenarioError


def prices(
    home: HomeParameters, steps: Steps, *, dynamic_per_kwh: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return import and export price, [step] [currency/kWh].

    Without an export price, what is fed in earns nothing.

    Args:
        home: Whose tariff.
        steps: When.
        dynamic_per_kwh: Published import prices, for dynamic tariffs, [step].

    Raises:
        ScenarioError: The tariff is dynamic and no prices were published.
    """
    tariff = home.tariff
    export = np.full(steps.n_steps, tariff.export_price_per_kwh or 0.0)
    if isinstance(tariff, FlatTariff):
        return np.full(steps.n_steps, tariff.import_price_per_kwh), export
    if isinstance(tariff, TimeOfUseTariff):
        peak = inside(tariff.peak_hours, steps.hour)
        bought = np.where(peak, tariff.peak_price_per_kwh, tariff.off_peak_price_per_kwh)
        return bought, export
    if dynamic_per_kwh is None:
        raise ScenarioError(
            "`tariff.kind` is dynamic, but no prices were published for these steps. Pass the "
            "day's prices with the forecast."
        )
    return np.asarray(dynamic_per_kwh, dtype=np.float64), export
