"""Write data/ anew from the operators' released Go modules: `make crds` (or `--check`: say whether it is current).

One file an API group: every kind with its served versions and their schemas, without descriptions. Only Go and its
module proxy are asked. The Prometheus operator's module carries no manifests, so controller-gen makes them from its types.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tenantry.engine import go_toolchain
from tenantry.engine.go_toolchain import find_go

HERE = Path(__file__).parent

MODULES = {
    "github.com/cloudnative-pg/cloudnative-pg@v1.30.0": (
        "h1:fnhVq44xXx97MNiuvJsPrX1vSjYbgdyBK5MSGfdHdp0=",
        "config/crd/bases/",
    ),
    "github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0": (
        "h1:gNVytrzzYUE08wxLDrjfJqy1FPPSFkMe1OEr4s4pVI0=",
        "config/crd/bases/",
    ),
    "github.com/vmware-tanzu/velero@v1.18.3": (
        "h1:9uwN5yxTWQl9PsF5ljX4xiG+7VIq3I9mxOQ0DyyZ31A=",
        "config/crd/v1/bases/",
        "config/crd/v2alpha1/bases/",
    ),
    "github.com/traefik/traefik/v3@v3.7.13": (
        "h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=",
        "docs/content/reference/dynamic-configuration/traefik.io_",
    ),
    "github.com/argoproj/argo-cd/v3@v3.6.1": ("h1:OmhqeKiR3C//awbFrhQqFdtRI+Qiv17j8vqm3UkMj/g=", "manifests/crds/"),
    "github.com/cert-manager/cert-manager@v1.21.2": ("h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=", "deploy/crds/"),
    # The last version with a Go module: from 2.0 on its go.mod keeps the path of v1, so no proxy has one. In 2.4.0
    # ExternalSecret has three optional fields more; SecretStore has 46 fields more, and some providers less (`alibaba`).
    "github.com/external-secrets/external-secrets@v1.3.2": (
        "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
        "config/crds/bases/external-secrets.io_",
        "config/crds/bases/generators.external-secrets.io_",
    ),
    "github.com/kyverno/kyverno@v1.19.1": (
        "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU=",
        "config/crds/policies.kyverno.io/",
        "config/crds/kyverno/",
    ),
    "github.com/kedacore/keda/v2@v2.21.0": (
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        "config/crd/bases/keda.sh_",
        "config/crd/bases/eventing.keda.sh_",
    ),
    "sigs.k8s.io/karpenter@v1.15.0": ("h1:5SEptlAvsOZbNg4qg8OSdF1qi6BEZHZLA020nXY7jGw=", "pkg/apis/crds/karpenter.sh_"),
}
"""Module at version -> the sum of its zip file, as go.sum writes it, and path prefixes of its CRD manifests in it."""

MONITORING = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"
"""A module of types. Its version and that of controller-gen are pinned by monitoring/go.mod and go.sum."""


class _Loader(yaml.CSafeLoader):
    """Reads a bare `=` (an Alertmanager match type) as text, as every YAML 1.2 reader does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:value"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def manifests(go: str) -> Iterator[tuple[str, bytes]]:
    """(source, manifest) of every CRD file."""
    for module, (wanted, *prefixes) in MODULES.items():
        answer = json.loads(go_toolchain.run(go, "mod", "download", "-json", module, folder=Path("/")).stdout)
        archive = answer.get("Zip")  # there even when the module wants a newer Go
        if not archive:
            raise SystemExit(f"{module}: {answer.get('Error')}")
        if answer["Sum"] != wanted:
            raise SystemExit(
                f"{module}: its content is {answer['Sum']}, not {wanted}; don't use it before you know why"
            )
        print(f"reading {module}", file=sys.stderr)
        with zipfile.ZipFile(archive) as content:
            for name in sorted(content.namelist()):
                if name.endswith(".yaml") and name.startswith(tuple(f"{module}/{prefix}" for prefix in prefixes)):
                    yield module, content.read(name)
    yield from _monitoring(go)


def _monitoring(go: str) -> Iterator[tuple[str, bytes]]:
    listed = go_toolchain.run(go, "list", "-m", "-f", "{{.Path}}@{{.Version}}", MONITORING, folder=HERE / "monitoring")
    module = listed.stdout.strip()
    print(f"generating from {module} (a minute the first time)", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"paths={MONITORING}/{version}" for version in ("v1", "v1alpha1", "v1beta1")]
        options = ("crd:maxDescLen=0", *paths, f"output:crd:dir={folder}")
        done = go_toolchain.run(go, "tool", "controller-gen", *options, folder=HERE / "monitoring")
        if done.returncode:
            raise SystemExit(f"controller-gen: {done.stderr.strip()}")
        for path in sorted(Path(folder).iterdir()):
            yield module, path.read_bytes()


def compact(schema: Any) -> Any:
    """A schema without its descriptions; a property called `description` stays."""
    if isinstance(schema, list):
        return [compact(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: compact(inner) for name, inner in value.items()}
        elif key in ("default", "enum", "example"):
            result[key] = value
        elif key not in ("description", "externalDocs"):
            result[key] = compact(value)
    return result


def groups(go: str) -> dict[str, str]:
    """File name -> content of data/."""
    found: dict[str, list[dict[str, Any]]] = {}
    for source, text in manifests(go):
        for manifest in yaml.load_all(text, _Loader):
            if not manifest or manifest.get("kind") != "CustomResourceDefinition":
                continue
            spec = manifest["spec"]
            versions = [
                {key: compact(version[key]) if key == "schema" else version[key] for key in sorted(version)
                 if key in ("name", "served", "storage", "deprecated", "deprecationWarning", "schema")}
                for version in spec["versions"]
            ]  # fmt: skip
            kind = {"kind": spec["names"]["kind"], "scope": spec["scope"], "source": source, "versions": versions}
            found.setdefault(spec["group"], []).append(kind)
    return {
        f"{group}.json": "[\n" + ",\n".join(json.dumps(kind, sort_keys=True, separators=(",", ":"))
        for kind in sorted(kinds, key=lambda kind: str(kind["kind"]))) + "\n]\n"
        for group, kinds in sorted(found.items())
    }  # fmt: skip


def main() -> None:
    data = HERE / "data"
    wanted = groups(find_go())
    there = {path.name: path.read_text() for path in data.glob("*.json")}
    if wanted == there:
        print(f"{len(wanted)} API groups: current")
        return
    stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if "--check" in sys.argv:
        raise SystemExit(f"not current: {', '.join(stale)}; run 'make crds'")
    data.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (data / name).write_text(wanted[name])
        else:
            (data / name).unlink()
    print(f"wrote {', '.join(stale)}")


if __name__ == "__main__":
    main()
