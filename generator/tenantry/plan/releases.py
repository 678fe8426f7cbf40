"""Releases only run where they are supported and have been tested."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.core.suggestions import choices, did_you_mean
from tenantry.model.channel import Channel
from tenantry.model.image_contract import ImageContract
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.plan.scope import Scope


def database_major(scope: Scope) -> Iterator[Finding]:
    """F019: the platform has an image of the cell's PostgreSQL version, and the release supports it."""
    for instance in scope.instances.values():
        cell = instance.site.cell
        major = (
            cell.postgresql.major if cell.postgresql and instance.settings.postgresql is None else cell.postgresql_major
        )
        known = scope.fleet.platform.postgresql_images
        if major is not None and str(major) not in known:
            path = ("postgresql", "major") if cell.postgresql else ("postgresqlMajor",)
            place = scope.fleet.place(cell, *path)
            yield Finding(
                "F019", place, f"platform.yaml has no image of PostgreSQL {major}", f"known: {', '.join(sorted(known))}"
            )
        elif major is not None and major not in instance.release.postgresql_majors:
            message = f"release '{instance.release.name}' does not support PostgreSQL {major} of cell '{cell.name}'"
            hint = f"it supports {', '.join(map(str, instance.release.postgresql_majors))}"
            yield scope.at(instance.tenant, ("environments", instance.environment, "cell"), "F019", message, hint)


def staged_first(scope: Scope) -> Iterator[Finding]:
    """What production runs was tested in staging."""
    for channel in scope.fleet.all(Channel).values():
        wanted = [(channel.releases.production, ("releases", "production"))]
        if channel.rollout is not None:
            wanted.append((channel.rollout.release, ("rollout", "release")))
        for name, path in wanted:
            release = scope.fleet.find(Release, name)
            if release is not None and not any(proof.environment == "staging" for proof in release.proved):
                message = f"release '{release.name}' was never tested in staging"
                hint = f"run it in staging, then record it under 'proved' in {scope.fleet.document(release).file}"
                yield Finding("F020", scope.fleet.place(channel, *path), message, hint)


def followers_only(scope: Scope) -> Iterator[Finding]:
    """Tenants that a channel names follow it."""
    for channel in scope.fleet.all(Channel).values():
        rolled = channel.rollout.tenants if channel.rollout else ()
        for field, listed in ((("rollout", "tenants"), rolled), (("canaries",), channel.canaries)):
            for index, name in enumerate(listed):
                tenant = scope.fleet.find(Tenant, name)
                if (tenant is None or tenant.channel != channel.name) and not scope.fleet.is_broken(Tenant, name):
                    message = f"tenant '{name}' does not follow channel '{channel.name}'"
                    followers = [t.name for t in scope.fleet.all(Tenant).values() if t.channel == channel.name]
                    place = scope.fleet.place(channel, *field, index)
                    yield Finding("F040", place, message, choices(name, followers, "tenants that do"))


_GLUE = frozenset({"fs_attachment_environment", "fs_attachment_s3_environment"})
"""OCA modules that make fs_storage read its section in odoo.conf; up to fs_storage 18.0.2.0 it did so itself."""


def object_store_is_read(scope: Scope) -> Iterator[Finding]:
    """Without the glue the section is ignored: requests go to Amazon's own endpoint, with the tenant's keys."""
    for release in scope.fleet.all(Release).values():
        if not _GLUE & set(release.storage_modules):
            message = f"release '{release.name}' names no module that reads where the object store is"
            place = scope.fleet.place(release, "storageModules")
            yield Finding("F026", place, message, "add fs_attachment_environment")


def images_hold_modules(scope: Scope) -> Iterator[Finding]:
    """F047: a release fits what its image was checked for."""
    for release in scope.fleet.all(Release).values():
        contract = scope.fleet.find(ImageContract, release.image_contract)
        if contract is not None:
            yield from _lacking(scope, release, contract)
            yield from _of_another_image(scope, release, contract)


def _lacking(scope: Scope, release: Release, contract: ImageContract) -> Iterator[Finding]:
    named = {
        "serverWideModules": release.server_wide_modules, "storageModules": release.storage_modules, "modules": release.modules,
    }  # fmt: skip
    for field, modules in named.items():
        for index, module in enumerate(modules):
            if module not in contract.modules:
                message = f"image contract '{contract.name}' of release '{release.name}' has no module '{module}'"
                way_out = "build an image with it and add it there, or leave it out"
                hint = did_you_mean(module, contract.modules) or way_out
                yield Finding("F047", scope.fleet.place(release, field, index), message, hint)


def _of_another_image(scope: Scope, release: Release, contract: ImageContract) -> Iterator[Finding]:
    users = [f"{one.user.uid}:{one.user.gid}" for one in (release, contract)]
    for field, given, known in (("odooVersion", release.odoo_version, contract.odoo_version), ("user", *users)):
        if given != known:
            message = (
                f"{field} of release '{release.name}' is {given}, and of its image contract '{contract.name}' {known}"
            )
            hint = "name the contract that its image was checked for"
            yield Finding("F047", scope.fleet.place(release, field), message, hint)


_SERVER_WIDE = {
    "attachment_db_first": "the first files of a new database would stay in the Pod that installs it",
    "session_cookie": "its session cookie would travel without TLS, and with requests that other sites make",
}
"""Add-ons of images/odoo/addons that change Odoo before any database is read -> what happens without them."""


def server_wide_modules_are_loaded(scope: Scope) -> Iterator[Finding]:
    """F035: a release loads what each instance relies on."""
    for release in scope.fleet.all(Release).values():
        for module, why in _SERVER_WIDE.items():
            if module not in release.server_wide_modules:
                place = scope.fleet.place(release, "serverWideModules")
                hint = f"build the image with images/odoo/addons/{module}, then add {module}"
                yield Finding("F035", place, f"release '{release.name}' does not load {module}: {why}", hint)
