"""Patches turn the base into what is wanted, whatever both are."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenantry.render.patch import operations

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "a/b", "~", ""]), inner, max_size=3)),
    max_leaves=12,
)  # fmt: skip
objects = st.dictionaries(st.sampled_from(["spec", "metadata", "x/y"]), values, max_size=3)


def apply(value: Any, found: list[dict[str, Any]]) -> Any:
    """RFC 6902 for add, remove and replace."""
    value = copy.deepcopy(value)
    for operation in found:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        target = value
        for part in parts[:-1]:
            target = target[int(part)] if isinstance(target, list) else target[part]
        last: Any = int(parts[-1]) if isinstance(target, list) else parts[-1]
        if operation["op"] == "remove":
            del target[last]
        else:
            assert operation["op"] == "replace" or last not in target
            target[last] = operation["value"]
    return value


@given(objects, objects)
def test_base_and_patch_give_what_is_wanted(base: dict[str, Any], wanted: dict[str, Any]) -> None:
    result = apply(base, list(operations(base, wanted)))
    assert result == wanted
    assert repr(sorted(result)) == repr(sorted(wanted))


@given(objects)
def test_equal_objects_need_no_patch(base: dict[str, Any]) -> None:
    assert not list(operations(base, copy.deepcopy(base)))


def test_true_and_one_are_not_the_same() -> None:
    assert list(operations({"a": True}, {"a": 1})) == [{"op": "replace", "path": "/a", "value": 1}]
