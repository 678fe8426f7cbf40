"""`make images`: build every image. `make odoo`: the rendered scripts of one tenant in a real Odoo, on real servers.

`make odoo PART=serving` installs once and goes on with the checks of a Pod that serves.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from acceptance.harness import programs
from images import builder, contract, networks, sbom
from images.installing import Installing
from images.serving import Serving
from images.table import Table
from images.tenant import Tenant

DIST = Path(__file__).resolve().parents[2] / "dist"
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]


def say(line: str) -> None:
    print(line, flush=True)


def build() -> int:
    """Each image against its contract, and against one that it can't fulfil; and its SBOM into dist/."""
    table = Table()
    for name in builder.NAMES:
        table.check(f"the image {name} fulfils its contract", lambda name=name: fulfilled(builder.built(name, say)))
        table.check(f"what {name} consists of", lambda name=name: sbom.write(name, builder.built(name).root, DIST))
    say(f"\n{table}")
    return 0 if table.passed else 1


def fulfilled(image: builder.Image) -> str:
    assert "the program no-such-program is not on PATH" in contract.faults(image, "\nprogram no-such-program\n")
    missing = contract.faults(image)
    assert not missing, "; ".join(missing)
    return f"{image.archive.stat().st_size >> 20} MiB, {image.archive.name} of {image.folder.name}"


def odoo(work: Path, part: str) -> int:
    """In namespaces of its own, so that nothing is left however it ends."""
    networks.bridge()
    tenant = Tenant(work, {name: builder.Image(name).root for name in builder.NAMES})
    tenant.serve()
    table = Table()
    jobs = Installing(tenant, table)
    if part == "serving":
        table.check("a new database is installed", jobs.installed)
    else:
        jobs.run()
        jobs.back_up()
    Serving(tenant, table, jobs).run()
    say(f"\n{table}")
    return 0 if table.passed else 1


def main(words: list[str]) -> int:
    if words == ["build"]:
        return build()
    if words[:1] == ["inside"]:
        return odoo(Path(words[1]), *words[2:] or [""])
    for name in builder.NAMES:
        builder.ensure(name, say)
    programs.ensure([programs.RCLONE], say)
    with tempfile.TemporaryDirectory(prefix="tenantry-odoo-") as work:
        return os.spawnvp(os.P_WAIT, "unshare", [*NAMESPACES, sys.executable, "-m", "images", "inside", work, *words])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (builder.UnavailableError, programs.UnavailableError) as error:
        sys.exit(f"images: {error}")
