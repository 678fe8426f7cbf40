"""What `init` writes for CI: valid by published schemas, pinned, without secrets, and run as a CI system runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pathspec
import pytest
import yaml

from conftest import REPOSITORY, Ran
from tenantry import __version__
from tenantry.commands.ci_files import ci_files
from tenantry.engine.go_toolchain import find_or_install_go
from tenantry.engine.go_toolchain import run as run_go

Run = Callable[..., Ran]
PROGRAMS = Path(sys.executable).parent
WORKFLOW, ACTION = ".github/workflows/tenantry.yml", ".github/actions/tenantry/action.yml"


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    for file, text in ci_files():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def loaded(file: Path) -> Any:
    """YAML as GitHub reads it: `on` is a word."""
    return yaml.load(file.read_text(), yaml.BaseLoader)


# --- valid


def actionlint(folder: Path) -> tuple[int, str]:
    go = find_or_install_go(lambda _: None)
    done = run_go(
        go, "tool", "actionlint", "-no-color", "-shellcheck=", "-pyflakes=", str(folder / WORKFLOW),
        folder=REPOSITORY / "tools",
    )  # fmt: skip
    return done.returncode, done.stdout  # its findings; Go itself says on standard error what it downloads


def test_the_workflow_passes_actionlint(kit: Path) -> None:
    subprocess.run(
        ["git", "init", "--quiet", kit], check=True
    )  # it looks for local actions from the top of a repository
    assert actionlint(kit) == (0, "")


def test_actionlint_finds_a_wrong_input_of_the_action_and_a_wrong_expression(kit: Path) -> None:
    subprocess.run(["git", "init", "--quiet", kit], check=True)
    file = kit / WORKFLOW
    file.write_text(
        file.read_text().replace("          base: ", "          bass: ").replace("github.ref }}", "github.rev }}")
    )
    code, said = actionlint(kit)
    assert code == 1
    assert 'input "bass" is not defined in action "Tenantry"' in said
    assert 'property "rev" is not defined' in said


SCHEMAS = {WORKFLOW: "vendor.github-workflows", ACTION: "vendor.github-actions", ".gitlab-ci.yml": "vendor.gitlab-ci"}


def check_schema(file: Path, schema: str) -> Ran:
    words = ["--data-transform", "gitlab-ci"] if schema.endswith("gitlab-ci") else []
    command = [PROGRAMS / "check-jsonschema", "--builtin-schema", schema, *words, file]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("file", SCHEMAS)
def test_each_file_is_valid_by_its_published_schema(file: str, kit: Path) -> None:
    ran = check_schema(kit / file, SCHEMAS[file])
    assert ran.code == 0, ran.out


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [(WORKFLOW, "runs-on:", "run-on:"), (ACTION, "using: composite", "using: docker"), (".gitlab-ci.yml", "when: always", "when: ever")],
)  # fmt: skip
def test_each_schema_refuses_what_is_wrong(file: str, right: str, wrong: str, kit: Path) -> None:
    (kit / file).write_text((kit / file).read_text().replace(right, wrong))
    assert check_schema(kit / file, SCHEMAS[file]).code == 1


# --- safe


def test_each_action_is_named_by_its_commit(kit: Path) -> None:
    for file in (WORKFLOW, ACTION):
        for line in (kit / file).read_text().splitlines():
            used = re.match(r"\s*(?:- )?uses: (.*)", line)
            if used and not used[1].startswith("./"):
                assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used[1]), line


def steps(kit: Path) -> Iterator[dict[str, Any]]:
    for job in loaded(kit / WORKFLOW)["jobs"].values():
        yield from job["steps"]
    yield from loaded(kit / ACTION)["runs"]["steps"]


def test_the_job_that_reads_a_change_has_no_secret_and_may_write_nothing(kit: Path) -> None:
    workflow, text = loaded(kit / WORKFLOW), (kit / WORKFLOW).read_text() + (kit / ACTION).read_text()
    assert set(workflow["on"]) == {"pull_request", "push", "schedule"}
    assert "secrets." not in text
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["check"]["steps"][0]["with"]["persist-credentials"] == "false"


def test_the_job_that_may_write_reads_nothing_of_a_change_but_its_report(kit: Path) -> None:
    upload = loaded(kit / WORKFLOW)["jobs"]["upload"]
    assert [step["uses"].partition("@")[0] for step in upload["steps"]] == [
        "actions/download-artifact", "github/codeql-action/upload-sarif",
    ]  # fmt: skip
    assert "head.repo.full_name == github.repository" in upload["if"]


def test_nothing_of_an_event_is_part_of_a_script(kit: Path) -> None:
    scripts = [step["run"] for step in steps(kit) if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)


def test_the_version_that_ci_runs_is_this_one(kit: Path) -> None:
    assert (kit / "ci/requirements.txt").read_text().splitlines()[-2:] == [
        "--require-hashes",
        f"tenantry=={__version__}",
    ]


def test_no_index_decides_what_checks_a_fleet(kit: Path, tmp_path: Path) -> None:
    """Anybody may take a free name on a public index: until the file has hashes, nothing is installed."""
    planted = tmp_path / "index" / f"tenantry-{__version__}-py3-none-any.whl"
    planted.parent.mkdir()
    with zipfile.ZipFile(planted, "w") as wheel:
        wheel.writestr(
            f"tenantry-{__version__}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: tenantry\nVersion: {__version__}\n",
        )
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-index",
        "--find-links",
        str(planted.parent),
        "--dest",
        str(tmp_path),
    ]
    done = subprocess.run([*command, "-r", "ci/requirements.txt"], cwd=kit, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Hashes are required in --require-hashes mode" in done.stderr


# --- who must agree


def owners(file: str) -> list[str]:
    text = dict(ci_files())["CODEOWNERS"]
    rules = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    matching = [
        teams for pattern, *teams in rules if pathspec.PathSpec.from_lines("gitignore", [pattern]).match_file(file)
    ]
    return [team.removeprefix("@example/") for team in matching[-1]]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("tenants/acme.yaml", ["accounts"]),
        ("tiers/shared.yaml", ["service-owners", "platform"]),
        ("platform/cells/euw1-shared-a.yaml", ["platform"]),
        ("platform/releases/odoo-18.0-20261012.yaml", ["release-managers"]),
        ("policies/exceptions/ferry.yaml", ["security"]),
        ("rendered/euw1-a/production/acme/app/deployment.yaml", ["release-managers"]),
        ("rendered/euw1-a/production/acme/infra/database.yaml", ["platform"]),
        ("rendered/euw1-a/cells/euw1-shared-a/cluster.yaml", ["platform"]),
        (WORKFLOW, ["security"]),
        ("ci/requirements.txt", ["security"]),
        ("CODEOWNERS", ["security"]),
    ],
)
def test_each_tree_has_owners_by_its_risk(file: str, expected: list[str]) -> None:
    assert owners(file) == expected


# --- as a CI system runs it


@pytest.fixture
def repository(fleet: Path, run: Run) -> Path:
    """A fleet in git as CI gets it: rendered, committed."""
    assert run("fmt", "-C", fleet).code == 0
    assert run("render", "-C", fleet).code == 0
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=fleet, check=True)
    return fleet


def broken(fleet: Path) -> Path:
    """A value that is wrong, and one that is not written as `fmt` writes it."""
    path = fleet / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("users: 24", "users: 0").replace("displayName: ", "displayName:   "))
    subprocess.run(["git", "add", "-A"], cwd=fleet, check=True)
    return fleet


def shell(script: str, folder: Path, **variables: object) -> Ran:
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, env=environment, capture_output=True,
        text=True,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_action_annotates_a_change_and_writes_its_reports(repository: Path, tmp_path: Path) -> None:
    _, check, summarize = [step["run"] for step in loaded(repository / ACTION)["runs"]["steps"] if "run" in step]
    (tmp_path / "runner/tenantry/bin").mkdir(parents=True)
    (tmp_path / "runner/tenantry/bin/tenantry").symlink_to(PROGRAMS / "tenantry")
    reports = tmp_path / "reports"
    reports.mkdir()
    variables = {
        "RUNNER_TEMP": tmp_path / "runner", "FLEET": ".", "REPORTS": reports, "BASE": "HEAD",
        "GITHUB_STEP_SUMMARY": tmp_path / "summary.md",
    }  # fmt: skip
    assert shell(check, repository, **variables).code == 0
    ran = shell(check, broken(repository), **variables)
    assert (ran.code, ran.out.splitlines()[0][:48]) == (1, "::error file=tenants/acme.yaml,line=16,col=10,ti")
    written = {"tenantry.sarif", "tenantry.xml", "tenantry.json", "tenantry.md"}
    assert {path.name for path in reports.iterdir()} == written
    assert shell(summarize, repository, **variables).code == 0
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("### tenantry plan: findings\n")
    assert "### tenantry check: findings" in summary
    assert {path.name for path in reports.iterdir()} == {*written, "plan.md", "plan.html"}


def test_the_pipeline_of_gitlab_writes_what_it_hands_in(repository: Path, tmp_path: Path) -> None:
    job = loaded(repository / ".gitlab-ci.yml")["tenantry"]
    (script,) = job["script"]
    script = script.replace("/tmp/tenantry/bin/tenantry", str(PROGRAMS / "tenantry"))
    ran = shell(script, broken(repository), TENANTRY_FLEET=".", CI_PROJECT_DIR=tmp_path)
    assert (ran.code, ran.out.startswith("tenants/acme.yaml:16:10: S023 ")) == (1, True)
    handed_in = [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]
    assert all((tmp_path / file).is_file() for file in handed_in)
    assert json.loads((tmp_path / "gl-code-quality-report.json").read_text())[0]["check_name"] == "S023"


def pre_commit(folder: Path, *arguments: str) -> Ran:
    environment = {
        **os.environ,
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(folder.parent / "pc"),
    }
    done = subprocess.run(
        [str(PROGRAMS / "pre-commit"), *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_hook_of_a_fleet_lets_a_good_change_pass_and_stops_a_wrong_one(repository: Path) -> None:
    assert pre_commit(repository, "validate-config").code == 0
    assert pre_commit(repository, "run", "--all-files").code == 0
    ran = pre_commit(broken(repository), "run", "tenantry-check")
    assert ran.code == 1
    assert "tenants/acme.yaml:16:10: S023 'spec.users' is 0" in ran.out


HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())


def test_the_hooks_that_this_repository_offers_are_valid() -> None:
    assert pre_commit(REPOSITORY, "validate-manifest").code == 0
    assert [hook["id"] for hook in HOOKS] == ["tenantry-check", "tenantry-fmt"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_each_offered_hook_runs_in_a_repository_of_a_fleet(hook: dict[str, Any], repository: Path) -> None:
    """With the program of this checkout; installing it anew would take a network."""
    installed = {key: value for key, value in hook.items() if key != "minimum_pre_commit_version"} | {
        "language": "system"
    }
    config = {"repos": [{"repo": "local", "hooks": [installed]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    ran = pre_commit(repository, "run", "--all-files")
    assert (ran.code, "Passed" in ran.out) == (0, True), ran.out
    assert pre_commit(broken(repository), "run", "--all-files").code == 1


def test_a_change_that_touches_no_fleet_starts_no_hook(repository: Path) -> None:
    (repository / "NOTES.md").write_text("note\n")
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    assert "Skipped" in pre_commit(repository, "run").out


def test_init_writes_the_whole_kit(fleet: Path) -> None:
    for file, text in ci_files():
        assert (fleet / file).read_text() == text
