"""A fleet of any size, the same for the same seed."""

from __future__ import annotations

import random
import re
from pathlib import Path

from tenantry.commands import scaffold

SHARED_PER_CELL = 8
SEGMENTED_PER_CELL = 6
CELLS_PER_CLUSTER = 12
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "indigo", "jade", "koala", "lark")


def lay_fleet(root: Path, tenants: int, seed: int = 7) -> None:
    """Create a fleet of `tenants` tenants: 4 of 5 shared, the others segmented; half of them with staging."""
    scaffold.new_fleet(root)
    chance = random.Random(seed)
    segmented = tenants // 5
    shared = tenants - segmented
    shared_cells = _cells(root, "euw1-shared-a", "shared", -(-shared // SHARED_PER_CELL))
    segment_cells = _cells(root, "euw1-seg-a", "segmented", -(-segmented // SEGMENTED_PER_CELL))
    shared_staging = _cells(root, "euw1-shared-np", "shared-np", -(-shared // (2 * SHARED_PER_CELL)))
    segment_staging = _cells(root, "euw1-seg-np", "segmented-np", -(-segmented // SEGMENTED_PER_CELL))
    for number in range(tenants):
        name = f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{number:05}"
        if number < shared:
            cell, staging = shared_cells[number // SHARED_PER_CELL], shared_staging[number // (2 * SHARED_PER_CELL)]
            text = _tenant(name, "shared", chance.randint(5, 50), cell, staging if number % 2 else None, chance)
        else:
            place = number - shared
            cell, staging = segment_cells[place // SEGMENTED_PER_CELL], segment_staging[place // SEGMENTED_PER_CELL]
            text = _tenant(name, "segmented", chance.randint(30, 200), cell, staging if number % 2 else None, chance)
        (root / f"tenants/{name}.yaml").write_text(text)


def _cells(root: Path, model: str, stem: str, count: int) -> list[str]:
    """Cells like the model's, spread over as many pairs of clusters as they need."""
    text = (root / f"platform/cells/{model}.yaml").read_text()
    names = []
    for number in range(count):
        cluster = _cluster(root, number // CELLS_PER_CLUSTER)
        name = f"{stem}-{number:03}"
        copy = re.sub(r"^  name: .*$", f"  name: {name}", text, flags=re.MULTILINE)
        copy = re.sub(r"^  cluster: .*$", f"  cluster: {cluster}", copy, flags=re.MULTILINE)
        (root / f"platform/cells/{name}.yaml").write_text(copy)
        names.append(name)
    return names


def _cluster(root: Path, number: int) -> str:
    """The `number`-th cluster of eu-west; its DR partner in eu-central is made with it."""
    if number == 0:
        return "euw1-a"
    west, central = f"euw1-x{number}", f"euc1-x{number}"
    for name, partner, model, step in ((west, central, "euw1-a", 0), (central, west, "euc1-a", 1)):
        path = root / f"platform/clusters/{name}.yaml"
        if not path.exists():
            text = (root / f"platform/clusters/{model}.yaml").read_text()
            text = re.sub(r"^  name: .*$", f"  name: {name}", text, count=1, flags=re.MULTILINE)
            text = re.sub(r"^  drPartner: .*$", f"  drPartner: {partner}", text, flags=re.MULTILINE)
            for old, new in zip((16, 17, 20, 21), (0, 1, 0, 1), strict=True):
                text = text.replace(f"10.{old}.", f"10.{40 + (number * 2 + step - 2) * 2 + new}.")
            path.write_text(text.replace(f"{model}-", f"{name}-"))
    return west


def _tenant(name: str, tier: str, users: int, cell: str, staging: str | None, chance: random.Random) -> str:
    third = chance.randint(0, 15) * 16
    lines = [
        "apiVersion: tenantry.io/v1alpha1", "kind: Tenant", "metadata:", f"  name: {name}", "spec:",
        f"  displayName: {name.title()}", f"  tier: {tier}", "  owner: {team: accounts, contact: accounts@provider.example}",
        "  classification: {dataSensitivity: internal, customization: low, integration: low, availability: standard, obligations: [gdpr]}",
        "  residency: [eu-west, eu-central]", f"  users: {users}", "  channel: standard", "  environments:",
        f"    production: {{cell: {cell}, hosts: [erp.{name}.example]}}",
        *([f"    staging: {{cell: {staging}}}"] if staging else []),
        "  integrations:", f"    - {{name: bank-feed, host: api.{name}.example, cidrs: [203.0.113.{third}/28], port: 443}}",
        f"  access: {{adminGroups: [{name}-admins]}}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
