"""State between runs: signed, and outside the working tree, where no commit can write it.

Each installation signs its files with its own random key, so a cache copied from elsewhere is not trusted. A file
that can't be read, or that this installation did not write for this fleet, is ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from tenantry.core.findings import ToolError
from tenantry.runtime.confined import own_folder, regular_file

_KEY_BYTES = 32
_ROOT = "root"
"""Name of the file that records which fleet a folder belongs to."""
_MAX_BYTES = 1 << 30
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FleetState:
    """The folder of one fleet's caches and journal. `key` is None if nothing can be saved."""

    folder: Path
    key: bytes | None

    def read(self, name: str, say: Say = lambda _: None) -> Any:
        """The value saved under a name; None if there is none, or it is not trusted, which is reported."""
        path = self.folder / name
        if self.key is None or not os.path.lexists(path):
            return None
        try:
            with regular_file(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
                content = file.read(_MAX_BYTES)
            mark, _, body = content.partition(b"\n")
            if hmac.compare_digest(mark, self._mark(name, body)):
                return json.loads(body)
            why = "it was not written by this installation, or was damaged"
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            why = getattr(error, "strerror", None) or "it is damaged"
        say(f"{path} is ignored and recreated: {why}")
        return None

    def write(self, name: str, value: Any) -> None:
        """Save a value. Raises OSError; does nothing if nothing can be saved."""
        if self.key is None:
            return
        body = json.dumps(value).encode()
        own_folder(self.folder)
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._mark(name, body) + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            _remove_folder(self.folder / name)
            Path(temporary).replace(self.folder / name)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise

    def forget(self, name: str) -> None:
        """Delete the value of a name. Raises OSError."""
        _remove_folder(self.folder / name)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).unlink()

    def _mark(self, name: str, body: bytes) -> bytes:
        assert self.key is not None
        about = f"{self.folder.name}\0{name}\0".encode()
        return hmac.new(self.key, about + body, hashlib.sha256).hexdigest().encode()


def _remove_folder(path: Path) -> None:
    """Remove a folder in the place of a state file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def fleet_state(root: Path) -> FleetState:
    """State of the fleet at `root`, identified by its real path. Nothing is saved if no folder can be created.

    Raises ToolError when the folder would be in the fleet's working tree, where a commit could write it.
    """
    real = Path(os.path.realpath(root))
    fleets = outside(Path(platformdirs.user_state_dir("tenantry")), real) / "fleets"
    folder = fleets / hashlib.sha256(os.fsencode(real)).hexdigest()[:24]
    try:
        if not folder.is_dir():
            _forget_lost_fleets(own_folder(fleets))
            own_folder(folder)
            (folder / _ROOT).write_bytes(os.fsencode(real))
        own_folder(folder)
        return FleetState(folder, _key(fleets.parent))
    except OSError:
        return FleetState(folder, None)


def outside(folder: Path, root: Path) -> Path:
    """The real path of one of the user's folders. Raises ToolError when it is in the working tree of `root`."""
    folder = Path(os.path.realpath(folder))
    home = Path.home()
    for top in (root, *root.parents):
        in_git = os.path.lexists(top / ".git") and not home.is_relative_to(top)  # home directories under git are common
        if (top == root or in_git) and folder.is_relative_to(top):
            raise ToolError(
                f"the folder {folder} is inside the working tree {top}, where a commit can write it",
                "set XDG_STATE_HOME and XDG_CACHE_HOME to folders outside it",
            )
    return folder


def _forget_lost_fleets(fleets: Path) -> None:
    """Remove the state of fleets whose folders no longer exist."""
    for folder in fleets.iterdir():
        with contextlib.suppress(OSError, ValueError):
            if not Path(os.fsdecode((folder / _ROOT).read_bytes())).exists():
                shutil.rmtree(folder)


@cache
def _key(folder: Path) -> bytes | None:
    """The installation's key, in the user's state folder: random, created once, readable by its owner only.

    None if it can't be saved.
    """
    path = folder / "key"
    for _ in range(2):
        try:
            own_folder(folder)
            with regular_file(path) as descriptor:
                key = os.read(descriptor, _KEY_BYTES + 1)
            if len(key) == _KEY_BYTES:
                return key
        except OSError:
            pass
        try:
            _make_key(folder, path)
        except OSError:
            return None
    return None


def _make_key(folder: Path, path: Path) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".key.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        if os.path.lexists(path):  # unreadable or of the wrong length
            Path(temporary).replace(path)
        else:
            with contextlib.suppress(FileExistsError):  # another run created it first
                os.link(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
