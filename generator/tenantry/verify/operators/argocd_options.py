"""Words that Argo CD ignores or misreads: options, annotations, durations of retries, and Jobs that vanish (v3.6.1)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, items, mapping
from tenantry.core.suggestions import near
from tenantry.verify import values
from tenantry.verify.registration import rule_for, rule_for_all

_PREFIX = "argocd.argoproj.io/"
_SWITCH = ("true", "false")
_ASKED = (*_SWITCH, "confirm")
_OPTIONS = {
    "ApplyOutOfSyncOnly": _SWITCH,
    "ClientSideApplyMigration": _SWITCH,
    "CreateNamespace": _SWITCH,
    "Delete": _ASKED,
    "FailOnSharedResource": _SWITCH,
    "Force": _SWITCH,
    "Prune": _ASKED,
    "PruneLast": _SWITCH,
    "PrunePropagationPolicy": ("background", "foreground", "orphan"),
    "Replace": _SWITCH,
    "RespectIgnoreDifferences": _SWITCH,
    "ServerSideApply": _SWITCH,
    "SkipDryRunOnMissingResource": _SWITCH,
    "Validate": _SWITCH,
}
"""Options and their values (pkg/apis/application/v1alpha1, gitops-engine pkg/sync/common, docs/user-guide/sync-options)."""
_ANNOTATIONS = (
    "compare-options",
    "hook",
    "hook-delete-policy",
    "hydrate",
    "ignore-healthcheck",
    "ignore-resource-updates",
    "installation-id",
    "manifest-generate-paths",
    "managed-by-url",
    "refresh",
    "skip-reconcile",
    "sync-options",
    "sync-wave",
    "tracking-id",
)


@rule_for("argoproj.io", "Application")
def application_words(manifest: Manifest) -> Iterator[Problem]:
    policy = mapping(manifest.spec.get("syncPolicy"))
    for index, option in enumerate(items(policy.get("syncOptions"))):
        if isinstance(option, str) and "=" in option:
            yield from _option(option, ("spec", "syncPolicy", "syncOptions", index))
    backoff = mapping(mapping(policy.get("retry")).get("backoff"))
    for name in ("duration", "maxDuration"):
        written = backoff.get(name)
        if isinstance(written, str) and written and not _is_wait(written):
            path = ("spec", "syncPolicy", "retry", "backoff", name)
            yield Problem("V044", path, f"'{written}' is no duration", "write it like 30s or 3m")


def _is_wait(written: str) -> bool:
    """Seconds, or a duration (RetryStrategy.NextRetryAt)."""
    return (written.isascii() and written.isdigit()) or values.duration(written) is not None


def _option(option: str, path: Path) -> Iterator[Problem]:
    name, _, value = option.partition("=")
    allowed = _OPTIONS.get(name)
    if allowed is None:
        meant = near(name, _OPTIONS, 0.6)
        hint = f"did you mean {meant}?" if meant else f"there are {', '.join(_OPTIONS)}"
        yield Problem("V044", path, f"'{name}' is none of Argo CD's options, so it does nothing", hint)
    elif value not in allowed:
        yield Problem(
            "V044", path, f"'{value}' is no value of {name}, so it does nothing", f"one of {', '.join(allowed)}"
        )


@rule_for_all
def option_annotations(manifest: Manifest) -> Iterator[Problem]:
    """Sync options of one object, and annotations that are nearly Argo CD's."""
    path: Path = ("metadata", "annotations")
    for key, value in manifest.annotations.items():
        if not key.startswith(_PREFIX):
            continue
        name = key.removeprefix(_PREFIX)
        if name == "sync-options":
            for option in filter(None, (part.strip() for part in str(value).split(","))):
                yield from _option(option, (*path, key))
        elif name not in _ANNOTATIONS and (meant := near(name, _ANNOTATIONS, 0.8)):
            message = f"Argo CD knows no annotation '{key}', so it does nothing"
            yield Problem("V044", (*path, key), message, f"did you mean {_PREFIX}{meant}?", "warning")


@rule_for("batch", "Job")
def vanishing_hook(manifest: Manifest) -> Iterator[Problem]:
    """A hook that is removed as it ends was never seen to succeed."""
    hooks = str(manifest.annotations.get(f"{_PREFIX}hook", "Skip"))
    if manifest.spec.get("ttlSecondsAfterFinished") == 0 and hooks != "Skip":
        message = "the Job is gone before Argo CD sees that it succeeded, so the sync never ends"
        hint = f"remove it, and let {_PREFIX}hook-delete-policy remove the Job"
        yield Problem("V065", ("spec", "ttlSecondsAfterFinished"), message, hint)
