"""The kind Channel: platform/releases/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.model.common import EnvironmentName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseByEnvironment:
    """Release by environment."""

    production: str
    staging: str
    recovery: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A release that reaches production in waves, and the tenants that have it already."""

    release: str
    tenants: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Which release each environment runs; promoting a release changes one line here."""

    name: str
    description: str
    releases: ReleaseByEnvironment
    takes_new_tenants: bool = True
    rollout: Rollout | None = None
    canaries: tuple[str, ...] = ()
    """Tenants that get a release first; empty: the one with the fewest users."""
    waves: tuple[int, ...] = (25, 100)
    """Percent of the channel's tenants that have the release after each wave that follows the canaries."""

    def release_of(self, environment: EnvironmentName, tenant: str) -> str:
        """Name of the release that a tenant runs."""
        if environment == "production" and self.rollout is not None and tenant in self.rollout.tenants:
            return self.rollout.release
        name: str = getattr(self.releases, environment)
        return name
