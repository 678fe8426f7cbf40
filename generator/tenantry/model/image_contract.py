"""The kind ImageContract: platform/releases/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.model.release import ImageUser


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContract:
    """What images of Odoo are checked for before a release names them."""

    name: str
    odoo_version: str
    user: ImageUser
    modules: tuple[str, ...]
