"""A proof that is written and not registered would prove nothing."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

from tenantry import prove
from tenantry.core.controls import CONTROLS
from tenantry.prove import registration, registry

SIGNATURE = {"state": "State", "return": "Iterator[Breach]"}
ELSEWHERE = {"SUP-05"}
"""Proved by comparing with the templates, not on one cluster's objects."""


def test_every_public_function_that_proves_a_cluster_is_registered_once() -> None:
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(prove.__path__, f"{prove.__name__}.")]
    found = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        and function.__annotations__ == SIGNATURE and function is not registry.prove
    }  # fmt: skip
    assert found == set(registry.proofs())


def test_every_control_of_the_catalog_has_a_proof() -> None:
    proved = {control for controls in registry.proofs().values() for control in controls}
    assert proved | ELSEWHERE == set(CONTROLS)


@pytest.mark.parametrize("controls", [(), ("NET-99",), ("NET-01", "net-02")])
def test_a_proof_names_controls_of_the_catalog(controls: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no control of the catalog"):
        registration.proof(*controls)
