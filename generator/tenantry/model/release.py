"""The kind Release: platform/releases/*.yaml."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from tenantry.model.common import EnvironmentName


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUser:
    """User that Odoo runs as; it differs between official images."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Record of a test: where and when; who looked at the migration and the probes, and what they saw."""

    environment: EnvironmentName
    date: str
    by: str | None = None
    migration: Literal["passed", "failed"] | None = None
    probes: Literal["passed", "failed"] | None = None

    @property
    def passed(self) -> bool:
        """Whether somebody saw both pass."""
        return self.by is not None and self.migration == self.probes == "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An Odoo image by digest, with its modules and the environments in which it was tested."""

    name: str
    odoo_version: str
    image: str
    built: str
    user: ImageUser
    server_wide_modules: tuple[str, ...]
    modules: tuple[str, ...]
    storage_modules: tuple[str, ...]
    session_store_needs_scan: bool
    postgresql_majors: tuple[int, ...]
    proved: tuple[Proof, ...]
    addons_path: tuple[str, ...] = ()
    image_contract: str = ""
    """Of what the image was checked for; empty where it was not."""
    extended_support: str = ""
    """Last day (YYYY-MM-DD) of support beyond upstream's; empty where none is bought."""

    @property
    def counts_attachments(self) -> bool:
        """Whether Odoo counts reads of attachments that fail: by a module of images/odoo/addons."""
        return "monitoring_metrics" in self.server_wide_modules

    @property
    def marker(self) -> str:
        """Name of what a database is migrated to: it changes with the image and with the modules.

        Not with the name alone, or modules that are added to a release would never reach its tenants: Argo CD compares
        Deployments, which carry the marker, and not hooks.
        """
        content = "\n".join((self.image, *self.server_wide_modules, "", *self.storage_modules, "", *self.modules))
        return f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
