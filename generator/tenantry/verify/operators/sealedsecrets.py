"""Sealed Secrets: the controller decrypts each into a Secret of its name."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest
from tenantry.verify.registration import Keys, makes_secrets


@makes_secrets("bitnami.com", "SealedSecret")
def unsealed(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """Its keys are encrypted along with their values' owners, so they are not looked at."""
    yield manifest.identity.name, None
