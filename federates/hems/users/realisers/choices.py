"""Choices and sets of choices in household words, menu numbers, yes and no."""

from __future__ import annotations

from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.base import Realiser, Said, Setting

CHOICE = frozenset({"choice"})
CHOICES = frozenset({"choices"})
_AZIMUTH = ("pv.azimuth",)
_POINTS = ["north", "north_east", "east", "south_east", "south", "south_west", "west", "north_west"]

NAMES: dict[str, list[str]] = {
    "heat_pump": ["heat pump", "air source heat pump", "ASHP"],
    "battery": ["battery", "home battery", "storage battery"],
    "pv": ["solar panels", "solar", "PV", "panels on the roof"],
    "ev": ["electric car", "EV", "plug-in car"],
    "hot_water_tank": ["hot water tank", "hot water cylinder", "tank"],
    "washing_machine": ["washing machine", "washer"],
    "dryer": ["tumble dryer", "dryer"],
    "dishwasher": ["dishwasher"],
    "generator": ["generator", "backup generator"],
}
"""What devices are called; the first name is the plainest."""
_EXPERT_ONLY = frozenset({"ASHP", "PV"})


def device_name(device: str, setting: Setting) -> str:
    """One of the names the householder has for a device."""
    names = NAMES.get(device, [device.replace("_", " ")])
    if setting.level != "expert":
        names = [name for name in names if name not in _EXPERT_ONLY]
    return setting.pick(names)


def _with_article(device: str, setting: Setting) -> str:
    name = device_name(device, setting)
    if name.endswith("panels") or name in {"solar", "PV", "panels on the roof"}:
        return name
    return f"{'an' if name[0].lower() in 'aeo' or name in {'EV'} else 'a'} {name}"


def _articles(value: SlotValue, setting: Setting) -> Said | None:
    return _listed([_with_article(device, setting) for device in value], value)


def _plain(value: SlotValue, setting: Setting) -> Said | None:
    return _listed([device_name(device, setting) for device in value], value)


def _definite(value: SlotValue, setting: Setting) -> Said | None:
    return _listed([f"the {device_name(device, setting)}" for device in value], value)


def _listed(names: list[str], value: SlotValue) -> Said | None:
    if not names:
        return None
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return Said(text, tuple(value))


def _commas(value: SlotValue, setting: Setting) -> Said | None:
    names = [device_name(device, setting) for device in value]
    return Said(setting.pick([", ", "; ", " + "]).join(names), tuple(value)) if names else None


def _choice(value: SlotValue, _: Setting) -> Said:
    return Said(str(value).replace("_", " "), value)


def _compass_short(value: SlotValue, setting: Setting) -> Said:
    text = "".join(word[0] for word in str(value).split("_")).upper()
    return Said(setting.pick([text, f"{text}-facing"]), value)


def _compass(value: SlotValue, setting: Setting) -> Said:
    joint = setting.pick(["", "-", " "])
    return Said(str(value).replace("_", joint), value)


def _bearing(value: SlotValue, setting: Setting) -> Said:
    degrees = _POINTS.index(str(value)) * 45
    return Said(f"{degrees}{setting.pick([' degrees', '°', ' deg from north'])}", value)


CHOICE_REALISERS = (
    Realiser("choice", _choice, CHOICE),
    Realiser("compass", _compass, CHOICE, _AZIMUTH),
    Realiser("compass_short", _compass_short, CHOICE, _AZIMUTH),
    Realiser("bearing", _bearing, CHOICE, _AZIMUTH),
    Realiser("devices_articles", _articles, CHOICES),
    Realiser("devices_plain", _plain, CHOICES),
    Realiser("devices_definite", _definite, CHOICES),
    Realiser("devices_commas", _commas, CHOICES),
)
