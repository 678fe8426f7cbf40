"""Odoo is at the place that serves, and nowhere else."""

from __future__ import annotations

import pytest

from controls.laboratory import example
from simulate.lossy import states
from tenantry.prove.failovers import one_place_writes

GLOBEX, HOME, AWAY = "globex-eu-production", "euw1-globex", "euc1-globex"


@pytest.mark.parametrize(("kind", "name", "words"), [
    ("Deployment", "odoo-web", "runs in cluster euc1-globex"), ("IngressRoute", "odoo-public", "leads people to cluster euc1-globex"),
])  # fmt: skip
def test_odoo_at_the_place_that_does_not_serve_is_found(kind: str, name: str, words: str) -> None:
    known, objects = example()
    moved = [
        m for m in objects[HOME] if (m.identity.kind, m.identity.namespace, m.identity.name) == (kind, GLOBEX, name)
    ]
    found = states(known, {**objects, AWAY: (*objects[AWAY], *moved)})
    assert [p.message.partition(",")[0] for _, p in one_place_writes(found[AWAY])] == [words]
    assert list(one_place_writes(found[HOME])) == []
