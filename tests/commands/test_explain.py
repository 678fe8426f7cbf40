"""`explain FILE:LINE` on the example fleet: what it names is right, and what is right is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from tenantry.commands.explain import field_at
from tenantry.core.manifest import Manifest, dig
from tenantry.core.manifest import Path as FieldPath
from tenantry.plan.inputs import read_inputs
from tenantry.render.blame import Blamer, Field, View
from tenantry.render.completion import completed
from tenantry.render.kustomizations import object_id
from tenantry.render.made import MadeObject, bare, made_objects
from tenantry.render.trace import trace
from tenantry.render.trials import IMPOSSIBLE, Trials
from tenantry.render.units import Unit, units
from tenantry.runtime.cache import Store

TODAY = "2026-11-26"
TEMPLATES = REPOSITORY / "generator/tenantry/render/templates"
SMITH = "rendered/euw1-a/production/smith-advisory"
GLOBEX = "rendered/euw1-globex/production/globex-eu"


@dataclass(frozen=True)
class Known:
    """A fleet with all of its units."""

    blamer: Blamer
    units: Mapping[str, Unit]
    fleet: Any


def read(root: Path) -> Known:
    inputs = read_inputs(root, TODAY, Store())
    assert inputs.usable, inputs.findings
    found = list(units(inputs.fleet, inputs.resolution.instances))
    return Known(Blamer(inputs.fleet, found), {unit.path: unit for unit in found}, inputs.fleet)


@cache
def example() -> Known:
    return read(REPOSITORY)


@dataclass(frozen=True)
class Rendered:
    """A rendered file of the example fleet, with what makes it."""

    file: str
    value: Any
    unit: Unit
    made: MadeObject

    @cached_property
    def text(self) -> str:
        return (REPOSITORY / self.file).read_text()

    @cached_property
    def _node(self) -> Any:
        return yaml.compose(self.text, yaml.CSafeLoader)

    def field(self, line: int) -> Field | None:
        """The field on a line, counted from 1."""
        return field_at(self._node, line)


def rendered_files(below: str = "") -> Iterator[Rendered]:
    """Files of the example fleet; `below` is the path of one unit."""
    for unit in [example().units[below]] if below else example().units.values():
        made = made_objects(unit)
        for path in sorted((REPOSITORY / "rendered" / unit.path).glob("*.yaml")):
            value = yaml.load(path.read_text(), yaml.CSafeLoader)
            yield Rendered(str(path.relative_to(REPOSITORY)), value, unit, made[bare(object_id(value))])


@cache
def one_of_each() -> tuple[Rendered, ...]:
    """The first and the last file that each template makes."""
    found = list(rendered_files())
    first = {file.made.entry.name: file for file in reversed(found)}
    last = {file.made.entry.name: file for file in found}
    return tuple({file.file: file for file in (*first.values(), *last.values())}.values())


def causes(file: str, path: FieldPath) -> set[str]:
    """`file:line` of the inputs that decide a field of a rendered file."""
    value = yaml.load((REPOSITORY / file).read_text(), yaml.CSafeLoader)
    source = example().blamer.source(Manifest(object_id(value), "", value, file=file), Field(path))
    assert source is not None
    assert not source.varies, f"{file} {path}: nothing found"
    return {f"{cause.file}:{cause.line}" for cause in source.decided_by}


def line_of(file: str, text: str) -> str:
    """`file:line` of the first line of an input that has a text in it."""
    lines = (REPOSITORY / file).read_text().splitlines()
    return f"{file}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


# --- templates


def test_what_is_explained_is_what_is_rendered() -> None:
    for file in one_of_each():
        context = file.unit.context()
        here = file.made.context(context)
        assert here is not None
        template = file.made.parsed(file.made.text(here))
        assert completed(template, context["labels"], context.get("namespace")) == file.value, file.file


WITHOUT_A_LINE = {"templates/charts/traefik.yaml.j2"}
"""Templates whose text is made as a whole and indented afterwards: the file alone is named."""


def test_the_named_template_line_has_the_key_or_makes_it() -> None:
    wrong = []
    for file in one_of_each():
        view: View | None = None
        for number, text in enumerate(file.text.splitlines(), 1):
            field = file.field(number)
            if field is None:
                assert number == 1, f"{file.file}:{number} is explained by nothing"
                continue
            view = view.at(field) if view else View(file.made, file.unit.context(), field)
            if (
                not view.added
                and str(view.template) not in WITHOUT_A_LINE
                and not says(str(view.template), field, text)
            ):
                wrong.append(f"{file.file}:{number}: {text.strip()!r} by {view.template}")
    assert not wrong


def says(place: str, field: Field, text: str) -> bool:
    """Whether a template line has the key, or the expression that made it, of a rendered line."""
    name, _, number = place.removeprefix("templates/").rpartition(":")
    line = (TEMPLATES / name).read_text().splitlines()[int(number) - 1]
    words = re.findall(r"[A-Za-z0-9]+", text.split(": ", 1)[0] if not field.text_line else text)
    if field.text_line or isinstance(field.path[-1], int):
        return not words or any(word in line for word in words) or "{{" in line
    keys = [re.escape(str(step)) for step in field.path if isinstance(step, str)]
    if f"{field.path[-1]}:" in line:
        return True
    # An expression gave all of a mapping, or the key itself.
    return bool(re.search(rf"(?:^|[\s{{,])(?:{'|'.join(keys)}): \{{\{{", line) or re.match(r"\s*(?:- )?\{\{", line))


MACRO_MADE = [
    ("deployment.apps_smith-advisory-production_odoo-web.yaml", "priorityClassName:", "macros/odoo.j2", "priorityClassName: tenantry-production"),
    ("deployment.apps_smith-advisory-production_odoo-web.yaml", "runAsUser:", "macros/odoo.j2", "runAsUser: {{ instance.release.user.uid"),
    ("job.batch_smith-advisory-production_odoo-backup.yaml", "enableServiceLinks:", "macros/odoo.j2", "enableServiceLinks: false"),
    ("configmap_smith-advisory-production_odoo-migration-scripts.yaml", "set -", "files/backup.sh", "set -"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "template", "written"), MACRO_MADE)
def test_a_line_of_a_macro_or_a_script_names_the_line_inside_it(
    name: str, text: str, template: str, written: str
) -> None:
    file = next(f for f in rendered_files(SMITH.removeprefix("rendered/") + "/app") if f.file.endswith(name))
    number = next(n for n, line in enumerate(file.text.splitlines(), 1) if text in line)
    field = file.field(number)
    assert field is not None
    place = str(View(file.made, file.unit.context(), field).template)
    assert place.startswith(f"templates/{template}:")
    assert written in (TEMPLATES / template).read_text().splitlines()[int(place.rpartition(":")[2]) - 1]


def test_a_rendering_that_reads_the_same_gives_the_same_text() -> None:
    """The shortcut of the experiments: on what it says nothing, the template is rendered."""
    skipped = 0
    for file in one_of_each()[::20]:
        context = file.unit.context()
        here = file.made.context(context)
        assert here is not None
        watched, text = trace(file.made.entry.name, here), file.made.text(here)
        trials = Trials(example().fleet, file.unit, lambda _: True)
        for change in trials.changes():
            try:
                changed = trials.context(change)
                seen = file.made.context(changed, change) if changed else None
            except IMPOSSIBLE:
                continue
            if seen is not None and watched.same(seen):
                skipped += 1
                assert file.made.text(seen) == text, f"{file.file} {change}"
    assert skipped > 100


# --- inputs

NAMESPACE = f"{SMITH}/infra/namespace_smith-advisory-production.yaml"
WEB = f"{SMITH}/app/deployment.apps_smith-advisory-production_odoo-web.yaml"
MONITOR = f"{SMITH}/infra/podmonitor.monitoring.coreos.com_smith-advisory-production_odoo.yaml"
T, CELL, TIER, CLUSTER = "tenants/smith-advisory.yaml", "platform/cells/euw1-shared-a.yaml", "tiers/shared.yaml", "platform/clusters/euw1-a.yaml"  # fmt: skip
CHANNEL = "platform/releases/standard.yaml"

DECIDED = [
    (NAMESPACE, ("metadata", "name"), [(T, "name: smith-advisory"), (T, "production:")]),
    (NAMESPACE, ("metadata", "labels", "tenantry.io/tenant"), [(T, "name: smith-advisory")]),
    (NAMESPACE, ("metadata", "labels", "tenantry.io/cell"), [(T, "cell: euw1-shared-a"), (CELL, "name: euw1-shared-a")]),
    (NAMESPACE, ("metadata", "labels", "tenantry.io/tier"), [(T, "tier: shared"), (TIER, "name: shared")]),
    (NAMESPACE, ("metadata", "labels", "tenantry.io/environment"), [(T, "production:")]),
    (NAMESPACE, ("metadata", "labels", "app.kubernetes.io/part-of"), []),
    (NAMESPACE, ("metadata", "labels", "pod-security.kubernetes.io/enforce"), []),
    (NAMESPACE, ("metadata", "labels", "pod-security.kubernetes.io/enforce-version"), [(CLUSTER, "kubernetesVersion")]),
    (NAMESPACE, ("metadata", "annotations", "tenantry.io/owner"), [(T, "owner:")]),
    (NAMESPACE, ("metadata", "annotations", "tenantry.io/display-name"), [(T, "displayName:")]),
    (NAMESPACE, ("metadata", "annotations", "tenantry.io/metric-retention"), [(T, "tier: shared"), (TIER, "metricsDays")]),
    (WEB, ("metadata", "namespace"), [(T, "name: smith-advisory"), (T, "production:")]),
    (WEB, ("spec", "template", "metadata", "labels", "tenantry.io/cell"), [(T, "cell: euw1-shared-a"), (CELL, "name: euw1-shared-a")]),
    (WEB, ("spec", "template", "spec", "containers", 0, "args", 0), [(T, "tier: shared"), (TIER, "minWorkers")]),
    (WEB, ("spec", "template", "spec", "containers", 0, "image"), [(T, "channel: standard"), (CHANNEL, "production:")]),
    (WEB, ("spec", "template", "spec", "nodeSelector", "tenantry.io/pool"), [(CELL, "nodePool")]),
    (WEB, ("spec", "template", "spec", "priorityClassName"), [(T, "production:")]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "path", "places"), DECIDED)
def test_identity_placement_and_derived_values_name_what_decides_them(
    file: str, path: FieldPath, places: list[tuple[str, str]]
) -> None:
    found = causes(file, path)
    assert {line_of(*place) for place in places} <= found
    if not places:
        assert not found


def test_labels_of_cells_name_the_cell() -> None:
    file = next(f.file for f in rendered_files("euw1-a/cells/euw1-shared-a") if f.value["kind"] == "Namespace")
    assert causes(file, ("metadata", "labels", "tenantry.io/cell-services")) == {line_of(CELL, "name: euw1-shared-a")}
    assert line_of(CELL, "tier: shared") in causes(file, ("metadata", "labels", "tenantry.io/tier"))


EDITS = [
    (CHANNEL, "    production: odoo-18.0-20261012", "    production: odoo-19.0-20261102", "euw1-a/production/smith-advisory/app"),
    ("tenants/globex-eu.yaml", "users: 1800", "users: 2400", "euw1-globex/production/globex-eu"),
    (T, "Smith Advisory", "Smith & Sons", "euw1-a/production/smith-advisory"),
    (T, "203.0.113.0/28", "203.0.113.16/28", "euw1-a/production/smith-advisory"),
    (TIER, "limitPerWorkerMiB: ", "limitPerWorkerMiB: 1", "euw1-a/production/smith-advisory"),
    (TIER, "logsDays: 30", "logsDays: 31", "euw1-a/production/smith-advisory"),
    (CLUSTER, "nodeLocalDns: 169.254.20.10", "nodeLocalDns: 169.254.20.11", "euw1-a/production/smith-advisory"),
    (CLUSTER, "backupBucket: euw1-a-backup", "backupBucket: euw1-a-other", "euw1-a/cells/euw1-shared-a"),
    (CLUSTER, "veleroBucket: euw1-a-velero", "veleroBucket: euw1-a-other", "euw1-a/platform"),
    (CELL, "maxConnections: 2000", "maxConnections: 2100", "euw1-a/cells/euw1-shared-a"),
    ("platform/platform.yaml", "  port: 2525", "  port: 2526", "euw1-a/production/smith-advisory"),
    ("platform/platform.yaml", "domain: erp.provider.example", "domain: erp2.provider.example", "euw1-globex/production/globex-eu"),
    ("tiers/dedicated.yaml", "storagePerUserGiB: 0.25", "storagePerUserGiB: 0.5", "euw1-globex/production/globex-eu"),
]  # fmt: skip
"""Input file, what stands there, what shall stand there, and the units that are looked at."""
STEPS = {"users: 1800"}
"""Edits that leave some of what the line decides as it is: sizes go in steps."""


def leaves(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        yield path, value
    for step, item in inside or ():
        yield from leaves(item, (*path, step))


def objects(unit: Unit) -> dict[Any, Any]:
    context = unit.context()
    found = {}
    for identity, made in made_objects(unit).items():
        here = made.context(context)
        assert here is not None
        found[identity] = completed(made.parsed(made.text(here)), context["labels"], context.get("namespace"))
    return found


def spread(items: list[Any], most: int) -> list[Any]:
    return items[:: max(len(items) // most, 1)][:most]


@pytest.mark.parametrize(("file", "old", "new", "below"), EDITS)
def test_fields_that_an_edit_changes_name_its_line_and_others_do_not(
    file: str, old: str, new: str, below: str, tmp_path: Path
) -> None:
    for folder in ("platform", "tiers", "tenants", "policies"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    edited = read(tmp_path)
    changed: list[Any] = []
    same: list[Any] = []
    for path, unit in example().units.items():
        if f"{path}/".startswith(f"{below}/"):
            after = objects(edited.units[path])
            for identity, value in objects(unit).items():
                for field, leaf in leaves(value):
                    here = (path, value, identity, field)
                    (same if dig(after.get(identity, {}), *field) == leaf else changed).append(here)
    assert changed, "the edit changes nothing here"
    place = line_of(file, old)
    for path, value, identity, field in spread(changed, 5):
        assert place in named(path, value, identity, field), f"{path} {identity} {field}"
    for path, value, identity, field in spread(same, 3) if old not in STEPS else ():
        assert place not in named(path, value, identity, field), f"{path} {identity} {field}"


def named(path: str, value: Any, identity: Any, field: FieldPath) -> set[str]:
    source = example().blamer.source(Manifest(identity, "", value, file=f"rendered/{path}/x.yaml"), Field(field))
    assert source is not None
    return {f"{cause.file}:{cause.line}" for cause in source.decided_by}


# --- the command


def test_labels_are_said_to_be_made_by_kustomize_and_decided_by_the_cell(run: Any) -> None:
    line = (REPOSITORY / NAMESPACE).read_text().splitlines().index("    tenantry.io/cell: euw1-shared-a") + 1
    out = run("explain", f"{NAMESPACE}:{line}", "-C", REPOSITORY).out
    assert f"decided by  {line_of(T, 'cell: euw1-shared-a')}" in out
    assert (
        "made by     Kustomize, by the labels in overlays/euw1-a/production/smith-advisory/infra/kustomization.yaml"
        in out
    )


def test_a_constant_is_said_to_be_one(run: Any) -> None:
    line = (REPOSITORY / NAMESPACE).read_text().splitlines().index("  labels:") + 1
    out = run("explain", f"{NAMESPACE}:{line}", "-C", REPOSITORY).out
    assert "decided by  nothing: it is the same for everyone" in out


@pytest.mark.parametrize("added", ["    example.com/by: me\n", "    - {example.com: [by, me]}\n"])
def test_a_manually_added_line_is_attributed_to_no_input(added: str, run: Any, tmp_path: Path) -> None:
    for folder in ("platform", "tiers", "tenants", "policies"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    lines = (REPOSITORY / NAMESPACE).read_text().splitlines(keepends=True)
    if added.startswith("    -"):
        lines[lines.index("  labels:\n") :] = ["  finalizers:\n", "    - example.com/a\n"]
    (tmp_path / NAMESPACE).parent.mkdir(parents=True)
    (tmp_path / NAMESPACE).write_text("".join([*lines, added]))
    ran = run("explain", f"{NAMESPACE}:{len(lines) + 1}", "-C", tmp_path)
    assert ran.code == 0, ran.err
    assert "decided by  nothing here: no template writes it" in ran.out
    assert ran.out.rstrip().endswith("templates/infra/namespace.yaml.j2")
