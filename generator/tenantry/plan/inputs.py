"""Reads and resolves the input files of a fleet, and checks all rules that need no manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import Finding
from tenantry.inputs import fleet as fleets
from tenantry.inputs.fleet import Fleet
from tenantry.plan import check_plan
from tenantry.plan.exceptions import stops
from tenantry.resolve.instances import Resolution, resolve
from tenantry.runtime.cache import Store

_NOTHING: Mapping[str, str] = {}


@dataclass
class Inputs:
    """The fleet, its instances, and all findings."""

    fleet: Fleet
    resolution: Resolution
    findings: list[Finding]

    @property
    def usable(self) -> bool:
        """Whether the next stages can run: nothing is wrong but dates of single tenants."""
        return not stops(self.findings)


def read_inputs(root: Path, as_of: str, documents: Store, more: Mapping[str, str] = _NOTHING) -> Inputs:
    """Read, validate, resolve and check the input files; `more` are texts that replace files or add to them."""
    fleet, findings = fleets.load(root, documents, more)
    resolution = resolve(fleet)
    findings += resolution.findings
    if fleet.has_platform:
        findings += check_plan(fleet, resolution.instances, as_of)
    return Inputs(fleet, resolution, findings)
