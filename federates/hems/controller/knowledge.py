"""What the homes know of the next hours: published prices, forecast weather, their usual load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federates.component import Schedule
from federates.config import HemsSettings
from federates.hems.adapters.hours import HOURS_PER_DAY, Steps
from federates.hems.controller.outlook import LookAhead, all_rows, history
from federates.hems.controller.usual_load import UsualLoad
from federates.series import SeriesReader, parts
from gradmap.errors import ScenarioError
from gradmap.units import SECONDS_PER_HOUR

Floats = NDArray[np.float64]
_WEATHER = ("temp_out_c", "ghi_w_per_m2")


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """The next steps, as believed at the first of them."""

    steps: Steps
    price_import_per_kwh: Floats
    """[step]"""
    price_export_per_kwh: Floats
    """[step]"""
    temp_out_c: Floats
    """[step]"""
    ghi_w_per_m2: Floats
    """[step]"""
    pv_kw: Floats
    """Available solar power, [step, home]. [kW]"""
    load_kw: Floats
    """Usual load, [step, home]. [kW]"""


class Knowledge:
    """Reads series no further than a plan may look, and learns loads from what was metered."""

    def __init__(
        self, settings: HemsSettings, *, schedule: Schedule, household_ids: Sequence[str]
    ) -> None:
        """Open the series.

        Args:
            settings: Inputs and horizon.
            schedule: Steps.
            household_ids: The homes that plan.

        Raises:
            ScenarioError: A series is missing.
        """
        self._settings, self._dt_s = settings, schedule.dt_s
        self._dt_h = schedule.dt_s / SECONDS_PER_HOUR
        self._n_day = round(HOURS_PER_DAY / self._dt_h)
        self._n_total = schedule.n_steps
        folder = settings.inputs_folder / "series"
        self._environment = self._open(SeriesReader(folder / "environment"))
        self._column = {name: i for i, name in enumerate(self._environment.ids)}
        sun = folder / "pv_available_kw"
        self._pv = self._open(SeriesReader(sun)) if parts(sun) else None
        self._n_homes = len(household_ids)
        self._pv_place = _places((), household_ids)
        if self._pv is not None:
            self._pv_place = _places(self._pv.ids, household_ids)
        self._usual = UsualLoad(self._n_homes, dt_h=self._dt_h)
        self._learn_history(household_ids)
        self._weather_before, self._pv_before = self._days_before()

    def see(self, step: int, load_kw: Floats) -> None:
        """Take the meters' readings of a step, [home] [kW]."""
        hour = float(self._environment.ahead(step)[0, self._column["hour"]])
        self._usual.see(hour, load_kw)

    def ahead(self, step: int) -> Known:
        """Return what is known at a step; steps must not go back."""
        published = self._environment.ahead(step)
        weather = published
        if self._settings.weather == "persistence":
            weather = self._environment.past_day(step, before=self._weather_before)
        hour = published[:, self._column["hour"]]
        steps = Steps(
            hour=hour, day_of_week=published[:, self._column["day_of_week"]], dt_h=self._dt_h
        )
        return Known(
            steps=steps,
            price_import_per_kwh=published[:, self._column["price_import_per_kwh"]],
            price_export_per_kwh=published[:, self._column["price_export_per_kwh"]],
            temp_out_c=weather[:, self._column["temp_out_c"]],
            ghi_w_per_m2=weather[:, self._column["ghi_w_per_m2"]],
            pv_kw=self._sun(step),
            load_kw=self._usual.ahead(hour),
        )

    def _sun(self, step: int) -> Floats:
        power_kw = np.zeros((self._settings.horizon_steps, self._n_homes))
        if self._pv is None:
            return power_kw
        target, source = self._pv_place
        if self._settings.weather == "persistence":
            rows = self._pv.past_day(step, before=self._pv_before)
        else:
            rows = self._pv.ahead(step)
        power_kw[:, target] = rows[:, source]
        return power_kw

    def _open(self, reader: SeriesReader) -> LookAhead:
        return LookAhead(
            reader,
            n_total=self._n_total,
            n_ahead=self._settings.horizon_steps,
            n_day=self._n_day,
            dt_s=self._dt_s,
        )

    def _learn_history(self, household_ids: Sequence[str]) -> None:
        """Take the readings of the days before the scenario, where there are any."""
        clock = history(self._settings.inputs_folder, "hour")
        metered = history(self._settings.inputs_folder, "base_load_kw")
        if clock is None or metered is None:
            return
        target, source = _places(metered.ids, household_ids)
        n_steps = self._settings.history_steps
        hours = all_rows(clock, dt_s=self._dt_s, n_steps=n_steps)[:, 0]
        for step, hour in enumerate(hours.tolist()):
            load_kw = np.zeros(self._n_homes)
            load_kw[target] = metered.next_row(float(step * self._dt_s))[source]
            self._usual.see(hour, load_kw)

    def _days_before(self) -> tuple[Floats, Floats]:
        """Return weather and sun of the day before the scenario; empty if they are not needed."""
        empty = np.zeros((0, 0))
        if self._settings.weather != "persistence":
            return empty, empty
        folder, n_steps = self._settings.inputs_folder, self._n_day
        weather, sun = history(folder, "environment"), history(folder, "pv_available_kw")
        if weather is None or (self._pv is not None and sun is None):
            raise ScenarioError(
                "Forecast `persistence` needs the weather of the day before the scenario in "
                "inputs/history, which is not there. Prepare the run again, or take `perfect`."
            )
        before = all_rows(weather, dt_s=self._dt_s, n_steps=n_steps)
        return before, empty if sun is None else all_rows(sun, dt_s=self._dt_s, n_steps=n_steps)


def _places(
    columns: Sequence[str], household_ids: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which homes have a column, and which one."""
    position = {name: index for index, name in enumerate(columns)}
    present = [home for home, name in enumerate(household_ids) if name in position]
    source = [position[household_ids[home]] for home in present]
    return np.array(present, dtype=np.int64), np.array(source, dtype=np.int64)
