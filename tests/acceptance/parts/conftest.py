"""What every part may ask for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.harness.control_plane import ControlPlanes
from acceptance.harness.process import Processes
from acceptance.harness.tally import Tally


@pytest.fixture
def tally() -> Tally:
    """What this test counts; the plugin judges it when the test ends."""
    return Tally()


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Path:
    """A folder of the part's own, in memory; servers without privileges may enter it."""
    path = Path(tempfile.gettempdir()) / request.path.stem
    path.mkdir(mode=0o755)
    return path


@pytest.fixture(scope="module")
def processes(folder: Path) -> Iterator[Processes]:
    with Processes(folder) as running:
        yield running


@pytest.fixture(scope="module")
def control_planes(processes: Processes, folder: Path) -> Iterator[ControlPlanes]:
    planes = ControlPlanes(processes, folder)
    yield planes
    planes.close()
