"""Writes docs/reference/ from the code: input fields, finding codes, commands, objects. `--check` fails when stale."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tenantry.cli.main import COMMANDS, cli
from tenantry.codes import CODES
from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES
from tenantry.schema import KINDS, load_schema

HERE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Made by docs/build_reference.py from the code; `make docs` writes it anew. -->\n\n"


def pages() -> Mapping[str, str]:
    return {
        "inputs.md": "".join(_inputs()),
        "codes.md": "".join(_codes()),
        "commands.md": "".join(_commands()),
        "objects.md": "".join(_objects()),
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
    yield "# Finding codes\n\nThe first letter tells the stage: S source and schema, R resolve, F fleet rules, T templates, K Kustomize, G trees.\n\n"
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
    yield "# Objects\n\nWhich template makes which object, from `generator/tenantry/render/registry.py`. Templates lie in `generator/tenantry/templates/`.\n"
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
