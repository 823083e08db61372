"""Rooftop solar: available AC power of each household, from pvlib's transposition and PVWatts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pvlib
from numpy.typing import NDArray

from scenarios.profiles.weather import Weather

Floats = NDArray[np.float64]

REFERENCE_W_PER_M2 = 1000.0
GAMMA_PER_K = -0.0035  # PVWatts v8, standard modules are -0.0037, premium -0.0035
SYSTEM_LOSSES = 0.14  # PVWatts default: soiling, shading, mismatch, wiring, ...
INVERTER_EFFICIENCY = 0.96
WIND_M_PER_S = 2.0  # roofs in built-up areas; weather sources need not have wind
ALBEDO = 0.2


@dataclass(frozen=True, kw_only=True)
class PvFleet:
    """Roofs grouped by orientation, so that each orientation is computed once."""

    tilt_deg: Floats
    """[orientation]"""
    azimuth_deg: Floats
    """Clockwise from north. [orientation]"""
    orientation: NDArray[np.int64]
    """Which orientation each roof has. [roof]"""
    kwp: Floats
    """[roof]"""
    inverter_kva: Floats
    """[roof]"""

    @classmethod
    def group(
        cls, *, tilt_deg: Floats, azimuth_deg: Floats, kwp: Floats, inverter_kva: Floats
    ) -> Self:
        """Group roofs that look the same way. All arguments: [roof]."""
        pairs = np.column_stack([tilt_deg, azimuth_deg])
        unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
        return cls(
            tilt_deg=unique[:, 0],
            azimuth_deg=unique[:, 1],
            orientation=inverse.reshape(-1),
            kwp=kwp,
            inverter_kva=inverter_kva,
        )


def pv_available_kw(fleet: PvFleet, *, weather: Weather) -> Floats:
    """Return the AC power that each roof could deliver, before any curtailment.

    Haydavies transposition without horizon or inter-row shading, PVsyst cell temperature at a fixed
    wind speed, PVWatts DC power, constant inverter efficiency, clipped at the inverter's rating.

    Returns:
        Available power, >= 0; zero while the sun is down. [kW] [step, roof]
    """
    per_kwp = _dc_kw_per_kwp(fleet, weather=weather) * INVERTER_EFFICIENCY
    return np.minimum(per_kwp[:, fleet.orientation] * fleet.kwp, fleet.inverter_kva)


def _dc_kw_per_kwp(fleet: PvFleet, *, weather: Weather) -> Floats:
    """Return DC power after system losses of 1 kWp [kW] [step, orientation]."""
    sun = weather.sun
    zenith, azimuth = sun.zenith_deg[:, None], sun.azimuth_deg[:, None]
    dhi, ghi = weather.dhi_w_per_m2[:, None], weather.ghi_w_per_m2[:, None]
    beam = weather.dni_w_per_m2[:, None] * np.maximum(
        pvlib.irradiance.aoi_projection(fleet.tilt_deg, fleet.azimuth_deg, zenith, azimuth), 0.0
    )
    sky = pvlib.irradiance.haydavies(
        fleet.tilt_deg,
        fleet.azimuth_deg,
        dhi,
        weather.dni_w_per_m2[:, None],
        sun.dni_extra_w_per_m2[:, None],
        zenith,
        azimuth,
    )
    ground = pvlib.irradiance.get_ground_diffuse(fleet.tilt_deg, ghi, albedo=ALBEDO)
    plane = np.maximum(beam + sky + ground, 0.0)
    cell_c = pvlib.temperature.pvsyst_cell(
        plane, weather.temp_out_c[:, None], wind_speed=WIND_M_PER_S
    )
    corrected = 1.0 + GAMMA_PER_K * (cell_c - 25.0)
    power = plane / REFERENCE_W_PER_M2 * corrected * (1.0 - SYSTEM_LOSSES)
    return np.maximum(np.where(ghi > 0.0, power, 0.0), 0.0)
