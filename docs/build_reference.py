"""Writes docs/reference/ from the code: input fields, finding codes, commands, objects, controls. `--check` fails when stale."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from tenantry.cli.main import COMMANDS, cli
from tenantry.core.codes import CODES
from tenantry.core.controls import ASSUMPTIONS, CATALOG, GROUPS, STANDARDS, Control
from tenantry.inputs.schema import KINDS, load_schema
from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES

HERE = Path(__file__).resolve().parent / "reference"
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))
from controls.table import MUTANTS  # noqa: E402 - the tests' table of mutants, which is no part of the package

NOTE = "<!-- Made by docs/build_reference.py from the code; `make docs` writes it anew. -->\n\n"


def pages() -> Mapping[str, str]:
    return {
        "inputs.md": "".join(_inputs()),
        "codes.md": "".join(_codes()),
        "commands.md": "".join(_commands()),
        "objects.md": "".join(_objects()),
        "controls.md": "".join(_controls()),
    }


def _inputs() -> Iterator[str]:
    yield "# Input files\n\nOne entry a file; the file is called like `metadata.name`. `tenantry schema KIND` prints the JSON Schema.\n"
    for kind in KINDS:
        schema = load_schema(kind)
        yield f"\n## {kind}\n\n`{schema['x-files']}` - {schema['description']}\n\n"
        yield "| field of `spec` | type | needed | meaning |\n|---|---|---|---|\n"
        yield from _fields(schema["properties"]["spec"], schema, "")


def _fields(schema: dict[str, Any], root: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        inner = _inline(field, root)
        needed = "yes" if name in schema.get("required", ()) else "no"
        yield f"| `{prefix}{name}` | {_type(inner, root)} | {needed} | {inner['description'].replace('|', chr(92) + '|')} |\n"
        yield from _fields(inner, root, f"{prefix}{name}.")
        item = _inline(inner["items"], root) if "items" in inner else {}
        yield from _fields(item, root, f"{prefix}{name}[].")
        if isinstance(inner.get("additionalProperties"), dict):
            yield from _fields(_inline(inner["additionalProperties"], root), root, f"{prefix}{name}.*.")


def _inline(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return {**root["$defs"][reference.rsplit("/", 1)[-1]], **schema} if reference else schema


def _type(schema: dict[str, Any], root: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    if schema["type"] == "array":
        return f"list of {_type(_inline(schema['items'], root), root)}"
    text = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "object": "mapping",
    }[schema["type"]]
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        text += f", {low if low is not None else ''} to {high}" if high is not None else f", at least {low}"
    return text


def _codes() -> Iterator[str]:
    yield "# Finding codes\n\nThe first letter tells the stage: S source and schema, R resolve, F fleet rules, T templates, K Kustomize, G trees, V objects.\n\n"
    yield "| code | title | meaning |\n|---|---|---|\n"
    for code in CODES:
        yield f"| `{code.id}` | {code.title} | {code.meaning} |\n"


def _commands() -> Iterator[str]:
    yield "# Commands\n\nExit codes: 0 fine, 1 findings, 2 wrong usage, 3 a bug of ours, 4 an outside tool is missing or broken, 130 interrupted.\n"
    context = click.Context(cli, info_name="tenantry")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _command(command, f"tenantry {name}")


def _command(command: click.Command, name: str) -> Iterator[str]:
    text = command.get_help(click.Context(command, info_name=name, terminal_width=110, max_content_width=110))
    yield f"\n## {name}\n\n```\n{text}\n```\n"
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            yield from _command(sub, f"{name} {sub.name}")


def _objects() -> Iterator[str]:
    yield "# Objects\n\nWhich template makes which object, from `generator/tenantry/render/registry.py`. Templates lie in `generator/tenantry/render/templates/`.\n"
    places = {
        "infra": "<cluster>/<environment>/<tenant>/infra", "app": "<cluster>/<environment>/<tenant>/app",
        "standby": "<DR cluster>/production/<tenant>/standby", "cell": "<cluster>/cells/<cell>",
        "delivery": "<cluster>/platform/<tenant>-<environment>", "platform": "<cluster>/platform/common",
    }  # fmt: skip
    for tree, entries in TREES.items():
        yield f"\n## {tree}: `{places[tree]}`\n\n| template | kept in |\n|---|---|\n"
        for component in TREE_COMPONENTS[tree]:
            for stem in COMPONENTS[component.name]:
                yield f"| `components/{component.name}/{stem}.yaml.j2` | `base/components/{component.name}/` |\n"
        for entry in entries:
            yield f"| `{entry.name}.yaml.j2` | {'the base, patched by overlays' if entry.keep == 'base' else 'the overlay'} |\n"


def _controls() -> Iterator[str]:
    yield """# Controls

Each promise of the service catalogue is a control: a rule with an id. `tenantry verify`, `check` and `render` judge every control on
the rendered objects of the whole fleet together; one breach and nothing is written. `tenantry explain NET-02` prints one.

How to read an entry:

- **proof** is what is looked at. What is proved holds for the objects in git, under the assumptions at the end of this page.
- **policies** are Kyverno's, in `policies/`: the same rule at the door of the cluster, for objects that do not come from git. They see
  one object at a time; the proof sees all.
- **mutants** are changes of the example fleet's objects that break the control; each must be refused under its id, for its tenant and
  object, and nothing else may be told. `make mutants` tries them and prints the table.
- **live attack** is the part of `make acceptance` that attacks the control on the real program, once with the control and once without.
- **standards** is our judgement of what a control serves. No certificate follows from it.

A tier that does not keep a control says so in `controlsNotKept`; a tenant whose classification demands the control is then refused
(`F022`). An exception (`policies/exceptions/`) lifts one control for one tenant until a day. It must be owned and approved by two persons
and name what keeps the risk small meanwhile; an exception that lifts nothing is told (`F023`).
"""
    policies = _policies_by_control()
    mutants = Counter(mutant.control for mutant in MUTANTS)
    for group, title in GROUPS.items():
        yield f"\n## {group}: {title}\n\nStandards: {STANDARDS[group]}.\n"
        for control in (c for c in CATALOG if c.group == group):
            yield _control(control, policies.get(control.id, []), mutants[control.id])
    yield "\n## Assumptions\n\nNo look at objects can show these; each report repeats them.\n\n"
    yield from (f"{number}. {text}\n" for number, text in enumerate(ASSUMPTIONS, 1))


def _control(control: Control, policies: list[str], mutants: int) -> str:
    rows = [
        ("weight", control.weight),
        ("kept by", ", ".join(control.tiers)),
        ("demanded by", ", ".join(f"`{d}`" for d in control.demanded_by) or "every tenant of these tiers"),
        ("proof", control.proof),
        ("policies", ", ".join(f"`{name}`" for name in policies) or "none: it takes more than one object to see it"),
        ("mutants", str(mutants)),
        ("live attack", f"`make acceptance PART={control.attack}`" if control.attack else "none"),
    ]
    table = "".join(f"| {name} | {value} |\n" for name, value in rows)
    return f"\n### {control.id}\n\n{control.rule}\n\n| | |\n|---|---|\n{table}"


def _policies_by_control() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((REPOSITORY / "policies").glob("*/policy.yaml")):
        metadata = yaml.safe_load(path.read_text(encoding="utf-8"))["metadata"]
        found.setdefault(metadata["annotations"]["tenantry.io/control"], []).append(metadata["name"])
    return found


def main() -> int:
    stale = []
    for name, text in pages().items():
        path = HERE / name
        wanted = NOTE + text
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            stale.append(name)
            if "--check" not in sys.argv:
                HERE.mkdir(parents=True, exist_ok=True)
                path.write_text(wanted, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"docs/reference is stale ({', '.join(stale)}); run 'make docs'", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
