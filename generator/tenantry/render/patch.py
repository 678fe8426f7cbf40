"""What an overlay must change in its base, as JSON patches (RFC 6902).

For custom resources, whose lists Kustomize replaces in merge patches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.core.manifest import show_path


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


def field_named(wanted: Any, pointer: str) -> str:
    """The field that an operation's path addresses, with list entries by name: `spec.rules[HostDown].expr`."""
    shown, value = "", wanted
    for part in pointer.split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(step)]
            shown += f"[{_entry_name(value) or step}]"
        else:
            value = value.get(step)
            shown += f".{show_path((step,))}"
    return shown.removeprefix(".").replace(".[", "[")


def _entry_name(entry: Any) -> str:
    """What people call a list's entry; nothing for plain values and entries without a name."""
    names = (entry.get(key) for key in ("name", "alert", "record", "key", "type")) if isinstance(entry, Mapping) else ()
    return next((name for name in names if isinstance(name, str) and name.isprintable()), "")


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
