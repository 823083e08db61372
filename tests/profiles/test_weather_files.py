from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.profiles.weather import weather_source
from scenarios.schema_series import TimeSettings, WeatherSettings

EPW_COLUMNS = 35


def _run(path, *, start="2025-06-01 00:00", days=1, step_min=15):
    clock = Clock.from_settings(TimeSettings(start=start, days=days, step_min=step_min))
    source = weather_source(WeatherSettings(file=path), clock=clock, seed=1, split="scenario")
    return clock, [source.block(block) for block in clock.blocks()]


def _hours():
    """Temperature = day of the year + hour/100; a plain sun from 6 to 18 h local standard time."""
    hour = np.tile(np.arange(24), 365)
    temp = np.repeat(np.arange(365) % 40, 24) + hour / 100
    ghi = np.where((hour >= 6) & (hour < 18), 400.0, 0.0)
    return temp, ghi


def _write_epw(path, *, rows=8760, bad_temp_row=None):
    head = ["LOCATION,Testtown,-,GBR,TMY,1,51.5,-0.1,0.0,20.0"] + ["X"] * 7
    index = pd.date_range("2001-01-01", periods=rows, freq="h")
    temp, ghi = _hours()
    lines = []
    for row, moment in enumerate(index):
        cells = ["0"] * EPW_COLUMNS
        cells[:5] = [
            str(1990 + moment.month),
            str(moment.month),
            str(moment.day),
            str(moment.hour + 1),
            "60",
        ]
        cells[5] = "?9"
        cells[6] = "99.9" if row == bad_temp_row else f"{temp[row]:.2f}"
        cells[13], cells[14], cells[15] = f"{ghi[row]:.0f}", "300", f"{ghi[row] / 4:.0f}"
        lines.append(",".join(cells))
    path.write_text("\n".join(head + lines) + "\n")
    return path


def test_epw_hours_fall_on_local_standard_time(tmp_path):
    clock, (weather,) = _run(_write_epw(tmp_path / "a.epw"), step_min=60)
    # 1 June is day 151; 01:00 British summer time is 00:00 standard time.
    assert weather.temp_out_c[1] == pytest.approx(151 % 40)
    assert weather.temp_out_c[13] == pytest.approx(151 % 40 + 0.12)
    assert weather.ghi_w_per_m2[6] == 0
    assert weather.ghi_w_per_m2[7] == 400
    np.testing.assert_allclose(weather.dhi_w_per_m2[12], 100, atol=1e-6)
    assert clock.hour[7] == 7


def test_hourly_irradiance_keeps_its_energy_at_quarter_hours(tmp_path):
    _, (weather,) = _run(_write_epw(tmp_path / "a.epw"))
    hourly = weather.ghi_w_per_m2.reshape(24, 4).mean(axis=1)
    np.testing.assert_allclose(hourly[9:18], 400, rtol=1e-9)
    assert np.diff(weather.ghi_w_per_m2[36:40]).min() > 0  # rises within the morning hour


def test_29_february_takes_the_day_before(tmp_path):
    path = _write_epw(tmp_path / "a.epw")
    _, (leap,) = _run(path, start="2024-02-29 00:00", step_min=60)
    _, (before,) = _run(path, start="2024-02-28 00:00", step_min=60)
    np.testing.assert_allclose(leap.temp_out_c, before.temp_out_c)


def test_an_incomplete_year_and_missing_values_are_refused(tmp_path):
    with pytest.raises(ScenarioError, match=r"100 rows, expected 8760 hours"):
        _run(_write_epw(tmp_path / "a.epw", rows=100))
    with pytest.raises(ScenarioError, match=r"'temp_out_c' is 99\.9 in data row 51 .*at most 60"):
        _run(_write_epw(tmp_path / "b.epw", bad_temp_row=50))


def test_a_broken_epw_is_one_clear_error(tmp_path):
    path = tmp_path / "a.epw"
    path.write_text("nothing of the kind\n")
    with pytest.raises(ScenarioError, match=r"a\.epw: pvlib cannot read it .*EPW or TMY3"):
        _run(path)


def test_tmy3_is_recognised_by_its_header(tmp_path):
    temp, ghi = _hours()
    head = '722780,"TESTTOWN",GB,0.0,51.500,-0.100,20\n'
    index = pd.date_range("1995-01-01", periods=8760, freq="h")
    names = ["Date (MM/DD/YYYY)", "Time (HH:MM)", "GHI (W/m^2)", "DHI (W/m^2)", "Dry-bulb (C)"]
    rows = [
        f"{t:%m/%d/%Y},{t.hour + 1:02d}:00,{g:.0f},{g / 4:.0f},{c:.2f}"
        for t, g, c in zip(index, ghi, temp, strict=True)
    ]
    path = tmp_path / "tmy3.csv"
    path.write_text(head + ",".join(names) + "\n" + "\n".join(rows) + "\n")
    _, (weather,) = _run(path, step_min=60)
    assert weather.temp_out_c[1] == pytest.approx(151 % 40)
    assert weather.ghi_w_per_m2[7] == 400


def test_named_columns_at_our_step_come_back_unchanged(write_series):
    temp, ghi = np.linspace(-5, 5, 96), np.linspace(0, 600, 96)
    path = write_series({"temp_out_c": temp, "ghi_w_per_m2": ghi})
    _, (weather,) = _run(path)
    np.testing.assert_allclose(weather.temp_out_c, temp)
    np.testing.assert_allclose(weather.ghi_w_per_m2, ghi)


def test_finer_named_columns_are_averaged(write_series):
    temp, ghi = np.linspace(-5, 5, 1440), np.linspace(0, 600, 1440)
    path = write_series({"temp_out_c": temp, "ghi_w_per_m2": ghi}, step_s=60)
    _, (weather,) = _run(path)
    np.testing.assert_allclose(weather.temp_out_c, temp.reshape(96, 15).mean(axis=1))


def test_named_columns_without_irradiance_or_with_surprises_are_refused(write_series):
    path = write_series({"temp_out_c": np.ones(96), "ghi": np.ones(96)})
    with pytest.raises(ScenarioError, match=r"no column `ghi_w_per_m2`; column 'ghi' is not"):
        _run(path)


def test_a_missing_weather_file_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"Weather file .*gone\.epw: no such file"):
        _run(tmp_path / "gone.epw")
