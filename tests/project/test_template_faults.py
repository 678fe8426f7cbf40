"""Faults in the templates themselves: the trees are what the templates say, so each must be found by what it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY

TEMPLATES = "generator/tenantry/render/templates"


@dataclass(frozen=True)
class Fault:
    """A template, what stands there, what stands there instead, and by which control or code it must be found."""

    template: str
    old: str
    new: str
    found: str
    kind: str
    """Of an object that it is found at."""

    def __str__(self) -> str:
        return f"{self.found} {self.template}"


FAULTS = (
    Fault("app/deployment-odoo-web.yaml.j2", "          startupProbe:\n            httpGet: {path: /web/health, port: http}\n"
          "            periodSeconds: 5\n            timeoutSeconds: 5\n            failureThreshold: 60\n", "", "RUN-08", "Deployment"),
    Fault("macros/odoo.j2", "{name: ODOO_RC, value: /run/odoo/odoo.conf}", "{name: ODOO_RC, value: /etc/odoo/odoo.conf}", "DATA-05", "Deployment"),
    Fault("files/migrate.py", "    refuse_default_password(cursor)\n", "", "IAM-09", "ConfigMap"),
    Fault("files/migrate.py", "    grant(cursor)\n    mark", "    mark", "DATA-03", "ConfigMap"),
    Fault("delivery/application.yaml.j2", "selfHeal: true", "selfHeal: false", "SUP-06", "Application"),
    Fault("platform/velero-backupstoragelocation.yaml.j2", "accessMode: ReadWrite", "accessMode: ReadOnly", "BKP-01", "BackupStorageLocation"),
    Fault("components/odoo/rolebinding-support.yaml.j2", "in platform.support.groups", 'in ["others"]', "IAM-04", "RoleBinding"),
    Fault("app/ingressroute-redirect.yaml.j2", "entryPoints: [web]", "entryPoints: [metrics]", "EDGE-05", "IngressRoute"),
    Fault("app/hook-job-backup.yaml.j2", "  backoffLimit:", "  ttlSecondsAfterFinished: 0\n  backoffLimit:", "V065", "Job"),
    Fault("delivery/velero-schedule.yaml.j2", "useOwnerReferencesInBackup: false", "useOwnerReferencesInBackup: true", "V056", "Schedule"),
    Fault("delivery/velero-schedule.yaml.j2", "    storageLocation:", "    snapshotVolumes: false\n    storageLocation:", "BKP-01", "Schedule"),
    Fault("macros/backup.j2", "schedule: {{ cron | yaml }}", 'schedule: "0 3 * * * *"', "V041", "ScheduledBackup"),
    Fault("infra/certificate-odoo.yaml.j2", "dnsNames: [{{ certificate_host | yaml }}]", "dnsNames: [other.example]", "EDGE-05", "Certificate"),
    Fault("infra/podmonitor-odoo.yaml.j2", "port: http", "port: metrics", "V062", "PodMonitor"),
    Fault("components/odoo/networkpolicy-odoo-ingress.yaml.j2", '        - {{ network.pods(platform.namespaces.monitoring, "prometheus") }}\n',
          "", "NET-04", "NetworkPolicy"),
)  # fmt: skip


BY_RULE = tuple(fault for fault in FAULTS if fault.found.startswith("V"))
BY_PROOF = tuple(fault for fault in FAULTS if fault not in BY_RULE)


def findings(fleet: Path, folder: Path, faults: tuple[Fault, ...]) -> list[dict[str, Any]]:
    """What `render` says with faults in a copy of the templates. Objects that a rule refuses are not proved."""
    package = folder / "generator"
    unwanted = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(REPOSITORY / "generator", package, ignore=unwanted, symlinks=True)
    for fault in faults:
        path = folder / TEMPLATES / fault.template
        text = path.read_text()
        assert text.count(fault.old) == 1, f"{fault}: {text.count(fault.old)} times"
        path.write_text(text.replace(fault.old, fault.new))
    command = [sys.executable, "-m", "tenantry", "render", "-C", str(fleet), "--format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    assert not (fleet / "rendered").exists()
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


@pytest.mark.parametrize("faults", [BY_RULE, BY_PROOF], ids=["rules", "proofs"])
def test_each_fault_is_found_by_what_it_does_and_none_by_comparison(
    faults: tuple[Fault, ...], fleet: Path, tmp_path: Path
) -> None:
    found = findings(fleet, tmp_path / "copy", faults)
    seen = {(name, one["object"]["kind"]) for one in found if one["object"] for name in (one["code"], one["control"])}
    assert [str(fault) for fault in faults if (fault.found, fault.kind) not in seen] == [], sorted(seen)
    assert [one["message"] for one in found if "SUP-05" in (one["code"], one["control"])] == []
