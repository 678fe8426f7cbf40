"""The firewall where the edge's image holds one: rendered as a local plugin, on every page, in the promised mode."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from conftest import Ran

Run = Callable[..., Ran]
MODULE = "github.com/jcchavezs/coraza-http-wasm-traefik"
ACME = "rendered/euw1-a/production/acme/app"
PLATFORM = "rendered/euw1-a/platform/common"
CHANGES: tuple[tuple[str, str, str, str], ...] = (
    (f"{ACME}/middleware.traefik.io_acme-production_web-application-firewall.yaml", "SecRuleEngine On", "SecRuleEngine DetectionOnly",
     "the firewall does not run as promised (block)"),
    (f"{ACME}/ingressroute.traefik.io_acme-production_odoo-public.yaml", "    - name: web-application-firewall\n", "",
     "the web application firewall is bypassed"),
    (f"{PLATFORM}/configmap_traefik_traefik-static.yaml", "abortOnPluginFailure: true", "abortOnPluginFailure: false",
     "experimental.abortOnPluginFailure is off: without its plugin, Traefik serves no route that names the firewall"),
    (f"{PLATFORM}/configmap_traefik_traefik-static.yaml", f"moduleName: {MODULE}", "moduleName: example.com/other",
     f"local plugins are example.com/other; the edge's image has {MODULE}"),
)  # fmt: skip
"""(file, what it says, what it says then, the breach)."""


def test_a_firewall_of_the_edge_is_used_as_promised(run: Run, fleet: Path) -> None:
    tier = fleet / "tiers/shared.yaml"
    tier.write_text(tier.read_text().replace('webApplicationFirewall: "off"', "webApplicationFirewall: block"))
    assert run("set", "cluster/euw1-a", f"spec.traefik.firewallModule={MODULE}", "-C", fleet).code == 0
    image = f"registry.provider.example/platform/traefik:3.7.15@sha256:{'a' * 64}"
    assert run("set", "platform", f"spec.images.traefik={image}", "-C", fleet).code == 0
    assert run("render", "-C", fleet).code == 0
    assert run("verify", "-C", fleet).code == 0
    for name, old, new, message in CHANGES:
        file = fleet / name
        before = file.read_text()
        assert old in before, (name, old)
        file.write_text(before.replace(old, new))
        told = json.loads(run("verify", "-C", fleet, "--format", "json").out)["findings"]
        file.write_text(before)
        assert {finding["control"] for finding in told} == {"EDGE-04"}, (message, told)
        assert all(finding["file"] == name for finding in told)
        assert message in told[0]["message"]
