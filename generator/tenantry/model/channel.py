"""The kind Channel: platform/releases/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseByEnvironment:
    """Release by environment."""

    production: str
    staging: str
    recovery: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Which release each environment runs; promoting a release changes one line here."""

    name: str
    description: str
    releases: ReleaseByEnvironment
    takes_new_tenants: bool = True
