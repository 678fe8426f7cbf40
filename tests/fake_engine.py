"""Programs in the engine's place, which answer as no engine should."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

from tenantry.engine.protocol import PROTOCOL


def fake(folder: Path, body: str) -> Path:
    """A program in the engine's place."""
    program = folder / "engine"
    program.write_text(f"#!{sys.executable}\nimport json, struct, sys, time\nPROTOCOL = {PROTOCOL}\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


HELLO = """
def answer(result, id):
    body = json.dumps({"id": id, "result": result}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()
def request():
    (length,) = struct.unpack(">I", sys.stdin.buffer.read(4))
    return json.loads(sys.stdin.buffer.read(length))
answer({"protocol": PROTOCOL}, request()["id"])
request()
"""
