"""The contract of a plan as JSON."""

from __future__ import annotations

from importlib import resources


def plan_schema() -> str:
    """The JSON Schema (2020-12) of the answer of `plan --format json`, as text."""
    return resources.files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
