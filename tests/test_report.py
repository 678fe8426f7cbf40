"""Formats that other programs read are what their owners published, whatever a finding says."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema

from conftest import Ran
from published import junit_schema, sarif_schema
from tenantry.core.findings import Finding, ObjectId, Place, RelatedPlace, Result
from tenantry.report import COMMANDS, WRITERS, github, gitlab, junit, sarif

HOSTILE = "a\n::error::b\r\n##[error]c%0A::warning::d]]></failure>&<x>\0\x1b[2J\u202e[click](https://evil.example)"
OBJECT = ObjectId("apps", "Deployment", "acme-production", "odoo-web")
RELATED = (
    RelatedPlace("input", Place("tenants/acme.yaml", 14, 5)),
    RelatedPlace("template", Place("templates/app/web.yaml.j2", 7, 1)),
    RelatedPlace("overlay", Place("overlays/x/kustomization.yaml")),
)
ONE = Finding("F003", Place("platform/cells/a.yaml", 24, 21), "cell 'a' is full", "move a tenant")
WARNING = Finding("V012", Place("rendered/x.yaml", 1, 1), "old", severity="warning")
PROOF = Finding(
    "V070", Place("rendered/a.yaml", 3, 7), f"{OBJECT}: spec: no", "add it", "error", "acme", OBJECT, "NET-03", RELATED
)
BAD = Finding("F003", Place(f"tenants/{HOSTILE},line=9:x\udcff.yaml", 1), HOSTILE, HOSTILE, tenant="acme")
UNKNOWN = Finding("Z999", Place("/elsewhere/a b.yaml"), "")

RESULTS = {
    "nothing": Result("check", notes=("all is well",)),
    "plain": Result("check", (ONE, WARNING, PROOF)),
    "hostile": Result("check", (BAD,), notes=(HOSTILE,)),
    "unknown": Result("verify", (UNKNOWN,)),
    "below": Result("check", (ONE, PROOF), folder="fleets/eu/"),
}


@pytest.fixture(params=RESULTS)
def result(request: pytest.FixtureRequest) -> Result:
    return RESULTS[request.param]


def run_of(result: Result) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(sarif.write(result))["runs"][0]
    return run


# --- SARIF


def sarif_errors(document: Any) -> list[str]:
    checker = jsonschema.Draft4Validator(json.loads(sarif_schema()), format_checker=jsonschema.FormatChecker())
    return [error.message for error in checker.iter_errors(document)]


def test_sarif_is_valid_by_the_schema_of_oasis(result: Result) -> None:
    assert sarif_errors(json.loads(sarif.write(result))) == []


def test_the_schema_of_oasis_refuses_what_is_wrong() -> None:
    document = json.loads(sarif.write(RESULTS["plain"]))
    document["runs"][0]["results"][0]["level"] = "critical"
    assert sarif_errors(document) == ["'critical' is not one of ['none', 'note', 'warning', 'error']"]


def test_sarif_says_where_what_and_for_whom() -> None:
    run = run_of(RESULTS["plain"])
    full, old, proof = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["F003", "V012", "V070"]
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "Cell is full"
    assert [(one["level"], one["ruleIndex"]) for one in (full, old, proof)] == [
        ("error", 0),
        ("warning", 1),
        ("error", 2),
    ]
    assert full["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "platform/cells/a.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 24, "startColumn": 21},
            }
        }
    ]
    assert proof["properties"] == {
        "tenant": "acme",
        "control": "NET-03",
        "object": {"group": "apps", "kind": "Deployment", "namespace": "acme-production", "name": "odoo-web"},
    }


def test_sarif_leads_to_the_input_and_the_template_of_a_rendered_object() -> None:
    places = run_of(RESULTS["below"])["results"][1]["relatedLocations"]
    assert [(one["physicalLocation"]["artifactLocation"], one["physicalLocation"]["region"]) for one in places] == [
        ({"uri": "fleets/eu/tenants/acme.yaml", "uriBaseId": "%SRCROOT%"}, {"startLine": 14, "startColumn": 5}),
        ({"uri": "templates/app/web.yaml.j2", "uriBaseId": "TENANTRY"}, {"startLine": 7, "startColumn": 1}),
        ({"uri": "fleets/eu/overlays/x/kustomization.yaml", "uriBaseId": "%SRCROOT%"}, {"startLine": 1}),
    ]


def test_sarif_names_files_by_addresses_that_stay_in_the_repository() -> None:
    address = run_of(RESULTS["hostile"])["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"tenants/[\w%./~-]+", address)
    outside = run_of(RESULTS["unknown"])["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert outside == {"uri": "file:///elsewhere/a%20b.yaml"}
    above = Result("verify", (Finding("V001", Place("../other/x.yaml"), "no"),), folder="fleets/eu/")
    uri = run_of(above)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "fleets/other/x.yaml"


def test_a_message_is_no_link() -> None:
    assert "](" not in run_of(RESULTS["hostile"])["results"][0]["message"]["text"]


# --- identities


def marks(*findings: Finding) -> list[str]:
    return [one["partialFingerprints"]["tenantryFinding/v1"] for one in run_of(Result("check", findings))["results"]]


def moved(finding: Finding, **changes: Any) -> Finding:
    return dataclasses.replace(finding, **changes)


def test_an_identity_outlives_moved_lines_changed_numbers_and_hints() -> None:
    same = moved(PROOF, place=Place("rendered/a.yaml", 99, 1), message=f"{OBJECT}: spec: no", hint="other", related=())
    assert marks(PROOF) == marks(same)
    assert marks(moved(ONE, message="12 users")) == marks(moved(ONE, message="13 users"))


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "F004"}, {"place": Place("platform/cells/b.yaml", 24, 21)}, {"tenant": "zeta"}, {"object": None},
        {"control": "NET-04"}, {"message": "another"},
    ],
)  # fmt: skip
def test_an_identity_is_of_one_finding(changes: dict[str, Any]) -> None:
    assert marks(PROOF) != marks(moved(PROOF, **changes))


def test_two_findings_that_say_the_same_have_identities_of_their_own() -> None:
    first, second = marks(ONE, moved(ONE, place=Place(ONE.place.file, 30, 1)))
    assert first != second
    assert first == marks(ONE)[0]


# --- JUnit

_ANT = {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id"}
"""What the schema of Ant requires of a suite; the one of Jenkins leaves it to the writer."""


def test_junit_is_valid_by_the_schema_of_jenkins(result: Result) -> None:
    schema = xmlschema.XMLSchema(io.StringIO(junit_schema()))
    schema.validate(junit.write(result))
    suite = Xml.fromstring(junit.write(result))[0]
    assert set(suite.attrib) >= _ANT
    assert [child.tag for child in suite] == [
        "properties",
        *["testcase"] * (len(suite) - 3),
        "system-out",
        "system-err",
    ]
    assert all(set(case.attrib) == {"classname", "name", "time"} and len(case) <= 1 for case in suite.iter("testcase"))


def test_the_schema_of_jenkins_refuses_what_is_wrong() -> None:
    schema = xmlschema.XMLSchema(io.StringIO(junit_schema()))
    assert not schema.is_valid(junit.write(RESULTS["plain"]).replace("<failure ", "<failure line='1' "))


def test_an_error_is_a_failed_test_and_a_warning_a_skipped_one() -> None:
    suite = Xml.fromstring(junit.write(RESULTS["plain"]))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "2", "1")
    assert [[child.tag for child in case] for case in suite.iter("testcase")] == [["failure"], ["skipped"], ["failure"]]
    passed = Xml.fromstring(junit.write(RESULTS["nothing"]))[0]
    assert [(case.get("name"), len(case)) for case in passed.iter("testcase")] == [("all", 0)]


# --- GitHub and GitLab


def test_annotations_stand_at_file_line_and_column() -> None:
    first, second, *_ = github.write(RESULTS["below"]).splitlines()
    assert first == (
        "::error file=fleets/eu/platform/cells/a.yaml,line=24,col=21,title=F003 Cell is full::cell 'a' is full (move a tenant)"
    )
    assert second.startswith("::error file=fleets/eu/rendered/a.yaml,line=3,col=7,title=V070 Policy violated::")
    assert "::warning file=rendered/x.yaml,line=1,col=1," in github.write(RESULTS["plain"])


def test_no_text_of_a_file_becomes_a_command_or_one_of_its_properties() -> None:
    command, note, summary = github.write(RESULTS["hostile"]).splitlines()
    match = re.fullmatch(r"::error file=([^,:]+),line=1,title=F003 Cell is full::(.*)", command)
    assert match, command
    assert not note.startswith("::")
    for text in (match[1], match[2], note, summary):
        assert not re.search(r"##\w*\[|[\r\n\0\x1b\u202e]", text)
    assert "%0A" not in re.sub("%250A", "", command)


def test_a_note_is_no_command() -> None:
    assert github.write(Result("check", notes=("::error::x",))) == "\\x3a:error::x\n"


CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""The fields that GitLab's manual lists for a Code Quality report; GitLab publishes no schema."""


def test_a_code_quality_report_has_the_fields_that_gitlab_reads(result: Result) -> None:
    found = json.loads(gitlab.write(result))
    jsonschema.validate(found, CODE_QUALITY)
    assert len({one["fingerprint"] for one in found}) == len(found) == len(result.findings)


def test_errors_and_warnings_differ_in_severity() -> None:
    assert [one["severity"] for one in json.loads(gitlab.write(RESULTS["plain"]))] == ["critical", "minor", "critical"]


# --- all of them


@pytest.mark.parametrize("form", WRITERS)
def test_the_same_findings_are_the_same_bytes(form: str, result: Result) -> None:
    assert WRITERS[form](result) == WRITERS[form](result)


@pytest.mark.parametrize("form", WRITERS)
def test_no_format_acts_on_its_reader(form: str) -> None:
    written = WRITERS[form](RESULTS["hostile"])
    begin = [line for line in written.splitlines() if line.lstrip().startswith("::")]
    assert len(begin) == (1 if form in COMMANDS else 0)
    assert not re.search(r"##\w*\[|[\0\x1b\u202e]", written)


def test_a_finding_of_a_real_fleet_leads_to_its_tenant_and_its_template(run: Callable[..., Ran], fleet: Path) -> None:
    assert run("render", "-C", fleet).code == 0
    limit = next(
        (fleet / "rendered").glob("*/production/acme/app/middleware.traefik.io_acme-production_rate-limit.yaml")
    )
    limit.write_text(re.sub(r"average: \d+", "average: 9999999", limit.read_text()))
    ran = run("verify", "-C", fleet, "--format", "sarif", "--output", fleet / "a.sarif", "--format", "json")
    assert ran.code == 1
    document = json.loads((fleet / "a.sarif").read_text())
    assert sarif_errors(document) == []
    (found,) = (one for one in document["runs"][0]["results"] if one.get("relatedLocations"))
    places = [one["physicalLocation"]["artifactLocation"] for one in found["relatedLocations"]]
    assert places[0] == {"uri": "tiers/shared.yaml", "uriBaseId": "%SRCROOT%"}
    assert places[-1] == {"uri": "templates/app/middleware-rate-limit.yaml.j2", "uriBaseId": "TENANTRY"}
    related = [one["related"] for one in json.loads(ran.out)["findings"] if "related" in one]
    assert [place["role"] for place in related[0]] == ["input"] * (len(places) - 1) + ["template"]
    assert {key: found["properties"][key] for key in ("tenant", "control")} == {"tenant": "acme", "control": "EDGE-04"}
