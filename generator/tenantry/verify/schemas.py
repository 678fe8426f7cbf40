"""What the API server of a cluster would say of one object: kind, version, fields, types, rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from tenantry.core.manifest import FieldProblem, Manifest, Problem, dig
from tenantry.core.suggestions import near
from tenantry.verify import native

_CODES = {
    "unknown": "V020", "schema": "V021", "cel": "V022", "syntax": "V023", "unjudged": "V024", "never": "V041",
}  # fmt: skip

DEPRECATED: dict[tuple[str, str, str], tuple[int, str]] = {
    ("", "v1", "Endpoints"): (33, "discovery.k8s.io/v1 EndpointSlice"),
    ("", "v1", "ComponentStatus"): (19, "the health endpoints of the components"),
    ("flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema"): (29, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io", "v1beta3", "PriorityLevelConfiguration"): (29, "flowcontrol.apiserver.k8s.io/v1"),
}
"""Served, but deprecated since a minor version, with what takes its place (Kubernetes' deprecated API migration guide)."""


def schema_problems(manifest: Manifest, version: str) -> Iterator[Problem]:
    """Judge an object as a cluster of the Kubernetes minor version `version` (like `1.34`) would."""
    group, kind = manifest.kind
    schemas = native.schemas(version)
    if schemas.knows(group, manifest.version, kind):
        yield from schemas.problems(manifest)
        yield from _deprecated(manifest, version)
    elif manifest.verdict is not None:
        yield from _custom(manifest)
    else:
        yield _unknown(manifest, schemas)
    yield from (_problem(problem) for problem in manifest.syntax if not _of_other_language(manifest, problem))


def _of_other_language(manifest: Manifest, problem: FieldProblem) -> bool:
    """Rules that a route of Traefik asks to have read as Traefik 2 did."""
    return problem.path[:2] == ("spec", "routes") and dig(manifest.value, *problem.path[:3], "syntax") == "v2"


def namespaced(manifest: Manifest, version: str) -> bool | None:
    """Whether objects of the kind lie in a namespace; None for an unknown kind."""
    if manifest.verdict is not None:
        return manifest.verdict.namespaced
    group, kind = manifest.kind
    schemas = native.schemas(version)
    return schemas.namespaced(kind) if schemas.knows(group, manifest.version, kind) else None


def _custom(manifest: Manifest) -> Iterator[Problem]:
    verdict = manifest.verdict
    assert verdict is not None
    if manifest.version not in verdict.served:
        served = ", ".join(verdict.served)
        message = f"{_api(manifest)} is not served by {verdict.source}"
        yield Problem("V011", ("apiVersion",), message, f"served versions: {served}")
        return
    if verdict.deprecation:
        yield Problem("V012", ("apiVersion",), verdict.deprecation, severity="warning")
    yield from (_problem(problem, verdict.source) for problem in verdict.problems)


def _problem(problem: FieldProblem, source: str = "") -> Problem:
    """`source` is the operator's version whose definition was asked: a newer one may know the field."""
    if problem.rule == "unknown":
        return _unknown_field(problem, source)
    hint = "name a day that comes in some year" if problem.rule == "never" else ""
    return Problem(_CODES[problem.rule], problem.path, problem.message, hint)


def _unknown_field(problem: FieldProblem, source: str) -> Problem:
    """A mistake, if the field is nearly another or belongs elsewhere; else a newer operator may know it."""
    name, known = str(problem.path[-1]) if problem.path else "", problem.message.split()
    message = f"unknown field '{name}'"
    if name in known:
        return Problem("V020", problem.path, message, "see its place: the kind has such a field elsewhere")
    if meant := near(name, known, 0.75):
        return Problem("V020", problem.path, message, f"did you mean {meant}?")
    hint = "see the field's spelling and its place"
    if "@" not in source:  # a definition of the tree itself, which its cluster has
        return Problem("V020", problem.path, message, hint)
    hint += f"; it was looked up in {source}, and may be of a newer version"
    return Problem("V020", problem.path, message, hint, "warning")


def _deprecated(manifest: Manifest, version: str) -> Iterator[Problem]:
    entry = DEPRECATED.get((manifest.identity.group, manifest.version, manifest.identity.kind))
    if entry and int(version.partition(".")[2]) >= entry[0]:
        message = f"{_api(manifest)} is deprecated since Kubernetes 1.{entry[0]}"
        yield Problem("V012", ("apiVersion",), message, f"use {entry[1]}", "warning")


def _unknown(manifest: Manifest, schemas: native.NativeSchemas) -> Problem:
    group, kind = manifest.kind
    others = schemas.versions_of(group, kind)
    if others:
        message = f"{_api(manifest)} is not served by Kubernetes {schemas.version}"
        return Problem("V011", ("apiVersion",), message, f"served versions: {', '.join(others)}")
    elsewhere = _elsewhere(group, manifest.version, kind)
    if elsewhere:
        first, last = elsewhere
        message = f"{_api(manifest)} is not served by Kubernetes {schemas.version}"
        return Problem("V011", ("apiVersion",), message, f"it was served from {first} to {last}")
    message = f"{_api(manifest)} is unknown, so it could not be checked"
    hint = "put its CustomResourceDefinition into the tree, or see the spelling of apiVersion and kind"
    return Problem("V010", ("kind",), message, hint, "error" if _is_known(group, schemas) else "warning")


_OPERATORS = frozenset(
    [
        "acme.cert-manager.io",
        "argoproj.io",
        "barmancloud.cnpg.io",
        "cert-manager.io",
        "external-secrets.io",
        "keda.sh",
        "kyverno.io",
        "monitoring.coreos.com",
        "policies.kyverno.io",
        "postgresql.cnpg.io",
        "traefik.containo.us",
        "traefik.io",
        "velero.io",
    ]
)
"""Groups of which the kinds are known, and one that Traefik 3 no longer looks into."""


def _is_known(group: str, schemas: native.NativeSchemas) -> bool:
    """Whether the group is known, or nearly so: then the kind is wrong, and not only one of a foreign operator."""
    if schemas.has_group(group) or group in _OPERATORS:
        return True
    part = any(group.endswith(f".{known}") for known in _OPERATORS)  # of the same people, but not misspelt
    return not part and bool(near(group, _OPERATORS, 0.75))


@cache
def _elsewhere(group: str, version: str, kind: str) -> tuple[str, str] | None:
    """The first and last known Kubernetes version that serves a kind."""
    serving = [known for known in native.known_versions() if native.schemas(known).knows(group, version, kind)]
    return (serving[0], serving[-1]) if serving else None


def _api(manifest: Manifest) -> str:
    group, kind = manifest.kind
    return f"{group}/{manifest.version} {kind}" if group else f"{manifest.version} {kind}"
