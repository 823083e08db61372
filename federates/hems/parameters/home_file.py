"""The file of a home: its parameters and where each came from, as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from pydantic import Field, ValidationError, model_validator

from federates.hems.parameters import strict_yaml
from federates.hems.parameters.devices import Section
from federates.hems.parameters.models import HomeParameters, values_of
from federates.hems.parameters.slot import Value
from federates.hems.parameters.slots import slot
from federates.hems.parameters.sources import Source
from federates.hems.parameters.stored import expectation
from gradmap.errors import ScenarioError

SCHEMA_VERSION: Final = 1
_SHOWN: Final = 60
_BY_KIND: Final = ("tariff", "heating", "hot_water")
_MAX_FAULTS: Final = 20


class HomeFile(Section):
    """A home and the source of every value in it."""

    schema_version: int = Field(
        ge=SCHEMA_VERSION, le=SCHEMA_VERSION, strict=True, description="Version of this format."
    )
    parameters: HomeParameters
    sources: dict[str, Source] = Field(description="By slot key, one for every value.")

    @model_validator(mode="after")
    def _every_value_has_a_source(self) -> Self:
        keys, known = set(values_of(self.parameters)), set(self.sources)
        if keys - known:
            raise ValueError(f"sources of {', '.join(sorted(keys - known))} are missing; add them")
        if known - keys:
            raise ValueError(f"sources {', '.join(sorted(known - keys))} have no value; drop them")
        return self

    @property
    def values(self) -> dict[str, Value]:
        """Return every value by slot key, in stored form and agenda order."""
        return values_of(self.parameters)


def validated(data: Any, *, name: str = "home") -> HomeFile:
    """Return a home file from plain data, as read from YAML or JSON.

    Args:
        data: Mappings, lists, text, numbers.
        name: How messages call it.

    Raises:
        ScenarioError: Something is missing, surplus or out of range; one line for each fault.
    """
    try:
        return HomeFile.model_validate(data)
    except ValidationError as exc:
        raise ScenarioError(explained(exc, name=name)) from exc


def explained(error: ValidationError, *, name: str) -> str:
    """Return a validation error in our words: key, value, expectation, remedy; one line each."""
    faults = error.errors(include_url=False)
    lines = [_line(fault) for fault in faults[:_MAX_FAULTS]]
    if len(faults) > _MAX_FAULTS:
        lines.append(f"and {len(faults) - _MAX_FAULTS} more")
    return "\n".join([f"{name} has {len(faults)} fault(s):", *(f"- {line}" for line in lines)])


def to_yaml(home: HomeFile) -> str:
    """Return a home file as YAML; the same home gives the same bytes."""
    data = home.model_dump(mode="json", exclude_none=True)
    order = list(home.values)
    data["sources"] = {
        key: {field: value for field, value in data["sources"][key].items() if value != ""}
        for key in order
    }
    return strict_yaml.dump(data)


def from_yaml(text: str, *, name: str = "home") -> HomeFile:
    """Return the home file of a YAML text.

    Raises:
        ScenarioError: It is not YAML, or not a home.
    """
    try:
        data = strict_yaml.load(text)
    except ValueError as exc:
        raise ScenarioError(f"{name} {exc}") from exc
    if not isinstance(data, Mapping):
        raise ScenarioError(
            f"{name} is {type(data).__name__}, expected a mapping with schema_version, parameters "
            f"and sources; write it with `home_file.write`"
        )
    return validated(data, name=name)


def write(home: HomeFile, *, path: Path) -> None:
    """Write a home file; an existing one is replaced."""
    path.write_text(to_yaml(home), encoding="utf-8", newline="\n")


def read(path: Path) -> HomeFile:
    """Return the home file at a path.

    Raises:
        ScenarioError: It cannot be read, is not text, or is not a home.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(strict_yaml.MAX_BYTES + 1)
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"{path} cannot be read as UTF-8 text: {exc}") from exc
    return from_yaml(text, name=str(path))


def _line(fault: Any) -> str:
    """Return one fault in words."""
    key, kind, given = (
        _slot_key([str(part) for part in fault["loc"]]),
        fault["type"],
        fault["input"],
    )
    if kind.startswith("union_tag"):
        key = f"{key}.kind"
        kind = "missing" if kind == "union_tag_not_found" else kind
        given = given.get("kind") if isinstance(given, Mapping) else given
    if kind == "value_error":
        said = str(fault["ctx"]["error"])
        return said if key == "parameters" or not key else f"`{key}` {said}"
    expected = _expected(key, kind=kind, message=fault["msg"])
    match kind:
        case "missing":
            return f"`{key}` is missing; add {expected}"
        case "extra_forbidden":
            return f"`{key}` is not known here; remove it or check the spelling"
        case _:
            shown = repr(given)
            shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
            return f"`{key}` is {shown}, expected {expected}; correct it"


def _expected(key: str, *, kind: str, message: str) -> str:
    """Return what belongs at a key."""
    if key == "schema_version":
        return str(SCHEMA_VERSION)
    try:
        return expectation(slot(key))
    except ScenarioError:
        nested = kind in ("missing", "dict_type") or kind.startswith("model_")
        return "a mapping" if nested else message.removeprefix("Input should be ")


def _slot_key(place: list[str]) -> str:
    """Return the slot key of a place in a home file; cars are numbered from 1."""
    if place[:1] == ["parameters"] and len(place) > 1:
        place = place[1:]
    if place[:1] == ["evs"] and len(place) > 1 and place[1].isdigit():
        place = ["evs", str(int(place[1]) + 1), *place[2:]]
    if len(place) > 2 and place[0] in _BY_KIND:
        place = [place[0], *place[2:]]
    return ".".join(place)
