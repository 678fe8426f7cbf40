"""base/: what the instances of a tier share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from tenantry.core.paths import base_folder, component_folder, name_of
from tenantry.inputs.fleet import Fleet
from tenantry.publish.known import KnownFolders
from tenantry.render.kustomizations import EMPTY_BASE, Base, render_base, render_component
from tenantry.render.registry import COMPONENTS
from tenantry.render.units import BaseUnit, base_units, component_context
from tenantry.runtime.cache import digest_of
from tenantry.runtime.listing import Change


class Bases:
    """The bases and components of a fleet, each rendered once, on first use."""

    def __init__(self, fleet: Fleet) -> None:
        self._platform = fleet.platform
        self._platform_key = digest_of(fleet.document(fleet.platform).digest)
        self._units = {unit.path: unit for unit in base_units(fleet)}
        self._rendered: dict[str, Base] = {}

    def base(self, path: str) -> Base:
        """The base at a path; the empty one if the unit has none."""
        if not path:
            return EMPTY_BASE
        if path not in self._rendered:
            unit = self._units[path]
            self._rendered[path] = render_base(unit.path, unit.tree, unit.context())
        return self._rendered[path]

    def files(self, paths: Iterable[str]) -> dict[str, str]:
        """Files (path below the root -> text) of all components and of the named bases, which builds share."""
        files: dict[str, str] = {}
        for name in COMPONENTS:
            files |= self._component(name)
        for path in sorted(set(paths) - {""}):
            files |= self.base(path).files
        return {base_folder(path): text for path, text in files.items()}

    @property
    def folders(self) -> set[str]:
        """Folders of bases and components, relative to the root."""
        components = {component_folder(name) for name in COMPONENTS}
        return components | {base_folder(path) for path in self._units}

    def changes(self, known: KnownFolders) -> Iterator[Change]:
        """What must change in base/."""
        for name in COMPONENTS:
            folder = component_folder(name)
            yield from _changes(known, folder, self._platform_key, lambda name=name: self._component(name))  # type: ignore[misc]
        for unit in self._units.values():
            yield from _changes(known, base_folder(unit.path), unit.key, lambda unit=unit: self._files(unit))  # type: ignore[misc]

    def _files(self, unit: BaseUnit) -> Mapping[str, str]:
        return self.base(unit.path).files

    def _component(self, name: str) -> Mapping[str, str]:
        return render_component(name, component_context(self._platform))


def _changes(known: KnownFolders, folder: str, key: str, make: Callable[[], Mapping[str, str]]) -> Iterator[Change]:
    if known.holds(folder, key, (folder,)):
        return
    wanted = {name_of(path): text.encode() for path, text in make().items()}
    yield from known.compare(folder, wanted)
    known.note(folder, key, (folder,))
