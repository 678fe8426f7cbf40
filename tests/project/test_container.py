"""The container file: what it names is there, nothing is fetched without a hash, nobody runs as root."""

from __future__ import annotations

import re

import pathspec

from conftest import REPOSITORY

TEXT = (REPOSITORY / "Dockerfile").read_text()
LINES = [
    line for line in re.sub(r"\\\n", "", TEXT).splitlines() if line and not line.startswith("#")
]  # an instruction a line


def instructions(name: str) -> list[str]:
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{name} ")]


def sent(file: str) -> bool:
    """Whether a file is sent to the builder."""
    return not pathspec.PathSpec.from_lines(
        "gitignore", (REPOSITORY / ".dockerignore").read_text().splitlines()
    ).match_file(file)


def test_both_stages_begin_with_the_base_that_was_asked_for() -> None:
    assert instructions("FROM") == ["${BASE} AS build", "${BASE}"]
    assert instructions("ADD") == []


def test_the_program_runs_as_nobody_in_particular() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert LINES.index("USER 10001:10001") > max(LINES.index(line) for line in LINES if line.startswith("RUN "))
    assert instructions("ENTRYPOINT") == ['["tenantry"]']
    (variables,) = instructions("ENV")  # that user has no home
    assert "XDG_CACHE_HOME=/tmp/" in variables and "XDG_STATE_HOME=/tmp/" in variables


def test_each_installation_is_by_hash_or_of_what_was_built() -> None:
    installations = [
        command for line in instructions("RUN") for command in line.split("&&") if "pip install" in command
    ]
    assert len(installations) == 3
    for command in installations:
        assert "--require-hashes --only-binary :all: " in command or "--no-deps --no-index /tmp/wheels/" in command
    assert "GO=locked" in TEXT


def test_what_is_built_from_is_sent_and_nothing_that_may_hold_secrets() -> None:
    for file in (
        "pyproject.toml", "requirements.lock", "requirements-runtime.lock", "README.md", "LICENSE", "CHANGELOG.md",
        "generator/tenantry/__init__.py", "generator/engine/go.mod", "tools/release.py", "tools/platform_wheel.py",
        "platform/platform.yaml", "tiers/shared.yaml", "policies/run-as-nonroot/policy.yaml",
    ):  # fmt: skip
        assert sent(file), file
    for file in (
        ".git/config",
        ".env",
        ".venv/bin/python",
        "tenants/acme.yaml",
        "dist/x.whl",
        "generator/tenantry/__pycache__/x.pyc",
    ):
        assert not sent(file), file
    assert instructions("COPY")[:2] == ["requirements.lock ./", ". ."]
