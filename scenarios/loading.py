"""Read and write scenario files: strict YAML in, every finding in one clear error out."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from federates.strict_yaml import LINE_BREAKS, PlainLoader
from gradmap.errors import ScenarioError
from scenarios.schema import Scenario

MAX_FILE_BYTES = 1_000_000
BUNDLED_FOLDER = Path(__file__).parent
_POLICY_FILE = "policy.json"
"""In every folder of trained policies."""

# YAML 1.1 reads 18:30 as 1110, `no` as False and 1e3 as a string. Only these patterns, those of
# YAML 1.2's core schema, become something other than text.
_RESOLVERS = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)


class _StrictLoader(PlainLoader):
    """Reads YAML 1.2's scalars; everything else is text."""

    def construct_plain_float(self, node: yaml.ScalarNode) -> float:
        return float(str(node.value).lower().replace(".inf", "inf").replace(".nan", "nan"))


for _tag, _pattern, _first in _RESOLVERS:
    _StrictLoader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _StrictLoader.construct_plain_float)


class _Dumper(yaml.SafeDumper):
    """Quotes what either YAML 1.1 or our loader would not read as text, such as 1e3."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Escape line breaks of every alphabet, which YAML would fold into spaces."""
        style = '"' if LINE_BREAKS.search(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)

for _tag, _pattern, _first in _RESOLVERS:
    _Dumper.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def dump_yaml(data: Any, *, flow: bool = False) -> str:
    """Return data as YAML that `load_scenario` reads back unchanged.

    Args:
        data: Mappings, lists, text, numbers.
        flow: All on one line.
    """
    return yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=flow,
        width=100_000 if flow else None,
    )


def read_yaml(text: str, *, where: str) -> Any:
    """Return strict YAML as plain values.

    Args:
        text: YAML 1.2's scalars: 4e-2 is a number, `no` and 18:30 are text.
        where: What it is, for the message.

    Raises:
        ScenarioError: It is not YAML.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # a SafeLoader with less in it
    except RecursionError as exc:
        raise ScenarioError(f"{where}: not valid YAML: nested too deeply.") from exc
    except (yaml.YAMLError, ValueError) as exc:  # ValueError: a number of thousands of digits
        raise ScenarioError(f"{where}: not valid YAML: {exc}") from exc


def bundled_scenarios() -> dict[str, Path]:
    """Return the scenarios that ship with the package, by name."""
    return {path.stem: path for path in sorted(BUNDLED_FOLDER.glob("*.yaml"))}


def find_scenario(name_or_path: str) -> Path:
    """Return the file of a bundled scenario's name, or the path itself."""
    bundled = bundled_scenarios()
    if name_or_path in bundled:
        return bundled[name_or_path]
    path = Path(name_or_path)
    if _exists(path) and not path.is_dir():
        return path
    raise ScenarioError(
        f"Scenario {name_or_path!r}: no such file, nor a bundled scenario "
        f"({', '.join(bundled)}). Write one with `gradmap init my.yaml`."
    )


def load_scenario(path: Path, *, check_files: bool = True) -> Scenario:
    """Read a scenario file; relative paths inside it are relative to the file.

    Args:
        path: The file.
        check_files: Whether the files it names must exist. Reading the results of a finished run
            does not need them.

    Raises:
        ScenarioError: The file cannot be read, is not YAML, or holds wrong settings; the message
            lists every finding with its key.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ScenarioError(
                f"Scenario {path}: larger than {MAX_FILE_BYTES} bytes; series belong into "
                f"CSV or Parquet files that the scenario names."
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"Scenario {path}: cannot be read as text: {exc}.") from exc
    data = read_yaml(text, where=f"Scenario {path}")
    if not isinstance(data, dict):
        raise ScenarioError(
            f"Scenario {path}: holds {type(data).__name__}, expected `key: value` lines. "
            f"`gradmap init my.yaml` writes a commented example."
        )
    return parse_scenario(data, origin=path, check_files=check_files)


def parse_scenario(data: dict[str, Any], *, origin: Path, check_files: bool = True) -> Scenario:
    """Check a scenario's data; `origin` names it in errors and anchors relative paths."""
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as exc:
        findings = "\n  ".join(_finding(item) for item in exc.errors(include_url=False))
        raise ScenarioError(f"Scenario {origin}:\n  {findings}") from exc
    anchored: Scenario = _anchor(scenario, origin.resolve().parent, check_files=check_files)
    return anchored


def _finding(item: Any) -> str:
    """Return one finding: key, value, what was expected, and the nearest valid key."""
    where = ".".join(str(part) for part in item["loc"]) or "(file)"
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(item["loc"][-1]), _keys_at(item["loc"][:-1]), n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        return f"`{where}`: unknown key.{hint}"
    message = item["msg"].removeprefix("Value error, ")
    if isinstance(item["input"], dict):  # the settings do not fit each other
        return f"`{where}`: {message}"
    shown = repr(item["input"])
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return f"`{where}` is {shown}: {message}"


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    model: Any = Scenario
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            return []
        model = field.annotation
        if get_origin(model) in (Union, UnionType):
            model = next(m for m in get_args(model) if m is not type(None))
    return (
        list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
    )


def _anchor(model: Any, folder: Path, *, check_files: bool) -> Any:
    """Make the relative paths of a section absolute; refuse those that lead nowhere if asked."""
    updates: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            updates[name] = _anchor(value, folder, check_files=check_files)
        elif isinstance(value, Path):
            path = value if value.is_absolute() else folder / value
            if check_files and not _exists(path):
                raise ScenarioError(
                    f"`{name}` names {value}, which does not exist (looked in {folder}). "
                    f"Paths in a scenario are relative to its file."
                )
            updates[name] = path
        elif name == "source" and value.lower().endswith(".dss"):
            path = Path(value)
            updates[name] = str(path if path.is_absolute() else folder / path)
        elif name == "controllers":
            updates[name] = tuple(_anchor_policy(item, folder) for item in value)
    return model.model_copy(update=updates)


def _exists(path: Path) -> bool:
    """Whether a path leads somewhere; one that is too long or not allowed does not."""
    try:
        return path.exists()
    except OSError:
        return False


def _anchor_policy(controller: str, folder: Path) -> str:
    """Return a controller with its policy's folder: beside the file, or of a bundled name."""
    kind, _, where = controller.partition(":")
    if not where or Path(where).is_absolute():
        return controller
    bundled = bundled_policies()
    if where in bundled and not _exists(folder / where):
        return f"{kind}:{bundled[where]}"
    return f"{kind}:{folder / where}"


def bundled_policies() -> dict[str, Path]:
    """Return the trained policies that ship with the package, by name."""
    folders = sorted((BUNDLED_FOLDER / "policies").glob(f"*/{_POLICY_FILE}"))
    return {path.parent.name: path.parent for path in folders}


def find_policy(name: str) -> Path:
    """Return the folder of trained policies: one with policies in it, or that of a bundled name."""
    folder, bundled = Path(name), bundled_policies()
    if name in bundled and not _exists(folder / _POLICY_FILE):
        return bundled[name]
    return folder


def dump_scenario(scenario: Scenario, path: Path) -> None:
    """Write a resolved scenario, every setting stated."""
    data = json.loads(scenario.model_dump_json())
    path.write_text(dump_yaml(data), encoding="utf-8")


def config_hash(scenario: Scenario) -> str:
    """Return a short hash of every setting that can change a result."""
    return hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()[:16]
