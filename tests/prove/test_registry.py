"""A proof that is written and not registered would prove nothing."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from tenantry import prove
from tenantry.prove import registry

SIGNATURE = {"state": "State", "return": "Iterator[Breach]"}


def test_every_public_function_that_proves_a_cluster_is_registered_once() -> None:
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(prove.__path__, f"{prove.__name__}.")]
    found = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        and function.__annotations__ == SIGNATURE and function is not registry.prove
    }  # fmt: skip
    assert found == set(registry.PROOFS)
    assert len(registry.PROOFS) == len(found)
