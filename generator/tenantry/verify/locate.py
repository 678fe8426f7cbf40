"""Finds the line of a field in a file of manifests. Files are read again only for the objects that have problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import yaml

from tenantry.core.findings import Place
from tenantry.core.manifest import Manifest, Path

Content = Callable[[str], str]
"""File below the root -> its text."""


_MOST = 100_000
"""Lines, commas and colons of a text in which fields are looked for."""


class Locator:
    """Places of fields; keeps the parsed files that were asked for last."""

    def __init__(self, content: Content) -> None:
        self._documents = lru_cache(maxsize=4)(lambda file: documents(content(file)))

    def place(self, manifest: Manifest, path: Path) -> Place:
        """The field's key, or that of the nearest field around it that is there."""
        documents = self._documents(manifest.file)
        if manifest.document >= len(documents):
            return Place(manifest.file, manifest.line, 1)
        node: yaml.Node = documents[manifest.document]
        mark = node.start_mark
        for step in (*(part for index in manifest.items for part in ("items", index)), *path):
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
        return Place(manifest.file, mark.line + 1, mark.column + 1)


_DEEPEST = 1000
"""Levels that are followed; the parser written in C would use up the stack of the process on many more."""


def documents(text: str) -> list[yaml.Node]:
    """The documents of a text with their marks; none when it is very long or can't be read."""
    if sum(map(text.count, ("\n", ",", ":"))) > _MOST:
        return []  # a node takes a KiB; the document's own line must do
    try:
        return compose(text)
    except (yaml.YAMLError, RecursionError):
        return []  # the engine's parser is more lenient; the document's own line must do


def compose(text: str) -> list[yaml.Node]:
    """The documents of a text as nodes. Raises YAMLError for what is no YAML or nested too deep, RecursionError."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"nested deeper than {_DEEPEST} levels")
    return list(yaml.compose_all(text, yaml.CSafeLoader))


def children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Mark, yaml.Node]]:
    """(key or index, where it begins, value) of what a mapping or a list holds."""
    if isinstance(node, yaml.MappingNode):
        keys = ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))
        yield from ((key.value, key.start_mark, value) for key, value in keys)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((index, value.start_mark, value) for index, value in enumerate(node.value))


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode):
        inside = isinstance(step, int) and 0 <= step < len(node.value)
        return (node.value[step].start_mark, node.value[step]) if inside else None
    wanted = str(step)  # a key may look like an index
    return next(((mark, value) for name, mark, value in children(node) if name == wanted), None)
