"""The modules of `checks/`, and what each needs beside an empty cluster. A new one is a file and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acceptance.harness.programs import ARGO_CD, Program
from cluster.programs import ALERTMANAGER, OPERATORS, PROMETHEUS, PROMETHEUS_OPERATOR, VERSITYGW
from images.builder import FOLDER, NAMES

OWN_IMAGES = Path(__file__).resolve().parent / "images"
"""Images that no user needs, since an operator's release brings them."""


@dataclass(frozen=True)
class Check:
    """Programs, (image, folder of its folder), and whether the operators' CRDs are read."""

    programs: tuple[Program, ...] = ()
    images: tuple[tuple[str, Path], ...] = ()
    definitions: bool = False


_SERVICE = Check(
    (*OPERATORS, ARGO_CD, VERSITYGW),
    (*((name, FOLDER) for name in NAMES), *((name, OWN_IMAGES) for name in ("barman-cloud", "argocd"))),
    definitions=True,
)
_OBSERVED = Check(
    (*_SERVICE.programs, PROMETHEUS_OPERATOR, PROMETHEUS, ALERTMANAGER), _SERVICE.images, definitions=True
)
CHECKS = {
    "base": Check(),
    "service": _SERVICE,
    "people": _SERVICE,
    "observation": _OBSERVED,
    "isolation": _SERVICE,
    "reachability": _SERVICE,
    "trouble": _SERVICE,
    "release": _SERVICE,
    "rotation": _SERVICE,
    "drill": _SERVICE,
    "restore": _SERVICE,
}
"""In the order of a whole run."""
