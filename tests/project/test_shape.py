"""The shape of the code and of the docs: stages import downwards, and everything that exists is documented."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.commands.scaffold import editor_settings
from tenantry.core.codes import CODES_BY_ID
from tenantry.core.controls import CATALOG
from tenantry.inputs.schema import KINDS

PACKAGE = REPOSITORY / "generator/tenantry"
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path
    for path in PACKAGE.rglob("*.py")
    if "templates" not in path.parts
}

ORDER = (
    "core", "runtime", "engine", "model", "inputs", "resolve", "plan", "render", "verify", "prove", "publish", "diff",
    "change", "runbook", "simulate", "report", "commands", "cli", "__main__",
)  # fmt: skip
"""Packages from the data up; a module imports from its own package and those before it."""
LEVEL = {name: level for level, name in enumerate(ORDER)}
NOTHING_BUT = {
    "core": set(), "runtime": {"core"}, "engine": {"core", "runtime"}, "model": {"core"}, "report": {"core"},
    "verify": {"core", "runtime", "engine"},
}  # fmt: skip
"""Packages that import less than what is before them: `verify` knows nothing of how objects were made."""

MAY_IMPORT = {
    "click": {"cli"},
    "subprocess": {"engine"},
    "git": {"runtime"},
    "jinja2": {"render"},
    "jsonschema": {"inputs"},
    "jsonschema_rs": {"verify"},
}
"""Libraries that one package alone speaks to."""


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
            other = name.split(".")[1]
            assert LEVEL[other] <= LEVEL[stage], f"{module} imports {name}"
            assert other in NOTHING_BUT.get(stage, {other}) | {stage}, f"{module} imports {name}"
        outside = name.split(".")[0]
        assert stage in MAY_IMPORT.get(outside, {stage}), f"{module} imports {outside}"


def test_the_package_holds_the_packages_of_the_flow_and_nothing_else() -> None:
    here = {path.name for path in PACKAGE.iterdir() if not path.name.startswith("__pycache__")}
    assert here == {"__init__.py", "__main__.py", "py.typed"} | {name for name in ORDER if name != "__main__"}


def test_each_test_lies_where_its_module_does() -> None:
    """`tests/<package>/test_<module>.py` for a module or a package of modules; tests of the project lie in a folder of theirs."""
    elsewhere = ("acceptance", "cluster", "images", "project")
    tests = REPOSITORY / "tests"
    for path in tests.rglob("test_*.py"):
        place = path.relative_to(tests)
        if place.parts[0] not in elsewhere:
            tested = PACKAGE / place.parent / place.stem.removeprefix("test_")
            assert tested.is_dir() or tested.with_suffix(".py").is_file(), f"{place}: no such module"


def test_every_package_says_what_comes_in_and_what_goes_out() -> None:
    for name in ORDER[:-1]:
        text = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text())) or ""
        assert " come" in text or name in ("core", "runtime"), name
        assert "Imports " in text, name


def test_a_class_name_means_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in found.items() if len(modules) > 1} == {}


def test_one_proof_alone_knows_how_objects_are_rendered() -> None:
    """The others hold objects to promises, whoever made them."""
    knowing = {
        module
        for module, path in MODULES.items()
        if module.startswith("prove.") and any(name.startswith("tenantry.render") for name in imports(path))
    }
    assert knowing == {"prove.template_conformance"}


def test_domain_code_never_prints() -> None:
    for module, path in MODULES.items():
        if module.split(".")[0] != "cli" and module not in ("engine.build", "engine.go_toolchain"):
            calls = [
                n.func.id
                for n in ast.walk(ast.parse(path.read_text()))
                if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            ]
            assert "print" not in calls, module


def test_nothing_is_decided_by_the_words_of_a_message() -> None:
    """Problems, errors and outcomes carry a kind."""
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
                asked = node.comparators[0]
                name = asked.attr if isinstance(asked, ast.Attribute) else getattr(asked, "id", "")
                assert name != "message" or not isinstance(node.left, ast.Constant), f"{module}:{node.lineno}"


def test_every_code_that_is_raised_is_documented_and_the_reverse() -> None:
    importlib.import_module("tenantry.verify")  # operators declare theirs
    raised = {
        code
        for path in MODULES.values()
        if path.name != "codes.py"
        for code in re.findall(r'"([SRFTKGBV]\d{3})"', re.sub(r'\bCode\(\s*"\w+"', "", path.read_text()))
    }
    assert raised == set(CODES_BY_ID)


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
    assert (REPOSITORY / ".vscode/settings.json").read_text() == editor_settings("./generator/tenantry/inputs/schemas")


def test_every_input_file_of_the_example_names_its_schema() -> None:
    for folder in ("platform", "tiers", "tenants", "policies/exceptions"):
        for path in (REPOSITORY / folder).rglob("*.yaml"):
            match = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
            assert match, path
            assert (path.parent / match.group(1)).resolve().stem in {kind.lower() for kind in KINDS}
            assert (path.parent / match.group(1)).exists()


def test_the_numbers_of_the_readme_are_those_of_the_example() -> None:
    text = " ".join((REPOSITORY / "README.md").read_text().split())
    objects = sum(path.is_file() for path in (REPOSITORY / "rendered/euw1-a/production/smith-advisory").rglob("*"))
    policies = len(list((REPOSITORY / "policies").glob("*/policy.yaml")))
    assert f"After, {objects} objects in" in text
    assert f"Each promise is a control with an id: {len(CATALOG)} of them" in text
    assert f"{policies} Kyverno policies" in text


def test_links_in_the_docs_lead_somewhere() -> None:
    pages = [
        *(REPOSITORY / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
        *(REPOSITORY / "docs").rglob("*.md"),
    ]
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
