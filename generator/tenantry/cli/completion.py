"""What a shell can complete: names of entries, and codes and controls, by the files that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from tenantry.runtime.workspace import find_fleet

Complete = Callable[[click.Context, click.Parameter, str], list[str]]
_FOLDERS: Mapping[str, str] = {
    "Tenant": "tenants", "Tier": "tiers", "Cell": "platform/cells", "Cluster": "platform/clusters", "Channel": "platform/releases",
    "Release": "platform/releases", "ImageContract": "platform/releases",
}  # fmt: skip
_HEAD = 2048
"""Bytes of a file in which its kind stands; releases and channels share a folder."""


def names(*kinds: str, known: Callable[[], Iterator[str]] = lambda: iter(())) -> Complete:
    """Entries of these kinds in the fleet that the command line names so far, and what is `known` besides."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        root = _root(context)
        found = {name for kind in kinds for name in _entries(root, kind)} | set(known())
        return sorted(name for name in found if name.startswith(incomplete))

    return complete


def codes_and_controls() -> Iterator[str]:
    """What `explain` tells of besides entries."""
    from tenantry.core.codes import CODES_BY_ID
    from tenantry.core.controls import CONTROLS

    yield from CODES_BY_ID
    yield from CONTROLS


def of_incidents() -> Iterator[str]:
    """What there are runbooks for."""
    from tenantry.runbook.registration import incidents

    yield from incidents()


def _root(context: click.Context) -> Path:
    given = next((c.params["directory"] for c in _and_parents(context) if c.params.get("directory")), None)
    here = Path(given) if given else Path.cwd()
    return here if given else find_fleet(here) or here


def _and_parents(context: click.Context | None) -> Iterator[click.Context]:
    while context is not None:
        yield context
        context = context.parent


def _entries(root: Path, kind: str) -> Iterator[str]:
    try:
        for path in (root / _FOLDERS[kind]).glob("*.yaml"):
            with path.open(encoding="utf-8", errors="replace") as file:
                if re.search(rf"^kind: {kind}\b", file.read(_HEAD), re.MULTILINE):
                    yield path.stem
    except OSError:
        return
