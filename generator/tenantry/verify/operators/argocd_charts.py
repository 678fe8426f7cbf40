"""Helm charts that Argo CD renders: what decides which chart and which values it is (v3.6.1, util/versions/tags.go;
docs/user-guide/helm.md: `values` is ignored beside `valuesObject`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.registration import rule_for

declare(
    Code(
        "V078",
        "Chart is not what was reviewed",
        "An Application whose chart or values are decided outside of it, or by fields that cancel out.",
    )
)

_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?\Z")


@rule_for("argoproj.io", "Application")
def chart_sources(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    sources: list[tuple[Path, Value]] = (
        [(("spec", "source"), mapping(spec.get("source")))] if spec.get("source") else []
    )
    sources += [(("spec", "sources", index), source) for index, source in entries(spec.get("sources"))]
    for path, source in sources:
        helm = mapping(source.get("helm"))
        if source.get("chart"):
            revision = text(source.get("targetRevision"))
            if not _EXACT.match(revision):
                said = (
                    f"'{revision}' stands for the newest of several versions"
                    if revision
                    else "no version means the newest"
                )
                message = f"{said}: what runs changes without a commit"
                yield Problem(
                    "V078", (*path, "targetRevision"), message, "write one version in full, such as 1.2.3", "warning"
                )
        if helm.get("values") and helm.get("valuesObject"):
            yield Problem(
                "V078", (*path, "helm", "values"), "Argo CD ignores values beside valuesObject", "write one of them"
            )
