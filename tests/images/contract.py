"""Runs `images/contract` in each image, as the user that the rendered manifests give it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from images.builder import FOLDER, Image
from images.container import Box, Mount


def faults(image: Image, lines: str = "") -> list[str]:
    """What an image lacks; `lines` are added to its contract."""
    contract = (FOLDER / image.name / "contract.txt").read_text() + lines
    (user,) = [line.split()[1] for line in contract.splitlines() if line.startswith("user ")]
    uid, gid = map(int, user.split(":"))
    with tempfile.TemporaryDirectory() as work:
        given, log = Path(work) / "given", Path(work) / "log"
        given.write_text(contract)
        scratch = Path(work) / "tmp"
        scratch.mkdir()
        scratch.chmod(0o1777)
        box = Box(
            image.root,
            Path(work) / "box",
            uid,
            gid,
            [Mount(FOLDER / "contract", "/contract", True), Mount(scratch, "/tmp")],
        )
        with given.open("rb") as source, log.open("wb") as output:
            code = box.start(
                ["sh", "/contract"], {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"}, output, source
            ).wait()
        said = log.read_text().splitlines()
        return said or ([f"the check ended with code {code}"] if code else [])
