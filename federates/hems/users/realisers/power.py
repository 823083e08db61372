"""Power and energy: kW, watts, amps, panels; and the "10 kW battery" of daily speech."""

from __future__ import annotations

from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.base import (
    Realiser,
    Said,
    Setting,
    in_words,
    number,
    whole_in_words,
    with_half,
)

POWER = frozenset({"power_kw"})
ENERGY = frozenset({"energy_kwh"})
_EUROPE_V, _US_V = 230, 240
_PLUG_RATINGS_A = (10, 13, 16, 20, 25, 30, 32, 40, 48)
_PANELS_W = (280, 300, 330, 350, 380, 400, 410, 415, 420, 440)


def _digits(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick([" kW", "kW", " kw", "kw", " KW"]), value)


def _kilowatts(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick([" kilowatts", " kilowatt", " kilo-watts"]), value)


def _words(value: SlotValue, _: Setting) -> Said:
    return Said(f"{in_words(value)} kilowatts", value)


def _halves(value: SlotValue, _: Setting) -> Said | None:
    text = with_half(round(value * 2) / 2)
    if text is None:
        return None
    unit = "a kilowatt" if text == "half" else "kilowatts"
    return Said(f"{text} {unit}", round(value * 2) / 2)


def _watts(value: SlotValue, setting: Setting) -> Said:
    watts = round(value * 1000)
    grouped = f"{watts:,}" if setting.rng.integers(3) == 0 and watts >= 1000 else str(watts)
    return Said(grouped + setting.pick([" W", "W", " watts", " watt", "w"]), watts / 1000)


def _watts_words(value: SlotValue, _: Setting) -> Said:
    watts = round(value * 20) * 50
    return Said(f"{whole_in_words(watts)} watts", watts / 1000)


def _bare(value: SlotValue, _: Setting) -> Said:
    return Said(number(value), value)


def _bare_words(value: SlotValue, _: Setting) -> Said:
    return Said(in_words(value), value)


def _comma(value: SlotValue, setting: Setting) -> Said | None:
    if value == int(value) or not setting.writes_commas:
        return None
    return Said(f"{number(value).replace('.', ',')} kW", value)


def _approximate(value: SlotValue, setting: Setting) -> Said:
    rounded = round(value * 2) / 2 or value
    around = setting.pick(["about ", "around ", "roughly ", "something like ", "~", "ca. "])
    return Said(f"{around}{number(rounded)} kW", rounded, vague=True)


def _slang(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick(["k", " k", " kays"]), value, vague=True)


def _nearest_rating(value_kw: float, volts: int) -> tuple[int, float]:
    amps = min(_PLUG_RATINGS_A, key=lambda rating: abs(rating * volts / 1000 - value_kw))
    return amps, amps * volts / 1000


def _amps(value: SlotValue, setting: Setting) -> Said:
    amps, kw = _nearest_rating(value, _US_V if setting.locale == "en-US" else _EUROPE_V)
    return Said(f"{amps}{setting.pick([' amps', ' amp', 'A', ' A', '-amp'])}", kw, vague=True)


def _amps_volts(value: SlotValue, setting: Setting) -> Said:
    volts = _US_V if setting.locale == "en-US" else _EUROPE_V
    amps, kw = _nearest_rating(value, volts)
    form = setting.pick(["{a} A at {v} V", "{v}V {a}A", "{a} amps x {v} volts", "{a}A/{v}V"])
    return Said(form.format(a=amps, v=volts), kw)


def _panels(value: SlotValue, setting: Setting) -> Said | None:
    pairs = [
        (round(value * 1000 / watts), watts)
        for watts in _PANELS_W
        if abs(round(value * 1000 / watts) * watts / 1000 / value - 1) < 0.02
    ]
    if not pairs:
        return None
    count, watts = pairs[int(setting.rng.integers(len(pairs)))]
    forms = [
        f"{count} panels of {watts} W",
        f"{count} x {watts}W panels",
        f"{whole_in_words(count)} panels, {watts} watts each",
        f"{count} panels at {watts} watt a piece",
        f"{whole_in_words(count)} {watts}-watt panels",
    ]
    return Said(setting.pick(forms), count * watts / 1000)


def _peak(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick([" kWp", "kWp", " kwp", " kW peak"]), value)


def _kwh(value: SlotValue, setting: Setting) -> Said:
    units = [" kWh", "kWh", " kwh", " KWH", " kWhs", " kilowatt hours", " kilowatt-hours"]
    return Said(number(value) + setting.pick(units), value)


def _kwh_words(value: SlotValue, setting: Setting) -> Said:
    return Said(f"{in_words(value)} {setting.pick(['kilowatt hours', 'kilowatt-hours'])}", value)


def _kwh_comma(value: SlotValue, setting: Setting) -> Said | None:
    if value == int(value) or not setting.writes_commas:
        return None
    return Said(number(value).replace(".", ",") + " kWh", value)


def _watt_hours(value: SlotValue, setting: Setting) -> Said:
    watt_hours = round(value * 1000)
    return Said(f"{watt_hours}{setting.pick([' Wh', 'Wh', ' watt hours'])}", watt_hours / 1000)


def _amp_hours(value: SlotValue, setting: Setting) -> Said:
    amp_hours = max(10, round(value * 1000 / 48 / 10) * 10)
    form = setting.pick(["{a} Ah at 48 V", "{a}Ah 48V", "48 volts, {a} amp hours"])
    return Said(form.format(a=amp_hours), amp_hours * 48 / 1000)


def _kwh_approximate(value: SlotValue, setting: Setting) -> Said:
    rounded = round(value) or value
    around = setting.pick(["about ", "around ", "roughly ", "just over ", "a little under ", "~"])
    return Said(f"{around}{number(rounded)} kWh", rounded, vague=True)


def _kwh_as_kw(value: SlotValue, setting: Setting) -> Said:
    units = [" kW", "kw", " kilowatts", " kilowatt", " kW per hour"]
    return Said(number(value) + setting.pick(units), value, vague=True)


POWER_REALISERS = (
    Realiser("kw", _digits, POWER),
    Realiser("kilowatts", _kilowatts, POWER),
    Realiser("kw_words", _words, POWER),
    Realiser("kw_halves", _halves, POWER),
    Realiser("kw_comma", _comma, POWER),
    Realiser("kw_about", _approximate, POWER),
    Realiser("kw_slang", _slang, POWER),
    Realiser("watts", _watts, POWER),
    Realiser("watts_words", _watts_words, POWER),
    Realiser("power_bare", _bare, POWER),
    Realiser("power_bare_words", _bare_words, POWER),
    Realiser("amps", _amps, POWER, ("evs.*.charger_kw",)),
    Realiser(
        "amps_volts", _amps_volts, POWER, ("evs.*.charger_kw", "household.*", "hot_water.power_kw")
    ),
    Realiser("panels", _panels, POWER, ("pv.peak_kw",)),
    Realiser("kw_peak", _peak, POWER, ("pv.peak_kw",)),
    Realiser("kwh", _kwh, ENERGY),
    Realiser("kwh_words", _kwh_words, ENERGY),
    Realiser("kwh_comma", _kwh_comma, ENERGY),
    Realiser("kwh_about", _kwh_approximate, ENERGY),
    Realiser("watt_hours", _watt_hours, ENERGY),
    Realiser("amp_hours", _amp_hours, ENERGY, ("battery.capacity_kwh",)),
    Realiser("energy_bare", _bare, ENERGY),
    Realiser("energy_bare_words", _bare_words, ENERGY),
    Realiser("kwh_as_kw", _kwh_as_kw, ENERGY),
)
