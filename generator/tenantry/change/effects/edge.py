"""Routes and middlewares: which hosts are served, to whom, and how much at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.change.effects.registration import Scene, beside, changes_of, effects_of, named, of_metadata, said, some
from tenantry.core.changes import Effect
from tenantry.core.findings import ObjectChange
from tenantry.core.manifest import Manifest, entries, text

_HOST = re.compile(r"Host\(`([^`]+)`\)")


def hosts_of(manifest: Manifest | None) -> set[str]:
    """Hosts that an IngressRoute answers."""
    if manifest is None:
        return set()
    return {
        host for _, route in entries(manifest.spec.get("routes")) for host in _HOST.findall(text(route.get("match")))
    }


@effects_of(("traefik.io", "IngressRoute"), ("traefik.io", "IngressRouteTCP"))
def routes(change: ObjectChange, scene: Scene) -> Iterator[Effect]:
    """Hosts that come and go by name; anything else is who may reach what."""
    was, will = hosts_of(scene.was(change)), hosts_of(scene.will_be(change))
    for host in sorted(will - was):
        yield Effect("isolation", f"{change.object.name} answers a further host: {host}")
    for host in sorted(was - will):
        yield Effect("availability", f"{change.object.name} no longer answers {host}", downtime=f"for good, at {host}")
    if change.action != "changed" and was == will:
        yield Effect("isolation", f"{named(change)} is {change.action}")
    yield from of_metadata(change)
    rest = [field for field in beside(change, "metadata") if "`" not in f"{field.before}{field.after}" or was == will]
    if rest:
        yield Effect("isolation", f"{named(change)}: what is reachable changes: {some(rest)}")


@changes_of(("traefik.io", "Middleware"), ("traefik.io", "MiddlewareTCP"), risk="isolation")
def middlewares(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """Limits are about load; allow lists, headers and plugins are about access."""
    for field in change.fields:
        limits = field.path.startswith(("spec.rateLimit", "spec.inFlightReq", "spec.buffering", "spec.compress"))
        what = "how much is let through changes" if limits else "who or what is let through changes"
        yield Effect("availability" if limits else "isolation", f"{named(change)}: {what}: {said(field)}")
