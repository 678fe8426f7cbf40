"""Names, addresses and digests of the example fleet that a fleet of one's own must replace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tenantry.core import addresses
from tenantry.core.findings import Finding
from tenantry.inputs.paths import leaves
from tenantry.inputs.source import Document, Path_
from tenantry.plan.scope import Scope

_EXAMPLE_HOST = re.compile(
    r"(?<![\w.-])(?:(?:[a-z0-9-]+\.)+(?:example|test|invalid)|(?:[a-z0-9-]+\.)*example\.(?:com|net|org))(?![\w-]|\.\w)",
    re.ASCII,
)
"""Domains that belong to nobody: RFC 2606, sections 2 and 3."""
_EXAMPLE_RANGES = addresses.ranges(("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
"""Addresses for documentation: RFC 5737 and RFC 3849."""
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
DIGESTS = frozenset({
    "0f5f0c8f7b1d5d9c", "1d7cd2ee566d8fdd", "3a6d9c2f5b8e1d4a", "47fb00b4f523120b",
    "54eb4fac86f2ae03", "5b2d3f6a9c8e7d10", "8411185140462e42", "8d38aa7be573f51a",
    "7e2c5a8d1f4b6093", "9c4e1a7d3b6f8052", "c1f4a7d0b3e6c9f2",
})  # fmt: skip
"""Digests of the example fleet, as they begin. No image has them."""


def left(scope: Scope) -> Iterator[Finding]:
    """F031: what stands for a value of one's own, unless the platform says that the fleet is an example."""
    if scope.fleet.platform.example:
        return
    for (kind, _), document in sorted(scope.fleet.documents.items()):
        if kind != "Policy":
            yield from _in(document)


def _in(document: Document) -> Iterator[Finding]:
    spec: Mapping[str, object] = document.data["spec"]
    for path, value in leaves(spec):
        for place, text in _texts(path, value):
            found = _placeholder(text)
            if found:
                yield Finding("F031", document.place(("spec", *place)), found[0], found[1], "warning")


def _texts(path: Path_, value: object) -> Iterator[tuple[Path_, str]]:
    for step, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
        if isinstance(one, str):
            yield (path if step is None else (*path, step)), one


def _placeholder(text: str) -> tuple[str, str] | None:
    """What is made up in a text, and what to write."""
    host = _EXAMPLE_HOST.search(text)
    if host:
        return (
            f"'{host.group()}' is an example domain",
            "write your own; 'example: true' in platform.yaml keeps it as an example",
        )
    digest = _DIGEST.search(text)
    if digest and digest.group(1)[:16] in DIGESTS:
        return f"sha256:{digest.group(1)[:16]}... is a made-up digest", "write the digest of the image in your registry"
    network = addresses.read(text) if re.fullmatch(r"[0-9a-f.:]+/[0-9]{1,3}", text) else None
    if network and any(example.holds(network) for example in _EXAMPLE_RANGES):
        return f"{text} is an address for documentation", "write the range of the system itself"
    return None
