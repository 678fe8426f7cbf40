"""What an overlay must change in its base, as JSON patches (RFC 6902).

Kustomize replaces lists of custom resources in merge patches, so merge patches are not used for changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def operations(base: Any, wanted: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """The operations that turn `base` into `wanted`, in an order in which each one applies."""
    if isinstance(base, Mapping) and isinstance(wanted, Mapping):
        for key in sorted(base.keys() | wanted.keys()):
            here = f"{path}/{_escape(key)}"
            if key not in wanted:
                yield {"op": "remove", "path": here}
            elif key not in base:
                yield {"op": "add", "path": here, "value": wanted[key]}
            else:
                yield from operations(base[key], wanted[key], here)
    elif isinstance(base, list) and isinstance(wanted, list) and len(base) == len(wanted):
        for index, (old, new) in enumerate(zip(base, wanted, strict=True)):
            yield from operations(old, new, f"{path}/{index}")
    elif type(base) is not type(wanted) or base != wanted:
        yield {"op": "replace", "path": path, "value": wanted}


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
