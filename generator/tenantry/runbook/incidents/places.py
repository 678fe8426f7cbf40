"""A zone or a region is lost."""

from __future__ import annotations

from tenantry.runbook.book import Writer
from tenantry.runbook.registration import incident


@incident("zone-lost", "A zone is lost")
def zone(writer: Writer) -> None:
    """What comes back by itself, and what waits for a volume that is not coming back."""
    instance = writer.instance
    own = instance.tier.postgresql
    spread = (
        "in zones of their own"
        if own is not None and own.spread_over_zones and instance.settings.postgresql
        else "as the cell's are placed"
    )
    zones = ",".join(instance.site.cluster.zones)
    nodes = ("kubectl", "get", "nodes", "--label-columns", "topology.kubernetes.io/zone", "--context", writer.cluster)
    writer.step(
        f"See which nodes are gone; the cluster has the zones {zones}. ZONE is the one that is lost.",
        nodes, ("tenantry", "simulate", "zone-loss", f"{instance.site.region}/ZONE"),
    )  # fmt: skip
    web = writer.named("apps", "Deployment", "odoo-web")
    writer.step(
        "See where this instance's Pods are. Odoo's come back in the other zones.",
        writer.kubectl("get", "pods", "--output", "wide"), writer.kubectl("rollout", "status", web, "--timeout", "30m"),
    )  # fmt: skip
    writer.step(
        f"PostgreSQL's instances are {spread}: a standby is promoted by itself. Writes wait meanwhile where a standby must confirm them.",
        writer.cnpg("status"),
    )
    writer.step(
        "An instance whose volume lies in the lost zone waits for it. When the zone is not coming back, give the volume up: the operator "
        "makes the instance again from the primary. N is the number at the end of the Pod's name, never the primary's.",
        writer.cnpg("destroy", "N"),
    )
    if instance.settings.own_redis:
        writer.step(
            "Sessions are lost if Redis was there; users log in again.",
            writer.kubectl("get", "pods", "--selector", "app.kubernetes.io/name=redis", "--output", "wide"),
        )


@incident("region-lost", "A region is lost")
def region(writer: Writer) -> None:
    """What is where, who decides, and how an instance comes to its other place."""
    instance = writer.instance
    site, standby = instance.site, instance.standby
    partner = site.partner
    writer.step(
        "See who is hit, where each instance goes on, and in which order.",
        ("tenantry", "simulate", "region-loss", site.region),
    )
    writer.step(
        f"See that it is the region {site.region} and not the way to it. Whoever leads the incident decides about the partner, {partner.region}, "
        "and says it to the customer; from then on the old place must never write again.",
        ("kubectl", "get", "nodes", "--context", site.cluster.name),
        ("kubectl", "get", "nodes", "--context", partner.name),
    )
    if standby is None:
        _from_archive(writer)
        return
    server = instance.copy_server.name
    writer.named("postgresql.cnpg.io", "Cluster", server, cluster=standby.cluster.name)
    writer.step(
        "See how far behind the copy of the database is: what is missing there is lost.",
        ("kubectl", "cnpg", "status", server, "--namespace", writer.namespace, "--context", standby.cluster.name),
    )
    writer.step(
        f"Let {standby.cluster.name} serve. The change is reviewed, rendered and merged as any other, and no window holds it up; what is lost is fenced, whoever "
        "brings it back. The command prints what to look at then.",
        ("tenantry", "failover", instance.tenant.name, "--to", standby.cluster.name, "--lost", "--reason", "REASON"),
    )
    hosts = [("dig", "+short", host) for host in instance.hosts]
    writer.step("Let the DNS of its hosts point there, and see that it does.", *hosts)
    writer.step(
        "When the region is back, make a new copy there, and go home by another failover, which loses nothing.",
        ("tenantry", "failover", instance.tenant.name, "--next"),
    )


def _from_archive(writer: Writer) -> None:
    """There is no replica: what was copied with the bucket is all."""
    site = writer.instance.site
    copied = site.cluster.object_storage.replication
    where = (
        f"copied to {copied.region}, at most {copied.max_delay_minutes} min late"
        if copied
        else "not copied to another region"
    )
    writer.step(
        f"There is no copy of the database that runs. The bucket {site.cluster.object_storage.backup_bucket} is {where}: that is what can come back."
    )
    writer.step(
        "Bringing the instance up there is not a change of the inputs: it needs the platform's leads, a place in a cell of the partner, and the "
        "secrets there. Begin with what would be read there.",
        ("tenantry", "secrets", writer.instance.tenant.name), ("tenantry", "explain", writer.instance.tenant.name, "--objectives"),
    )  # fmt: skip
