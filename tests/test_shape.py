"""The shape of the code and of the docs: stages import downwards, and everything that exists is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.codes import BY_ID
from tenantry.scaffold import editor_settings
from tenantry.schema import KINDS

PACKAGE = REPOSITORY / "generator/tenantry"
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path
    for path in PACKAGE.rglob("*.py")
    if "templates" not in path.parts
}

ORDER = (
    {"findings", "codes", "controls", "assurance", "side_by_side", "confined"},
    {"state", "intact", "repository"},
    {"manifest", "source", "cache", "objectfile", "names", "model", "tree"},
    {"workspace", "staging"},
    {"swap"},
    {"schedule", "sizing", "schema_words"},
    {"schema", "instance", "fleet"},
    {"settle", "links", "quota", "lifting"},
    {"resolve", "plan"},
    {"render", "engine_build"},
    {"wire", "scaffold"},
    {"engine", "policy_engine"},
    {"ahead", "publish", "removal", "drift", "verify"},
    {"prove"},
    {"blame", "diff"},
    {"pipeline"},
    {"report", "verification", "proofs"},
    {"operations"},
    {"explain", "doctor"},
    {"cli", "__main__"},
)
"""Stages from the data up; a module imports from its own row and the rows above it."""
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}

MAY_IMPORT = {
    "click": {"cli"},
    "subprocess": {"wire", "engine_build"},
    "git": {"repository"},
    "jinja2": {"render"},
    "jsonschema": {"schema", "schema_words"},
    "jsonschema_rs": {"verify"},
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"tenantry.{alias.name}" for alias in node.names} if node.module == "tenantry" else {node.module}
    return found


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_the_flow_only(module: str) -> None:
    stage = module.split(".")[0]
    if module in ("__init__",):
        return
    for name in imports(MODULES[module]):
        if name.startswith("tenantry.") and name != "tenantry.__version__":
            assert LEVEL[name.split(".")[1]] <= LEVEL[stage], f"{module} imports {name}"
        outside = name.split(".")[0]
        assert stage in MAY_IMPORT.get(outside, {stage}), f"{module} imports {outside}"


def test_domain_code_never_prints() -> None:
    for module, path in MODULES.items():
        if module.split(".")[0] not in ("cli", "engine_build"):
            calls = [
                n.func.id
                for n in ast.walk(ast.parse(path.read_text()))
                if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            ]
            assert "print" not in calls, module


def test_every_code_that_is_raised_is_documented_and_the_reverse() -> None:
    raised = {
        code
        for path in MODULES.values()
        if path.name != "codes.py"
        for code in re.findall(r'"([SRFTKGV]\d{3})"', path.read_text())
    }
    assert raised == set(BY_ID)


def test_the_reference_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/build_reference.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_editor_settings_map_every_folder() -> None:
    assert (REPOSITORY / ".vscode/settings.json").read_text() == editor_settings("./generator/tenantry/schemas")


def test_every_input_file_of_the_example_names_its_schema() -> None:
    for folder in ("platform", "tiers", "tenants", "policies/exceptions"):
        for path in (REPOSITORY / folder).rglob("*.yaml"):
            match = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
            assert match, path
            assert (path.parent / match.group(1)).resolve().stem in {kind.lower() for kind in KINDS}
            assert (path.parent / match.group(1)).exists()


def test_links_in_the_docs_lead_somewhere() -> None:
    pages = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_secret_value_lies_in_the_trees() -> None:
    for path in (REPOSITORY / "rendered").rglob("*.yaml"):
        text = path.read_text()
        assert "\nkind: Secret\n" not in text
        assert (
            not re.search(r"(?i)(password|secret-access-key): (?!\"?\{\{)[^\s\"{]+$", text, re.MULTILINE)
            or "ExternalSecret" in text
        ), path
