"""Schemas of the kinds that the API server has by itself, by Kubernetes version.

The data is kubernetes-validate's (strict: no unknown fields), which is made from each release's OpenAPI document. Its
own `validate` reads the data anew for each object; here each kind is compiled once, when an object first needs it.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import Any

import jsonschema_rs

from tenantry.core.manifest import Manifest, Path, Problem, dig
from tenantry.core.secrecy import concealed

_FOLDER = re.compile(r"v1\.(\d+)\.0-local-strict")
_ENUMERATIONS = FilePath(__file__).with_name("native_enumerations.json")
"""Definition -> property -> values; `make acceptance PART=api-server WRITE=1` writes it from a running API server."""
_CLUSTER_WIDE = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "DeviceTaintRule",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "LeaseCandidate",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "StorageVersionMigration",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ]
)
"""Kinds without a namespace: `kubectl api-resources --namespaced=false` of Kubernetes 1.37."""


@cache
def _folder() -> FilePath:
    # The package itself is not imported: it loads jsonschema and more, of which nothing is used here.
    spec = importlib.util.find_spec("kubernetes_validate")
    assert spec is not None and spec.origin is not None
    return FilePath(spec.origin).parent / "kubernetes-json-schema"


@cache
def known_versions() -> tuple[str, ...]:
    """Minor versions whose schemas are there, oldest first: `1.25` and so on."""
    found = (_FOLDER.fullmatch(path.name) for path in _folder().iterdir())
    return tuple(f"1.{number}" for number in sorted(int(match[1]) for match in found if match))


def _add_enumerations(definitions: Mapping[str, Any]) -> None:
    """Close the lists of values that the server closes.

    kubernetes-validate's data stems from a document without them. Ours are read off Kubernetes 1.37, whose lists hold
    what older versions take.
    """
    known: dict[str, dict[str, list[str]]] = json.loads(_ENUMERATIONS.read_bytes())
    for name in known.keys() & definitions.keys():
        properties = definitions[name].get("properties", {})
        for key in known[name].keys() & properties.keys():
            place = properties[key].get("items", properties[key])
            place.setdefault("enum", [*known[name][key], None])


@cache
def schemas(version: str) -> NativeSchemas:
    return NativeSchemas(version)


class NativeSchemas:
    """The native kinds of one Kubernetes minor version, like `1.34`."""

    def __init__(self, version: str) -> None:
        self.version = version
        path = _folder() / f"v{version}.0-local-strict" / "_definitions.json"
        self._definitions: Mapping[str, Any] = json.loads(path.read_bytes())["$defs"]
        _add_enumerations(self._definitions)
        self._names: dict[tuple[str, str, str], str] = {}
        for name, definition in self._definitions.items():
            for kind in definition.get("x-kubernetes-group-version-kind", ()):
                self._names[kind["group"], kind["version"], kind["kind"]] = name
        self._validators: dict[str, Any] = {}
        self._list_keys: dict[str, Mapping[Path, tuple[str, ...]]] = {}

    def knows(self, group: str, version: str, kind: str) -> bool:
        return (group, version, kind) in self._names

    def has_group(self, group: str) -> bool:
        """Whether the API group is Kubernetes' own; those that it no longer serves have no dot in their names."""
        return "." not in group or any(group == known for known, _, _ in self._names)

    def versions_of(self, group: str, kind: str) -> list[str]:
        """Versions in which this Kubernetes has the kind."""
        return sorted(version for g, version, k in self._names if (g, k) == (group, kind))

    @staticmethod
    def namespaced(kind: str) -> bool:
        return kind not in _CLUSTER_WIDE

    def problems(self, manifest: Manifest) -> Iterator[Problem]:
        """All that the schema refuses; the kind must be known."""
        group, kind = manifest.kind
        name = self._names[group, manifest.version, kind]
        validator = self._validators.get(name)
        if validator is None:
            validator = self._validators[name] = self._compile(name)
        if validator.is_valid(manifest.value):
            return
        shown = concealed(manifest.value)
        for error in validator.iter_errors(manifest.value):
            yield from _problems(error, dig(shown, *error.instance_path))

    def list_keys(self, group: str, version: str, kind: str) -> Mapping[Path, tuple[str, ...]]:
        """Keys by which entries of the kind's lists are told apart, by path of property names."""
        name = self._names.get((group, version, kind), "")
        if name and name not in self._list_keys:
            self._list_keys[name] = dict(_list_keys(self._definitions, self._definitions[name], (), 0))
        return self._list_keys.get(name, {})

    def _compile(self, name: str) -> Any:
        needed: dict[str, Any] = {}
        _collect(self._definitions, name, needed)
        return jsonschema_rs.validator_for({"$ref": f"#/$defs/{name}", "$defs": needed})


def _collect(definitions: Mapping[str, Any], name: str, needed: dict[str, Any]) -> None:
    if name in needed:
        return
    needed[name] = definitions[name]
    for reference in _references(definitions[name]):
        _collect(definitions, reference, needed)


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _list_keys(
    definitions: Mapping[str, Any], schema: Mapping[str, Any], path: Path, depth: int
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    if depth > 25:  # JSONSchemaProps holds itself
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = definitions[reference.rpartition("/")[2]]
    for name, inner in schema.get("properties", {}).items():
        keys = inner.get("x-kubernetes-list-map-keys") or [
            key for key in [inner.get("x-kubernetes-patch-merge-key")] if key
        ]
        if keys:
            yield (*path, name), tuple(keys)
        if isinstance(inner.get("items"), dict):
            inner = inner["items"]
        if "$ref" in inner or "properties" in inner:
            yield from _list_keys(definitions, inner, (*path, name), depth + 1)


def _problems(error: Any, shown: Any) -> Iterator[Problem]:
    """`shown` is what may be told of the value that is refused."""
    path: Path = tuple(error.instance_path)
    kind = error.kind
    match type(kind).__name__.removeprefix("ValidationErrorKind_"):
        case "AdditionalProperties":
            for name in sorted(kind.unexpected):
                yield Problem(
                    "V020", (*path, name), f"unknown field '{name}'", "see the field's spelling and its place"
                )
        case "Required":
            yield Problem("V021", path, f"the field '{kind.property}' is required")
        case "Type":
            yield Problem("V021", path, f"{_short(shown)} is of the wrong type: {_types(kind.types)} is needed")
        case "Enum":
            allowed = ", ".join(str(option) for option in kind.options if option is not None)
            yield Problem("V021", path, f"{_short(shown)} is none of {allowed}")
        case _:
            message = f"the value breaks '{kind.name}'" if shown != error.instance else str(error.message)[:300]
            yield Problem("V021", path, message)


def _types(types: list[str]) -> str:
    return " or ".join(name for name in types if name != "null") or "null"


def _short(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
