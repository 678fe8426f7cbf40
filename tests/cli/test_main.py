"""Exit codes, helpful refusals, stable JSON: what people and programs rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tenantry.verify  # noqa: F401 - declares the codes of operators
from conftest import Ran, add_tenant, tree
from tenantry.cli.main import COMMANDS
from tenantry.core.code_notes import NOTES
from tenantry.core.codes import CODES_BY_ID

Run = Callable[..., Ran]


def test_a_new_user_goes_from_nothing_to_a_checked_fleet(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "fleet"
    assert run("init", root).code == 0
    assert run("render", "-C", root).code == 0
    for tier in ("shared", "segmented"):
        ran = run("new", "tenant", f"contoso-{tier}", "--tier", tier, "-C", root)
        assert (ran.code, ran.err) == (0, "")
    assert run("check", "-C", root).code == 1
    assert run("render", "-C", root).code == 0
    ran = run("check", "-C", root)
    assert ran.code == 0
    assert ran.out.startswith("2 tenants, 2 instances, 18 overlays: inputs are valid, trees are up to date.\n")
    assert run("new", "cell", "euw1-shared-c", "--cluster", "euw1-a", "--tier", "shared", "-C", root).code == 0
    arguments = (
        "--tenant",
        "contoso-shared",
        "--control",
        "EDGE-04",
        "--reason",
        "Ferry",
        "--compensating-control",
        "Logins are counted",
        "--owner",
        "a@provider.example",
    )
    ran = run(
        "new",
        "exception",
        "ferry",
        *arguments,
        "--approver",
        "b@provider.example",
        "--expires",
        "2099-01-01",
        "-C",
        root,
    )
    assert ran.code == 0
    ran = run("render", "-C", root)
    assert (ran.code, "F023 warning" in ran.out) == (0, True), ran.out  # the tenant complies with the control
    (root / "policies/exceptions/ferry.yaml").unlink()
    assert run("render", "-C", root).code == 0
    assert run("check", "-C", root).code == 0


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["chekc"], 2, "Did you mean 'check'?"),
    (["check", "--formt", "json"], 2, "--format"),
    (["check", "--format", "xml"], 2, "'json', 'junit', 'markdown', 'sarif', 'text'"),
    (["check", "--as-of", "yesterday"], 2, "write it like 2026-11-23"),
    (["check", "-C", "/nowhere"], 2, "is not a fleet"),
    (["render", "acmee"], 2, "did you mean 'acme'?"),
    (["explain", "acmee"], 2, "did you mean 'acme'?"),
    (["new", "tenant", "Acme", "--tier", "shared"], 2, "can't be a name"),
    (["new", "tenant", "acme", "--tier", "shared"], 2, "is there already"),
    (["new", "tenant", "contoso", "--tier", "gold"], 2, "tiers: dedicated, segmented, shared"),
    (["new", "tenant", "contoso", "--tier", "dedicated"], 2, "no cell of tier 'dedicated' has room"),
    (["new", "cell", "x", "--cluster", "y", "--tier", "shared"], 2, "there is no cluster 'y'"),
    (["schema", "tennant"], 2, "tenant"),
    (["init", "."], 2, "is not empty"),
])  # fmt: skip
def test_a_mistake_on_the_command_line_is_answered_with_the_way_out(
    run: Run, fleet: Path, arguments: list[str], code: int, words: str
) -> None:
    ran = run(*arguments, cwd=fleet)
    assert ran.code == code
    assert words in ran.err + ran.out
    assert not (fleet / "rendered").exists()


def test_options_stand_before_or_after_the_command(run: Run, fleet: Path) -> None:
    run("render", "-C", fleet)
    before = run("-C", fleet, "--format", "json", "check")
    after = run("check", "--format", "json", "-C", fleet)
    assert before.out == after.out
    assert json.loads(after.out)["ok"] is True


def test_the_json_result_has_the_fields_of_the_contract(run: Run, fleet: Path, tmp_path: Path) -> None:
    path = fleet / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("users: 24", "users: 0"))
    ran = run("check", "-C", fleet, "--format", "json", "--output", tmp_path / "result.json")
    assert (ran.code, ran.out) == (1, "")
    result = json.loads((tmp_path / "result.json").read_text())
    assert set(result) == {"version", "command", "ok", "counts", "findings", "notes"}
    assert (result["version"], result["command"], result["ok"], result["counts"]["findings"]) == (1, "check", False, 1)
    assert result["findings"] == [
        {
            "code": "S023", "severity": "error", "file": "tenants/acme.yaml", "line": 16, "column": 10, "tenant": "",
            "object": None, "control": "", "message": "'spec.users' is 0, but must be at least 1",
            "hint": "Number of named users; sizes workers, memory, connections and storage",
        }
    ]  # fmt: skip


def test_all_faults_of_a_run_come_at_once_and_sorted(run: Run, fleet: Path) -> None:
    add_tenant(fleet, "zeta", "shared", "nowhere", users=10)
    path = fleet / "tenants/acme.yaml"
    path.write_text(
        path.read_text().replace("users: 24", "users: many").replace("customization: low", "customization: some")
    )
    (fleet / "tenants/broken.yaml").write_text("a: [\n")
    lines = run("check", "-C", fleet).out.splitlines()[:-2]
    assert [line.split(": ")[0] for line in lines] == sorted(line.split(": ")[0] for line in lines)
    assert [line.split(": ")[1].split()[0] for line in lines] == ["S023", "S022", "S004", "R001"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_itself(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert len(ran.out.splitlines()) > 8


def test_explain_names_file_and_line_of_each_value(run: Run, fleet: Path) -> None:
    path = fleet / "tenants/northwind.yaml"
    path.write_text(path.read_text() + "  overrides: {logRetentionDays: {value: 365, reason: Contracts ask for it}}\n")
    ran = run("explain", "northwind-production", "-C", fleet)
    assert ran.code == 0
    rows = {line.split()[0]: line.split(None, 3)[1:] for line in ran.out.splitlines()[1:]}
    assert rows["logs_days"] == ["365", "tenants/northwind.yaml:21:41", "override: Contracts ask for it"]
    assert rows["edge.requests_per_second"] == ["50", "tiers/segmented.yaml:69:24", "tier default"]
    assert rows["cluster"] == ["euw1-a", "platform/cells/euw1-seg-a.yaml:7:12", "cluster of the cell"]
    unexplained = [name for name, row in rows.items() if len(row) < 3]
    assert not unexplained
    assert set(json.loads(run("explain", "northwind", "--format", "json", "-C", fleet).out)["instances"]) == {
        "northwind-production", "northwind-staging"
    }  # fmt: skip


def test_explain_of_a_code_says_what_it_means(run: Run) -> None:
    assert run("explain", "f001").out.startswith("F001: Host is taken\n")


def test_codes_of_objects_say_why_by_whom_and_how_to_fix(run: Run) -> None:
    assert {code for code in CODES_BY_ID if code.startswith("V")} == NOTES.keys()
    shown = run("explain", "V056").out
    for part in ("Severity  error: no backup", "Source    CloudNativePG", "Fix       Set the backup up"):
        assert part in shown
    fields = json.loads(run("explain", "V056", "--format", "json").out)["code"]
    assert (fields["fix"], fields["source"]) == (NOTES["V056"].fix, NOTES["V056"].source)


def test_warnings_fail_when_they_are_asked_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n")
    assert run("verify", tmp_path).code == 0
    assert run("verify", tmp_path, "--fail-on", "warning").code == 1
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert run("verify", tmp_path, "--fail-on", "warning").code == 0


def test_an_internal_error_gives_one_line_and_a_file_without_a_traceback(fleet: Path, tmp_path: Path) -> None:
    """A broken installation causes the error: a schema that is not JSON."""
    code = (
        "import sys, tenantry.inputs.schema as s; s.schema_text = lambda kind: 'no json'\n"
        f"sys.argv = ['tenantry', 'check', '--no-cache', '-C', {str(fleet)!r}]\n"
        "from tenantry.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "internal error (JSONDecodeError)" in done.stderr
    assert "Traceback" in next(tmp_path.glob("tenantry-bug-*.txt")).read_text()


def test_ctrl_c_ends_with_130_and_leaves_the_old_trees(run: Run, fleet: Path) -> None:
    run("render", "-C", fleet)
    before = tree(fleet)
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=48)
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"""
import os, signal, sys
from tenantry.publish.writer import Publisher
Publisher.commit = lambda self: os.kill(os.getpid(), signal.SIGINT)  # the moment before anything is moved
sys.argv = ['tenantry', 'render', '-C', {str(fleet)!r}]
from tenantry.cli.main import main; main()
""",
        ],
        stderr=subprocess.PIPE,
    )
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err.decode().lstrip()) == (130, "tenantry: interrupted\n")
    assert tree(fleet) == before
    assert not (fleet / ".tenantry").exists()
    assert signal.getsignal(signal.SIGINT)


def test_output_into_a_closed_pipe_is_not_a_failure(fleet: Path) -> None:
    command = f"{sys.executable} -m tenantry schema tier | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def test_doctor_says_what_there_is(run: Run, fleet: Path) -> None:
    subprocess.run(["git", "init", "--quiet", fleet], check=True)
    ran = run("doctor", "-C", fleet)
    assert ran.code == 0, ran.out
    assert "engine   kustomize v0.21.2" in ran.out
    assert run("doctor", "-C", fleet.parent).code == 4


def test_the_smallest_fleet_from_nothing_to_its_first_tenant(run: Callable[..., Ran], tmp_path: Path) -> None:
    root = tmp_path / "fleet"
    own = ("--domain", "erp.mycorp.com", "--registry", "registry.mycorp.com")
    assert run("init", root, "--minimal", *own).code == 0
    assert run("render", "-C", root).code == 0  # without a tenant
    assert run("check", "-C", root).code == 0
    assert run("fmt", "--check", "-C", root).code == 0
    assert run("new", "tenant", "acme", "--tier", "shared", "--contact", "a@mycorp.com", "-C", root).code == 0
    assert run("render", "-C", root).code == 0
    checked = run("check", "-C", root)
    assert checked.code == 0
    assert "1 tenant, 1 instance" in checked.out
    assert "F031 warning: 'openbao.provider.example' is an example domain" in checked.out


def test_a_provider_s_own_values_need_the_smallest_fleet(run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run("init", tmp_path / "fleet", "--domain", "erp.mycorp.com")
    assert (ran.code, "need --minimal" in ran.err) == (2, True)
    ran = run("init", tmp_path / "fleet", "--minimal", "--dns-solver", "hook")
    assert (ran.code, "write it as GROUP/NAME" in ran.err) == (2, True)
    assert not (tmp_path / "fleet").exists()
