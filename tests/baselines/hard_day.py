"""A hard day of sixty homes on the bundled feeder, for searches of its optimum."""

import numpy as np
import torch

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.homes import Homes
from gradmap.power_flow.solver import PowerFlow
from gradmap.rollout import Rollout
from opendss_models.feeders import bundled_feeder
from tests.devices.populations import device_tables, household_ids

N_HOMES = 60
KINDS = ("battery", "heat_pump", "generator", "ev_charger")
BIG = 8.0
"""Each home stands for so many, so that sixty load the feeder as a thousand do."""


def _fleet():
    """One device a home, kinds in turn, big enough to matter on the feeder."""
    ids = household_ids(N_HOMES)
    tables = {}
    for rank, (kind, table) in enumerate(device_tables(N_HOMES).items()):
        own = table.iloc[rank :: len(KINDS)].copy()
        for name in ("p_max_kw", "e_max_kwh", "ua_kw_per_k", "c_kwh_per_k", "solar_gain_m2"):
            if name in own:
                own[name] = own[name] * BIG
        if "fuel_quadratic_per_kw2h" in own:
            own["fuel_quadratic_per_kw2h"] = own["fuel_quadratic_per_kw2h"] / BIG
        tables[kind] = own
    return Fleet.from_tables(tables, household_ids=ids)


def _days(fleet):
    hour = torch.arange(96, dtype=torch.float64)[None] * 0.25
    rng = np.random.default_rng(7)
    wobble = torch.tensor(rng.uniform(0.7, 1.3, (1, 96, N_HOMES)))
    evening = torch.exp(-(((hour - 18.5) / 2.5) ** 2))
    sun = torch.relu(torch.sin((hour - 6.0) / 12.0 * np.pi))
    plugged = ((hour < 8.0) | (hour >= 17.0)).double()[..., None].expand(1, 96, fleet.n_agents)
    trip = torch.zeros_like(plugged).clone()
    trip[:, 68] = 12.0
    departure = torch.remainder(8.0 - hour, 24.0)
    departure = torch.where(departure == 0.0, 24.0, departure)
    return Days(
        hour=hour,
        day_of_week=torch.zeros_like(hour),
        price_import_per_kwh=torch.where((hour >= 16) & (hour < 19), 0.38, 0.22).double(),
        price_export_per_kwh=torch.full_like(hour, 0.10),
        temp_out_c=2.0 + 4.0 * torch.sin((hour - 9.0) / 12.0 * np.pi),
        ghi_w_per_m2=500.0 * sun,
        base_load_kw=BIG * (2.4 + 4.4 * evening)[..., None] * wobble,
        pv_available_kw=BIG * 5.5 * sun[..., None] * wobble,
        plugged_in=plugged,
        trip_kwh=trip,
        departure_h=departure[..., None].expand(1, 96, fleet.n_agents),
        dt_h=0.25,
    )


def hard_day():
    """Return fleet, homes, power flow at neutral taps, and the day."""
    feeder = bundled_feeder("ieee123")
    fleet = _fleet()
    places = feeder.places.connection_ids
    homes = Homes.on_feeder(
        feeder,
        connection_ids=[places[(7 * i) % len(places)] for i in range(N_HOMES)],
        power_factor=[0.97] * N_HOMES,
    )
    flow = PowerFlow(feeder.with_households(), tap_ratios=np.ones(len(feeder.regulators)))
    return fleet, homes, flow, _days(fleet)


def replay(world, p_kw, *, control_regulators=False):
    """Return powers through devices and exact power flow."""
    fleet, homes, flow, days = world
    rollout = Rollout(fleet=fleet, homes=homes, flow=flow, control_regulators=control_regulators)
    with torch.no_grad():
        return rollout.replay(torch.tensor(p_kw)[None], days)
