"""Inputs of a command that can do nothing with a fleet that is not valid."""

from __future__ import annotations

from tenantry.core.findings import FindingsError
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.runtime.workspace import Workspace


def usable_inputs(space: Workspace) -> Inputs:
    """The fleet's inputs. Raises FindingsError with what is wrong with them."""
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    if not inputs.usable:
        raise FindingsError(inputs.findings)
    return inputs
