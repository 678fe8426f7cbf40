"""A fleet whose alerts nobody hears is warned of it."""

from __future__ import annotations

from pathlib import Path

from tenantry.inputs import edits
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store


def test_alerts_without_receivers_are_a_warning_and_no_error(fleet: Path) -> None:
    platform = fleet / "platform/platform.yaml"
    assert "F050" not in {f.code for f in read_inputs(fleet, "2026-11-26", Store(None)).findings}
    platform.write_text(edits.without(platform.read_text(), ("spec", "alerting")))
    (finding,) = read_inputs(fleet, "2026-11-26", Store(None)).findings
    assert (finding.code, finding.severity, finding.place.file) == ("F050", "warning", "platform/platform.yaml")
    assert finding.message == "alerts are rendered, and reach nobody"
