"""The example fleet, an object of it changed or a file of its inputs, and what a loss means then."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from change.test_guards import Edit, lay
from controls.laboratory import AS_OF, example, mutate, running_engine
from controls.table import Mutant
from tenantry.core.manifest import Manifest
from tenantry.plan.inputs import read_inputs
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Promises, promises
from tenantry.runtime.cache import Store
from tenantry.simulate.loss import Course, LossKind, Simulation
from tenantry.simulate.simulation import loss_of, simulate
from tenantry.verify.index import Index


class Added(Edit):
    """A file that is not there yet."""

    def do(self, root: Path) -> None:
        assert self.new is not None and not (root / self.file).exists()
        (root / self.file).write_text(self.new)


def lost(kind: LossKind, name: str, *edits: Edit, changed: Mutant | None = None) -> Simulation:
    """What a loss means after edits of the inputs, or with one object changed."""
    known, objects = example()
    if changed is not None:
        objects = mutate(changed)
    known = _edited(edits) if edits else known
    return simulate(known, states(known, objects), loss_of(kind, name, known.clusters))


def _edited(edits: tuple[Edit, ...]) -> Promises:
    """The inputs with edits; the objects stay those of the example, as if the edit were in the promise alone."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = read_inputs(lay(Path(folder) / "fleet", edits), AS_OF, Store(None))
        assert inputs.usable, inputs.findings
        return promises(inputs.fleet, inputs.resolution.instances, AS_OF)


def states(known: Promises, objects: Mapping[str, tuple[Manifest, ...]]) -> dict[str, State]:
    """The clusters with these objects."""
    found: dict[str, State] = {}
    for cluster, manifests in objects.items():
        found[cluster] = State(known, known.clusters[cluster], Index(manifests), cluster, found)
    readings.read(running_engine(), found)
    return found


def course(found: Simulation, instance: str) -> Course:
    (one,) = (course for course in found.courses if course.instance == instance)
    return one
