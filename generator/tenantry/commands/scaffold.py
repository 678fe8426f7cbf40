"""New input files: proposed values that pass, written so that a person can go on from them."""

from __future__ import annotations

import errno
import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tenantry.commands.ci_files import ci_files
from tenantry.commands.minimal import Provider, minimal
from tenantry.core.findings import Finding, MachineError, UsageError, in_order
from tenantry.inputs import schema
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.channel import Channel
from tenantry.model.cluster import Cluster
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.capacity import by_cell, has_room
from tenantry.render.environment import template
from tenantry.resolve.instances import Resolution
from tenantry.runtime.confined import Confined

_NOBODY = "team@provider.example"
"""The contact of a tenant for which none was named; reported in a fleet that is not an example (F031)."""


def new_tenant(
    fleet: Fleet, resolution: Resolution, name: str, tier_name: str, **wishes: str | int | None
) -> tuple[str, str]:
    """(file, text) of a new tenant: the tier's lowest classification, its reference size, a cell with room."""
    check_name("Tenant", name)
    tier = fleet.find(Tier, tier_name)
    if tier is None:
        raise UsageError(f"there is no tier '{tier_name}'", f"tiers: {', '.join(sorted(fleet.all(Tier)))}")
    cell = _choose_cell(fleet, resolution, tier, wishes.get("cell"))
    cluster = fleet.find(Cluster, cell.cluster)
    if cluster is None:
        raise UsageError(f"cluster '{cell.cluster}' of cell '{cell.name}' is not there", "run 'tenantry check'")
    partner = fleet.find(Cluster, cluster.partner)
    replication = cluster.object_storage.replication
    copies = [partner.region if partner else "", replication.region if replication else ""]
    regions = list(dict.fromkeys(filter(None, [cluster.region, *copies])))
    context = {
        "name": name, "display_name": wishes.get("display_name") or name.replace("-", " ").title(), "tier": tier,
        "contact": wishes.get("contact") or _NOBODY,
        "users": wishes.get("users") or tier.sizing.reference_users, "channel": _choose_channel(fleet, tier, wishes.get("channel")),
        "cell": cell.name, "regions": regions, "domain": fleet.platform.domain,
        "schema": _schema_path(fleet.root, "tenants", "tenant"),
    }  # fmt: skip
    return f"tenants/{name}.yaml", template("new/tenant.yaml.j2").render(context)


def new_cell(fleet: Fleet, name: str, cluster_name: str, tier_name: str) -> tuple[str, str]:
    """(file, text) of a new cell, shaped like the first one of its tier."""
    check_name("Cell", name)
    cluster = fleet.find(Cluster, cluster_name)
    if cluster is None:
        raise UsageError(f"there is no cluster '{cluster_name}'", f"clusters: {', '.join(sorted(fleet.all(Cluster)))}")
    if fleet.find(Tier, tier_name) is None:
        raise UsageError(f"there is no tier '{tier_name}'", f"tiers: {', '.join(sorted(fleet.all(Tier)))}")
    models = [c for c in fleet.all(Cell).values() if c.tier == tier_name and c.purpose == "service"]
    if not models:
        raise UsageError(
            f"no cell of tier '{tier_name}' is there to take the shape from",
            "write platform/cells/NAME.yaml yourself; 'tenantry schema cell' lists its fields",
        )
    model = models[0]
    pools = {pool.name for pool in cluster.node_pools}
    if not {model.node_pool, model.database_node_pool} <= pools:
        raise UsageError(
            f"cluster '{cluster_name}' has no node pools '{model.node_pool}' and '{model.database_node_pool}', which cell '{model.name}' uses",
            "add them to the cluster first",
        )
    text = fleet.document(model).text.replace(f"  name: {model.name}\n", f"  name: {name}\n", 1)
    text = re.sub(r"^  cluster: .*$", f"  cluster: {cluster_name}", text, count=1, flags=re.MULTILINE)
    return f"platform/cells/{name}.yaml", "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith("  # ")
    )


def new_exception(fleet: Fleet, name: str, tenant: str, **fields: str) -> tuple[str, str]:
    """(file, text) of a new exception."""
    check_name("Exception", name)
    if fleet.find(Tenant, tenant) is None:
        raise UsageError(f"there is no tenant '{tenant}'", "tenants are the files in tenants/")
    context = {
        "name": name,
        "tenant": tenant,
        "schema": _schema_path(fleet.root, "policies/exceptions", "exception"),
        **fields,
    }
    return f"policies/exceptions/{name}.yaml", template("new/exception.yaml.j2").render(context)


def must_be_right(file: str, before: Iterable[Finding], after: Iterable[Finding]) -> None:
    """Raise UsageError when a new file brings findings with it: those `after` that were not there `before`."""
    known = set(before)
    found = [finding for finding in in_order(after) if finding.severity == "error" and finding not in known]
    if found:
        reasons = [f"{f.place}: {f.code} {f.message}{f' ({f.hint})' if f.hint else ''}" for f in found]
        raise UsageError(f"{file} was not written, for it would not be right:", "\n  ".join(reasons))


def write_new(root: Path, file: str, text: str) -> None:
    """Write a file that must not be there yet. A link in the place of one of its folders is not followed."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with Confined(root) as folder:
            folder.write_new(file, text.encode())
    except FileExistsError:
        raise UsageError(f"{file} is there already", "edit it, or choose another name") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            message = f"{file} can't be written: {error.filename} is a symbolic link or a file"
            raise UsageError(message, "input folders are real folders") from error
        raise MachineError(f"{file} can't be written: {error.strerror}", "see permissions and space") from error


def check_name(kind: str, name: str) -> None:
    """Raise UsageError for what the schema of a kind does not take as a name."""
    rules = schema.load_schema(kind)["properties"]["metadata"]["properties"]["name"]
    if not re.search(rules["pattern"], name) or len(name) > rules["maxLength"]:
        raise UsageError(
            f"'{name}' can't be a name",
            f"lower-case letters, digits and single '-', a letter first, at most {rules['maxLength']} characters",
        )


def _choose_cell(fleet: Fleet, resolution: Resolution, tier: Tier, wish: str | int | None) -> Cell:
    cells = [
        c
        for c in fleet.all(Cell).values()
        if c.tier == tier.name and c.purpose == "service" and "production" in c.environments
    ]
    if wish is not None:
        chosen = fleet.find(Cell, str(wish))
        if chosen is None:
            raise UsageError(
                f"there is no cell '{wish}'", f"cells of tier '{tier.name}': {', '.join(c.name for c in cells)}"
            )
        if chosen.state != "open":
            hint = (
                f"open cells of tier '{tier.name}': {', '.join(c.name for c in cells if c.state == 'open') or 'none'}"
            )
            raise UsageError(f"cell '{chosen.name}' is {chosen.state}, so nothing new comes into it", hint)
        return chosen
    members = by_cell(resolution.instances.values())
    alone = tier.isolation.nodes == "cluster"
    free = [c for c in cells if has_room(c, members.get(c.name, [])) and not (alone and members.get(c.name))]
    if not free:
        raise UsageError(
            f"no cell of tier '{tier.name}' has room",
            "add one with 'tenantry new cell NAME --cluster CLUSTER --tier TIER'",
        )
    return min(free, key=lambda c: (sum(i.tenant.users for i in members.get(c.name, [])), c.name))


def _choose_channel(fleet: Fleet, tier: Tier, wish: str | int | None) -> str:
    followed = [c for c in (fleet.find(Channel, name) for name in tier.channels) if c is not None]
    taking = [channel.name for channel in followed if channel.takes_new_tenants]
    hint = f"tier '{tier.name}' follows, and new tenants may take: {', '.join(taking) or 'none'}"
    if not taking:
        raise UsageError(f"no channel of tier '{tier.name}' takes new tenants", "set takesNewTenants in one of them")
    if wish is None:
        return taking[0]
    if str(wish) not in taking:
        known = fleet.find(Channel, str(wish)) is not None
        why = (
            f"channel '{wish}' takes no new tenant of tier '{tier.name}'" if known else f"there is no channel '{wish}'"
        )
        raise UsageError(why, hint)
    return str(wish)


def _schema_path(root: Path, folder: str, kind: str) -> str:
    """Where the editor finds the schema, from a file in `folder`."""
    inside = "generator/tenantry/inputs/schemas" if (root / "generator/tenantry/inputs/schemas").is_dir() else "schemas"
    return posixpath.relpath(f"{inside}/{kind}.json", folder)


# --- a whole fleet

_LEFT_OUT = re.compile(r"(euw1|euc1|use1|usc1)-globex")


def new_fleet(target: Path, smallest: Provider | None = None) -> list[str]:
    """Create a fleet without tenants: platform, one cluster with its DR partner, the tiers. Returns its files.

    With a provider's own values, it is the smallest fleet: one cluster, one cell, one tier. Raises UsageError when the folder holds something already.
    """
    if target.exists() and (not target.is_dir() or any(p.name != ".git" for p in target.iterdir())):
        raise UsageError(f"{target} is not empty", "choose a new folder, or one with nothing but .git")
    files = dict(_fleet_files() if smallest is None else minimal(_fleet_files(), smallest))
    laid: list[str] = []
    try:
        for file, text in files.items():
            write_new(target, file, text)
            laid.append(file)
    except BaseException:
        for file in laid:
            (target / file).unlink(missing_ok=True)
        raise
    return sorted(files)


def example_folder() -> Path:
    """The example fleet: the checkout's own, or the one that a wheel carries."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "example"
    return inside if inside.is_dir() else package.parent.parent


_ATTRIBUTES = """\
* text=auto eol=lf
platform/** merge=tenantry
tiers/** merge=tenantry
tenants/** merge=tenantry
policies/** merge=tenantry
base/** merge=tenantry linguist-generated=true
overlays/** merge=tenantry linguist-generated=true
rendered/** merge=tenantry linguist-generated=true
"""
"""Files are compared byte by byte, so a checkout must not change the ends of lines; generated files are folded in reviews.
All files of a fleet are merged by `tenantry merge-driver`, once a clone installs it."""


def _fleet_files() -> Iterator[tuple[str, str]]:
    example = example_folder()
    for folder in ("platform", "platform/clusters", "platform/cells", "platform/releases", "tiers"):
        for path in sorted((example / folder).glob("*.yaml")):
            if not _LEFT_OUT.fullmatch(path.stem):
                yield (
                    f"{folder}/{path.name}",
                    path.read_text(encoding="utf-8").replace("generator/tenantry/inputs/schemas/", "schemas/"),
                )
    for path in sorted((example / "policies").glob("*/**/*.yaml")):
        if path.parent.name != "exceptions":
            yield path.relative_to(example).as_posix(), path.read_text(encoding="utf-8")
    for kind in schema.KINDS:
        yield f"schemas/{kind.lower()}.json", schema.schema_text(kind)
    for folder in ("tenants", "policies/exceptions"):
        yield f"{folder}/.gitkeep", ""
    yield ".gitignore", "/.tenantry\n"
    yield ".gitattributes", _ATTRIBUTES
    yield ".vscode/settings.json", editor_settings("./schemas")
    yield "README.md", template("new/readme.md.j2").render({})
    yield from ci_files()


def editor_settings(folder: str) -> str:
    """VS Code's mapping of input files to schemas, for its YAML extension."""
    mapping = {
        f"{folder}/{kind.lower()}.json": schema.load_schema(kind)["x-files"]
        for kind in schema.KINDS
        if kind not in ("Release", "ImageContract", "Channel")
    }
    return json.dumps({"yaml.schemas": mapping}, indent=2) + "\n"
