"""YAML that means what it shows: JSON's numbers and words, everything else is text.

YAML 1.1 reads 18:30 as 1110 and `no` as false. Here they are text. No aliases, no tags, no key
twice, limited size and depth.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from federates.strict_yaml import LINE_BREAKS, PlainLoader

MAX_BYTES: Final = 262_144
MAX_NODES: Final = 5_000
MAX_DEPTH: Final = 12
_JSON_TAG: Final = "!json"
_JSON_SCALAR: Final = re.compile(
    r"^(?:true|false|null|-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,4})?)$"
)
_FIRST_CHARACTERS: Final = list("tfn-0123456789")
_QUOTED: Final = re.compile(f"{LINE_BREAKS.pattern}|^[0-9][0-9]:[0-9][0-9]$")


class _Loader(PlainLoader):
    """Reads JSON's scalars; everything else is text."""

    max_nodes = MAX_NODES
    max_depth = MAX_DEPTH

    def construct_json(self, node: yaml.ScalarNode) -> Any:
        """Construct a number, true, false or null."""
        return json.loads(str(node.value))


class _Dumper(yaml.SafeDumper):
    """Quotes what either YAML 1.1 or our loader would not read as text."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Escape line breaks of every alphabet, which YAML would fold; quote every clock."""
        style = '"' if _QUOTED.search(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def represent_json(self, value: bool | int | float | None) -> yaml.ScalarNode:
        """Write numbers and words as JSON does."""
        return self.represent_scalar(_JSON_TAG, json.dumps(value))

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal objects out each time."""
        return True


_Loader.add_implicit_resolver(_JSON_TAG, _JSON_SCALAR, _FIRST_CHARACTERS)
_Loader.add_constructor(_JSON_TAG, _Loader.construct_json)
_Dumper.add_representer(str, _Dumper.represent_text)
for _type in (bool, int, float, type(None)):
    _Dumper.add_representer(_type, _Dumper.represent_json)
_Dumper.yaml_implicit_resolvers = {
    # First match wins: ours comes before YAML 1.1's, which still make 18:30 and `no` quoted.
    first: [(_JSON_TAG, _JSON_SCALAR), *others]
    for first, others in _Dumper.yaml_implicit_resolvers.items()
}


def dump(data: Any) -> str:
    """Return mappings, lists, text and numbers as YAML that `load` reads back unchanged."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def load(text: str) -> Any:
    """Return the data of a YAML text.

    Raises:
        ValueError: It is too long, broken, or uses what is not accepted; says what and where.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise ValueError(f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as exc:
        raise ValueError(f"is not YAML as expected here: {exc}") from exc
