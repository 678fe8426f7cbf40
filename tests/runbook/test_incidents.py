"""Each runbook of each instance: what it names is in the trees, its commands parse, and nobody's text gets into them."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from conftest import REPOSITORY
from tenantry.cli.main import COMMANDS
from tenantry.core.file_names import file_name
from tenantry.core.findings import ObjectId
from tenantry.model.tenant import Owner
from tenantry.plan.inputs import read_inputs
from tenantry.resolve.instance import Instance
from tenantry.runbook.book import Command, Runbook, said
from tenantry.runbook.registration import incidents, runbook
from tenantry.runtime.cache import Store

AS_OF = "2026-11-24"
INCIDENTS = tuple(incidents())


@cache
def instances() -> Mapping[str, Instance]:
    return read_inputs(REPOSITORY, AS_OF, Store(None)).resolution.instances


@cache
def trees() -> Mapping[str, frozenset[str]]:
    """Names of rendered files by cluster; they say what the object is."""
    return {
        folder.name: frozenset(path.name for path in folder.rglob("*.yaml"))
        for folder in (REPOSITORY / "rendered").iterdir()
        if folder.is_dir()
    }


def books() -> Iterator[tuple[Instance, Runbook]]:
    for instance in instances().values():
        if not instance.leaving:
            for name in INCIDENTS:
                yield instance, runbook(instance, name)


def there(cluster: str, identity: ObjectId) -> bool:
    return f"{file_name(identity)}" in trees()[cluster]


def test_the_incidents_are_those_that_a_person_on_call_meets() -> None:
    assert INCIDENTS == (
        "archive-standing", "argocd-stuck", "certificate-failing", "credential-leaked", "database-down", "noisy-neighbour",
        "region-lost", "release-failed", "restore-to-a-moment", "zone-lost",
    )  # fmt: skip


@pytest.mark.parametrize("incident", INCIDENTS)
def test_each_object_is_in_the_trees(incident: str) -> None:
    missing = [
        (book.instance, str(identity))
        for instance, book in books() if book.incident == incident
        for cluster, identity in book.objects if not there(cluster, identity)
    ]  # fmt: skip
    assert missing == []


VERBS: Mapping[str, frozenset[str]] = {
    "get": frozenset({"--selector", "--output", "--sort-by", "--label-columns"}), "describe": frozenset(), "top": frozenset({"--containers"}),
    "logs": frozenset({"--selector", "--container", "--all-containers", "--tail"}), "delete": frozenset({"--selector", "--ignore-not-found"}),
    "rollout": frozenset({"--timeout"}), "annotate": frozenset({"--overwrite", "--selector"}), "wait": frozenset({"--for", "--timeout"}),
}  # fmt: skip
"""kubectl's verbs and their flags that runbooks use (kubectl reference, 1.34)."""
PLUGIN: Mapping[str, frozenset[str]] = {
    "status": frozenset(), "psql": frozenset(), "destroy": frozenset(), "backup": frozenset({"--method", "--plugin-name"}),
}  # fmt: skip
"""CloudNativePG's plugin, 1.30: internal/cmd/plugin."""
SWITCHES = frozenset({"--containers", "--all-containers", "--ignore-not-found", "--overwrite"})
PLACED = frozenset({"--namespace", "--context"})
RESOURCE = re.compile(r"[a-z]+(?:\.[a-z.]+)?/[a-z0-9][a-z0-9.-]*")


def flags_of(words: Command) -> Mapping[str, str]:
    """Flags with their values; a flag without one is a switch."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, given, value = word.partition("=")
            found[name] = value if given else "" if name in SWITCHES else rest.pop(0)
    return found


def wrong(book: Runbook, command: Command) -> str:
    """Why a command is none that its program takes; empty if it is one."""
    if tuple(shlex.split(said(command))) != command or any("\n" in word for word in command):
        return "it does not survive a shell"
    program, *words = command
    if program == "tenantry":
        return "" if words[0] in COMMANDS else "no such command"
    if program == "argocd":
        return (
            ""
            if words[:2] in (["app", "sync"], ["app", "terminate-op"]) or words[:3] == ["proj", "windows", "list"]
            else "no such command"
        )
    if program == "dig":
        return ""
    own = words[: words.index("--")] if "--" in words else words
    plugin = own[0] == "cnpg"
    verb, known = (own[1], PLUGIN) if plugin else (own[0], VERBS)
    flags = flags_of(tuple(own[2 if plugin else 1 :]))
    strange = flags.keys() - known.get(verb, frozenset()) - PLACED
    if verb not in known or strange:
        return f"{verb} {', '.join(sorted(strange))}"
    nodes = own[:2] == ["get", "nodes"]
    if set(flags) & PLACED != (PLACED - {"--namespace"} if nodes else PLACED):
        return "it says no place"
    return "" if flags["--context"] in trees() else f"context {flags['--context']}"


@pytest.mark.parametrize("incident", INCIDENTS)
def test_each_command_parses(incident: str) -> None:
    found = [
        (book.instance, said(command), why)
        for _, book in books() if book.incident == incident
        for step in book.steps for command in step.commands if (why := wrong(book, command))
    ]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("incident", INCIDENTS)
def test_what_a_command_names_is_one_of_the_objects(incident: str) -> None:
    """Of resources that the trees hold; others are read from the cluster. A server that a restore is going to make is none yet."""
    for _, book in books():
        if book.incident != incident:
            continue
        names = {identity.name for _, identity in book.objects}
        later = re.compile(r".*/(postgresql-g\d+|odoo-move|before-g\d+)")
        for step in book.steps:
            for command in step.commands:
                for word in command[: command.index("--") if "--" in command else None]:
                    if (
                        command[0] == "kubectl"
                        and word != "topology.kubernetes.io/zone"
                        and RESOURCE.fullmatch(word)
                        and not later.fullmatch(word)
                    ):
                        assert word.partition("/")[2] in names, (book.instance, word)


@pytest.mark.parametrize("incident", INCIDENTS)
def test_each_says_who_is_called_and_what_was_promised(incident: str) -> None:
    for instance, book in books():
        found = dict(book.facts)
        support, promised = instance.tier.support, instance.tier.objectives
        assert f"first answer within {support.first_answer_minutes} min" in found["called"]
        assert instance.tenant.owner.contact in found["informed"]
        if instance.environment == "production":
            assert (
                f"RPO {promised.rpo_minutes} min" in found["promised"]
                and f"RTO {promised.rto_minutes} min" in found["promised"]
            )


def test_text_of_a_file_gets_into_no_command() -> None:
    """Names are checked by their schemas; what is free text is said, and never run."""
    hostile = "x'; rm -rf / #$(id)`id`"
    for instance in instances().values():
        tenant = dataclasses.replace(
            instance.tenant, display_name=hostile, owner=Owner(team="a", contact=f"{hostile}@b")
        )
        for name in INCIDENTS if not instance.leaving else ():
            book = runbook(dataclasses.replace(instance, tenant=tenant), name)
            assert not [c for step in book.steps for c in step.commands if any(hostile in word for word in c)]
