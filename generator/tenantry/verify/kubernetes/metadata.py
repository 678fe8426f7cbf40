"""Names, labels, sizes: apimachinery/pkg/api/validation and pkg/apis/core/validation of Kubernetes 1.37."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.core.manifest import Manifest, Path, Problem, mapping
from tenantry.core.secret_words import user_information
from tenantry.verify import values
from tenantry.verify.registration import Keys, makes_secrets, rule_for, rule_for_all
from tenantry.verify.schemas import namespaced

MAX_ANNOTATIONS_BYTES = 256 << 10
MAX_OBJECT_BYTES = 1 << 20
"""ConfigMap and Secret data; etcd refuses requests of over 1.5 MiB."""
MAX_REQUEST_BYTES = 1536 << 10

_PATH_NAMES = frozenset({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"})
_LABELS = frozenset({"Namespace"})
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_PSA_LEVELS = ("privileged", "baseline", "restricted")


def scope(manifest: Manifest, version: str) -> Iterator[Problem]:
    """A cluster-wide object has no namespace."""
    in_namespace = namespaced(manifest, version)
    if in_namespace is False and manifest.identity.namespace:
        path = ("metadata", "namespace")
        message = f"{manifest.identity.kind} is cluster-wide, so the API server drops the namespace"
        yield Problem("V031", path, message, "remove the line", "warning")


@rule_for_all
def names(manifest: Manifest) -> Iterator[Problem]:
    metadata, kind = manifest.metadata, manifest.identity.kind
    name = metadata.get("name")
    if not isinstance(name, str):
        if "generateName" not in metadata:
            yield Problem("V030", ("metadata",), "metadata.name is needed")
        return
    path = ("metadata", "name")
    if manifest.identity.group == "rbac.authorization.k8s.io" and kind in _PATH_NAMES:
        if name in (".", "..") or "/" in name or "%" in name:
            yield Problem("V030", path, f"'{name}' is no name: it may not be '.', '..' or hold '/' or '%'")
    elif (manifest.kind == ("", "Service") and not values.is_dns_label(name)) or (
        kind in _LABELS and not values.is_dns_label(name)
    ):
        yield Problem("V030", path, f"'{name}' is no DNS label: at most 63 of a-z, 0-9 and '-'")
    elif not values.is_dns_subdomain(name):
        yield Problem("V030", path, f"'{name[:80]}' is no DNS name: at most 253 of a-z, 0-9, '-' and '.'")
    elif kind in ("CronJob", "Job", "StatefulSet") and len(name) > (52 if kind == "CronJob" else 63):
        yield Problem("V030", path, f"'{name[:80]}' is too long: the Pods of a {kind} carry it in a label")
    namespace = manifest.identity.namespace
    if namespace and not values.is_dns_label(namespace):
        yield Problem(
            "V030", ("metadata", "namespace"), f"'{namespace[:80]}' is no namespace: at most 63 of a-z, 0-9 and '-'"
        )


@rule_for_all
def labels(manifest: Manifest) -> Iterator[Problem]:
    yield from label_problems(manifest.labels, ("metadata", "labels"))
    if manifest.identity.group not in ("apps", "batch"):
        return
    template = mapping(mapping(manifest.spec.get("template")).get("metadata"))
    yield from label_problems(mapping(template.get("labels")), ("spec", "template", "metadata", "labels"))


def label_problems(found: object, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Keys and values of a mapping of labels."""
    for key, value in mapping(found).items():
        if not values.is_qualified_name(key):
            yield Problem(
                "V030", (*path, key), f"'{key[:80]}' is no label key", "at most 63, with an optional DNS prefix and '/'"
            )
        if isinstance(value, str) and not values.is_label_value(value):
            yield Problem(
                "V030", (*path, key), f"'{value[:80]}' is no label value: at most 63 of A-Z, a-z, 0-9, '-', '_' and '.'"
            )


@rule_for_all
def annotation_sizes(manifest: Manifest) -> Iterator[Problem]:
    path = ("metadata", "annotations")
    total = 0
    for key, value in manifest.annotations.items():
        total += len(key) + len(value.encode() if isinstance(value, str) else b"")
        if not values.is_qualified_name(key.lower()):
            yield Problem(
                "V030",
                (*path, key),
                f"'{key[:80]}' is no annotation key",
                "at most 63, with an optional DNS prefix and '/'",
            )
    if total > MAX_ANNOTATIONS_BYTES:
        yield Problem("V032", path, f"the annotations have {total} bytes; at most {MAX_ANNOTATIONS_BYTES} are taken")


@rule_for_all
def size(manifest: Manifest) -> Iterator[Problem]:
    if manifest.kind in (("", "ConfigMap"), ("", "Secret")):
        data = (*mapping(manifest.value.get("data")).items(), *mapping(manifest.value.get("binaryData")).items())
        total = sum(len(key) + (len(value.encode()) if isinstance(value, str) else 0) for key, value in data)
        if total > MAX_OBJECT_BYTES:
            yield Problem("V032", ("data",), f"the data has {total} bytes; at most {MAX_OBJECT_BYTES} are taken")
    elif manifest.identity.kind in ("PrometheusRule", "Middleware", "CustomResourceDefinition"):
        total = len(json.dumps(manifest.value))
        if total > MAX_REQUEST_BYTES:
            yield Problem("V032", (), f"the object has {total} bytes; etcd takes at most {MAX_REQUEST_BYTES}")


@rule_for("", "ConfigMap")
def config_map(manifest: Manifest) -> Iterator[Problem]:
    plain, binary = mapping(manifest.value.get("data")), mapping(manifest.value.get("binaryData"))
    for part, content in (("data", plain), ("binaryData", binary)):
        yield from _keys(content, part)
    for key in sorted(plain.keys() & binary.keys()):
        yield Problem("V032", ("binaryData", key), f"the key '{key}' stands in data too")
    yield from _base64(binary, "binaryData")


@rule_for("", "Secret")
def secret(manifest: Manifest) -> Iterator[Problem]:
    data = mapping(manifest.value.get("data"))
    yield from _keys(data, "data")
    yield from _keys(mapping(manifest.value.get("stringData")), "stringData")
    yield from _base64(data, "data")
    kind = manifest.value.get("type")
    there = data.keys() | mapping(manifest.value.get("stringData")).keys()
    for needed in _NEEDED_KEYS.get(str(kind), ()):
        if needed not in there:
            yield Problem("V032", ("type",), f"a Secret of type {kind} needs the key '{needed}'")


_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def _keys(data: object, part: str) -> Iterator[Problem]:
    for key in mapping(data):
        if len(key) > 253 or not _KEY.fullmatch(key) or key in (".", ".."):
            yield Problem(
                "V030", (part, key), f"'{key[:80]}' is no key: at most 253 of A-Z, a-z, 0-9, '-', '_' and '.'"
            )


def _base64(data: object, part: str) -> Iterator[Problem]:
    for key, value in mapping(data).items():
        try:
            base64.b64decode(value if isinstance(value, str) else "", validate=True)
        except (binascii.Error, ValueError):
            yield Problem("V033", (part, key), "the value is not base64", "encode it, or write it into stringData")


@rule_for_all
def addresses(manifest: Manifest) -> Iterator[Problem]:
    """No field holds an address with a password in it, for everyone who may read the repository or the object.

    Values of Secrets may: that is what they are for. Where no Secret may lie, IAM-08 tells of it.
    """
    if not _may_hold_addresses(manifest.value):
        return
    is_secret = manifest.kind == ("", "Secret")
    todo: list[tuple[Path, object]] = [((), manifest.value)]
    while todo:
        path, value = todo.pop()
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, inner in inside:
            if isinstance(inner, (dict, list)):
                if not (is_secret and not path and step in ("data", "stringData")):
                    todo.append(((*path, step), inner))
            elif isinstance(inner, str) and "://" in inner and "@" in inner and any(user_information(inner)):
                message = "holds an address with user information: a name, password or token before the '@'"
                hint = "keep it in the secret store, and change it: it is known now"
                yield Problem("V034", (*path, step), message, hint)


def _may_hold_addresses(value: Mapping[str, Any] | list[Any]) -> bool:
    """Most objects hold no text that could be one; where one is must then be found out for few."""
    for inner in value if isinstance(value, list) else value.values():
        if isinstance(inner, str):
            if "@" in inner and "://" in inner:
                return True
        elif isinstance(inner, (dict, list)) and _may_hold_addresses(inner):
            return True
    return False


@rule_for("", "Namespace")
def pod_security(manifest: Manifest) -> Iterator[Problem]:
    """Pod Security admission ignores a level that it doesn't know, with a warning at best."""
    for mode in ("enforce", "audit", "warn"):
        key = f"pod-security.kubernetes.io/{mode}"
        level = manifest.labels.get(key)
        if level is not None and level not in _PSA_LEVELS:
            yield Problem("V030", ("metadata", "labels", key), f"'{level}' is none of {', '.join(_PSA_LEVELS)}")
        version = manifest.labels.get(f"{key}-version")
        if version is not None and not re.fullmatch(r"latest|v1\.\d+", str(version)):
            path = ("metadata", "labels", f"{key}-version")
            yield Problem("V030", path, f"'{version}' is neither 'latest' nor like 'v1.34'")


@makes_secrets("", "Secret", own_name=True)
def own_secret(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """A Secret of the tree itself."""
    keys = mapping(manifest.value.get("data")).keys() | mapping(manifest.value.get("stringData")).keys()
    yield manifest.identity.name, frozenset(keys)
