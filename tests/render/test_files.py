"""Texts that have all but an instance's names in common are parsed once; nobody may see that from the outside."""

from __future__ import annotations

import pytest

from conftest import REPOSITORY
from tenantry.core.findings import FindingsError
from tenantry.plan.inputs import read_inputs
from tenantry.render.files import expand, own_words, parse_object, render_text
from tenantry.render.registry import TREES
from tenantry.render.units import units
from tenantry.runtime.cache import Store


def test_a_text_is_the_same_object_whatever_a_tenant_is_called() -> None:
    inputs = read_inputs(REPOSITORY, "2026-11-24", Store(None))
    names = [(), ("metadata", "resources", "production"), ("requests", "template", "labels", "apiVersion")]
    for unit in list(units(inputs.fleet, inputs.resolution.instances))[::5]:
        context = unit.context()
        for entry in TREES[unit.tree]:
            for _, more in expand(entry, context):
                text = render_text(entry.name, more)
                plain = parse_object(text, entry.name)
                assert [parse_object(text, entry.name, own) for own in (own_words(more), *names)] == [plain] * 4


@pytest.mark.parametrize("text", ["a: [", "a: 1", "- 1", "apiVersion: v1\nkind: Pod"])
def test_what_is_not_an_object_is_reported_with_its_template(text: str) -> None:
    with pytest.raises(FindingsError) as raised:
        parse_object(text, "app/odd", ("acme-production",))
    assert [(f.code, f.place.file) for f in raised.value.findings] == [("T002", "templates/app/odd.yaml.j2")]
