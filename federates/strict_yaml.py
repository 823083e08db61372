"""YAML without surprises: plain values only, keys that are text and stand once, limited size."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

# Line breaks of every alphabet: a dumper that does not escape them has YAML fold them into spaces.
LINE_BREAKS = re.compile("[\\n\\r\\x85\\u2028\\u2029]")


class PlainLoader(yaml.SafeLoader):
    """A safe loader with neither aliases nor tags, to be given its own scalars and limits.

    Raises:
        yaml.YAMLError: The text is broken or uses what is not accepted; says what and where.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    max_nodes: ClassVar[int] = 20_000
    max_depth: ClassVar[int] = 100
    n_nodes = 0
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node that is plain, and neither too deep nor one too many."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.n_nodes += 1
        self.depth += 1
        fault = ""
        if isinstance(event, yaml.AliasEvent):
            fault = "aliases (*name) are not accepted; write the value out"
        elif event.tag not in (None, "!"):
            fault = f"tags ({event.tag}) are not accepted; leave it out"
        elif self.n_nodes > self.max_nodes or self.depth > self.max_depth:
            fault = f"more than {self.max_nodes} values or {self.max_depth} levels"
        if fault:
            raise yaml.composer.ComposerError(None, None, fault, event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping whose keys are text and stand once."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in seen:
                fault = "stands twice" if isinstance(key, str) else "is not text"
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} {fault}", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)
