"""Any bytes and any YAML: a document or located findings, never an exception."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tenantry.core.findings import Finding, Place
from tenantry.inputs import schema, source

fragments = st.sampled_from([
    "a:", " ", "\n", "- ", "b: 1", "'", '"', "{", "}", "[", "]", "&x", "*x", "!t", "|", ">", "#", "---", "...", "\t", "?", ":", "%YAML 1.1", "<<: ", "é",
    "apiVersion: tenantry.io/v1alpha1\n", "kind: Tenant\n", "metadata: {name: acme}\n", "spec: {users: 5}\n", "yes", "0x1", "\x00", "\ufeff",
])  # fmt: skip


@given(st.lists(fragments, max_size=14).map("".join) | st.text(max_size=60))
def test_any_text_gives_a_document_or_findings_with_a_place(text: str) -> None:
    document, findings = source.parse("tenants/acme.yaml", text)
    assert document is not None or findings
    if document is not None:
        findings += schema.validate(document, ("Tenant",), frozenset())
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    for finding in findings:
        assert finding.place.file == "tenants/acme.yaml"
        assert 0 <= finding.place.line <= lines + 1
        assert "\n" not in finding.message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.yaml").write_bytes(content)
        text = source.read_text(Path(folder), "x.yaml")
    assert isinstance(text, (str, Finding))


def test_places_of_keys_and_values_count_from_one() -> None:
    document, _ = source.parse("x.yaml", "a:\n  b: [1, {c: d}]\n")
    assert document is not None
    assert document.place(("a", "b"), key=True) == Place("x.yaml", 2, 3)
    assert document.place(("a", "b", 1, "c")) == Place("x.yaml", 2, 14)
    assert document.place(("a", "nothing", "deep")) == Place("x.yaml", 2, 3)
