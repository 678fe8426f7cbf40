"""Wheels with the Go programs inside, one a system: nobody who installs one needs Go.

A wheel of one system is the wheel of all systems with programs added and another tag. The same inputs give the same
bytes: entries in order, one time for all, no data of this machine.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tenantry.core.findings import ToolError
from tenantry.engine.build import BuildTarget

TARGETS = tuple(BuildTarget(system, processor) for system in ("linux", "darwin") for processor in ("amd64", "arm64"))
_PROCESSORS = {"linux": {"amd64": "x86_64", "arm64": "aarch64"}, "darwin": {"amd64": "x86_64", "arm64": "arm64"}}
_ELF_MACHINES, _MACH_PROCESSORS = {62: "amd64", 183: "arm64"}, {0x01000007: "amd64", 0x0100000C: "arm64"}
_PROGRAM, _SCRIPT = 0o100755, 0o100644


def tags(target: BuildTarget, programs: list[bytes]) -> list[str]:
    """Platform tags that hold for programs, read from the programs themselves. Raises ToolError for other programs.

    A static program needs nothing of Linux but its kernel, so it runs with glibc and with musl.
    """
    processor = _PROCESSORS[target.system][target.processor]
    if target.system == "linux":
        for content in programs:
            _must_be_static(target, content)
        return [f"manylinux2014_{processor}", f"manylinux_2_17_{processor}", f"musllinux_1_1_{processor}"]
    major, minor = max(_oldest_macos(target, content) for content in programs)
    return [f"macosx_{major}_{minor}_{processor}"]


def _must_be_static(target: BuildTarget, content: bytes) -> None:
    if content[:5] != b"\x7fELF\x02" or _ELF_MACHINES.get(struct.unpack_from("<H", content, 18)[0]) != target.processor:
        raise ToolError(f"this is no program for {target}")
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    kinds = {struct.unpack_from("<I", content, table + size * number)[0] for number in range(count)}
    if kinds & {2, 3}:  # PT_DYNAMIC, PT_INTERP
        raise ToolError(f"a program for {target} needs shared libraries")


def _oldest_macos(target: BuildTarget, content: bytes) -> tuple[int, int]:
    magic, processor, _, _, commands = struct.unpack_from("<5I", content)
    if magic != 0xFEEDFACF or _MACH_PROCESSORS.get(processor) != target.processor:
        raise ToolError(f"this is no program for {target}")
    at = 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", content, at)
        if command in (0x32, 0x24):  # LC_BUILD_VERSION, LC_VERSION_MIN_MACOSX
            (version,) = struct.unpack_from("<I", content, at + (12 if command == 0x32 else 8))
            return version >> 16, version >> 8 & 0xFF
        at += size
    raise ToolError(f"a program for {target} does not say which macOS it needs")


def write(pure: Path, target: BuildTarget, programs: Mapping[str, bytes]) -> Path:
    """Write the wheel of a system beside the wheel of all systems. `programs` are by name in the wheel."""
    platforms = tags(target, list(programs.values()))
    name, version, python, abi, _ = pure.name.removesuffix(".whl").split("-")
    path = pure.with_name(f"{name}-{version}-{python}-{abi}-{'.'.join(platforms)}.whl")
    record = f"{name}-{version}.dist-info/RECORD"
    with zipfile.ZipFile(pure) as source:
        time = source.infolist()[0].date_time
        entries = {entry: source.read(entry) for entry in source.namelist() if entry != record}
    about = f"{name}-{version}.dist-info/WHEEL"
    entries[about] = _about(entries[about].decode(), [f"{python}-{abi}-{platform}" for platform in platforms])
    entries |= programs
    entries[record] = _record(entries, record)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for entry, content in sorted(entries.items(), key=lambda item: (".dist-info/" in item[0], item[0])):
            information = zipfile.ZipInfo(entry, time)
            information.create_system = 3  # Unix, on any machine
            information.external_attr = (_PROGRAM if entry in programs else _SCRIPT) << 16
            information.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(information, content)
    return path


def _about(text: str, wheel_tags: list[str]) -> bytes:
    lines = [line for line in text.splitlines() if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))]
    return "\n".join([*lines, "Root-Is-Purelib: false", *(f"Tag: {tag}" for tag in wheel_tags), ""]).encode()


def _record(entries: Mapping[str, bytes], record: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*_rows(entries), (record, "", "")])
    return text.getvalue().encode()


def _rows(entries: Mapping[str, bytes]) -> Iterator[tuple[str, str, int]]:
    for entry, content in sorted(entries.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        yield entry, f"sha256={digest}", len(content)
