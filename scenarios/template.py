"""A commented scenario file and the JSON Schema, both made from the schema's descriptions."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from pydantic import BaseModel

from scenarios.loading import dump_yaml
from scenarios.schema import Scenario

_WIDTH = 98


def commented_scenario(scenario: Scenario) -> str:
    """Return a scenario as YAML with a comment above every setting.

    Trained policies are left out: they hold for one population, and templates are there to be
    edited.
    """
    rules = tuple(name for name in scenario.controllers if not name.startswith("policy:"))
    scenario = scenario.model_copy(update={"controllers": rules})
    header = "# Scenario for `gradmap run`. Every key is optional; what stands here is its value.\n"
    return header + "\n".join(_section(scenario, indent=0)) + "\n"


def _section(model: BaseModel, *, indent: int) -> list[str]:
    lines: list[str] = []
    pad = " " * indent
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if indent == 0 and isinstance(value, BaseModel):
            lines.append("")
        comment = f"{field.description or ''}{_choices(field.annotation)}"
        wrapped = textwrap.wrap(comment, _WIDTH - indent - 2)
        lines.extend(f"{pad}# {line}" for line in wrapped)
        if isinstance(value, BaseModel):
            lines.append(f"{pad}{name}:")
            lines.extend(_section(value, indent=indent + 2))
        else:
            lines.append(f"{pad}{name}: {_inline(model, name)}")
    return lines


def _choices(annotation: Any) -> str:
    """Return the allowed words of a Literal, if it is one."""
    words = getattr(annotation, "__args__", ())
    if words and all(isinstance(word, str) for word in words):
        return f" One of: {', '.join(words)}."
    return ""


def _inline(model: BaseModel, name: str) -> str:
    """Return one value as YAML on one line."""
    value = json.loads(model.model_dump_json(include={name}))[name]
    if name == "start":
        value = str(value).replace("T", " ").removesuffix(":00")
    return dump_yaml([value], flow=True).strip().removeprefix("[").removesuffix("]")


def json_schema() -> str:
    """Return the JSON Schema of a scenario file, for completion and checks in editors."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gradmap scenario"
    return json.dumps(schema, indent=2) + "\n"
