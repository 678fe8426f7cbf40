"""What is kept between runs: outside of the working tree, where no commit can write, and signed.

Each installation signs its files with a random key of its own, so that a cache that was copied here from elsewhere says
nothing. A file that can't be read, or that this installation did not write for this fleet, is as good as none.
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
"""Name of the file that tells which fleet a folder belongs to."""
_MAX_BYTES = 1 << 30
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class State:
    """The folder of one fleet's caches and journal. `key` is None where nothing can be kept."""

    folder: Path
    key: bytes | None

    def read(self, name: str, say: Say = lambda _: None) -> Any:
        """The value that was kept under a name; None when there is none, or none to be trusted, which is said."""
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
        say(f"{path} is ignored and made again: {why}")
        return None

    def write(self, name: str, value: Any) -> None:
        """Keep a value. Raises OSError; nothing happens where nothing can be kept."""
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
        """Keep nothing under a name. Raises OSError."""
        _remove_folder(self.folder / name)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).unlink()

    def _mark(self, name: str, body: bytes) -> bytes:
        assert self.key is not None
        about = f"{self.folder.name}\0{name}\0".encode()
        return hmac.new(self.key, about + body, hashlib.sha256).hexdigest().encode()


def _remove_folder(path: Path) -> None:
    """Remove a folder that stands in the place of a file of ours."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def fleet_state(root: Path) -> State:
    """State of the fleet at `root`, which is known by its real path. Nothing is kept where no folder can be made.

    Raises ToolError when the folder would lie in the fleet's working tree: a commit could write it then.
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
        return State(folder, _key())
    except OSError:
        return State(folder, None)


def outside(folder: Path, root: Path) -> Path:
    """The real path of one of the user's own folders. Raises ToolError when it lies in the working tree of `root`."""
    folder = Path(os.path.realpath(folder))
    home = Path.home()
    for top in (root, *root.parents):
        in_git = os.path.lexists(top / ".git") and not home.is_relative_to(top)  # many keep their home in git
        if (top == root or in_git) and folder.is_relative_to(top):
            raise ToolError(
                f"the folder {folder} lies inside the working tree {top}, where a commit can write it",
                "set XDG_STATE_HOME and XDG_CACHE_HOME to folders outside of it",
            )
    return folder


def _forget_lost_fleets(fleets: Path) -> None:
    """Remove what was kept for fleets whose folders are gone."""
    for folder in fleets.iterdir():
        with contextlib.suppress(OSError, ValueError):
            if not Path(os.fsdecode((folder / _ROOT).read_bytes())).exists():
                shutil.rmtree(folder)


@cache
def _key() -> bytes | None:
    """The installation's key: random, made once, readable by its owner only. None when it can't be kept."""
    folder = Path(platformdirs.user_state_dir("tenantry"))
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
        if os.path.lexists(path):  # neither readable nor of the right length
            Path(temporary).replace(path)
        else:
            with contextlib.suppress(FileExistsError):  # another run was first
                os.link(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
