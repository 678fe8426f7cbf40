"""How values are written: without quotes where every YAML parser reads the same text, else in double quotes."""

from __future__ import annotations

import json
import re
from typing import Any

from tenantry.inputs.source import ambiguity, plain_value

_SPECIAL = re.compile(r"""[-?:,\[\]{}#&*!|>'"%@`\s]|\.\.\.""")
"""What means something at the start of an unquoted scalar."""
_INSIDE = re.compile(r":\s|:$|\s#|\s$|[\t\n\r]")
_INSIDE_FLOW = re.compile(r"[,\[\]{}?]|:$|:[,\[\]{}]")


def text_of(value: str, *, flow: bool = False) -> str:
    """Text as a scalar, in a flow collection or outside of one."""
    plain = (
        value != ""
        and isinstance(plain_value(value), str)
        and not ambiguity(value)
        and not _SPECIAL.match(value)
        and not _INSIDE.search(value)
        and not (flow and _INSIDE_FLOW.search(value))
    )
    return value if plain else json.dumps(value, ensure_ascii=False)


def flow_of(value: Any, *, inside: bool = False) -> str:
    """Any plain data on one line; `inside` another flow collection or at the end of a line."""
    if isinstance(value, dict):
        pairs = (f"{text_of(str(key), flow=True)}: {flow_of(one, inside=True)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow_of(one, inside=True) for one in value)}]"
    return text_of(value, flow=inside) if isinstance(value, str) else json.dumps(value)
