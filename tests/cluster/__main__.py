"""`make cluster`, `make cluster-up`, `make cluster-down`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from acceptance.harness import definitions, packages, programs
from acceptance.harness.process import NotReadyError
from acceptance.harness.programs import Program, UnavailableError, cache
from cluster import forward, kind, world
from cluster.node import RUNTIME
from cluster.programs import BASE
from cluster.registry import CHECKS, Check
from cluster.trees import CLUSTER
from images import builder as images

USAGE = 2
MISSING_TOOL = 4
INTERRUPTED = 130


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own voice


def main(command: str, arguments: list[str]) -> int:
    """`check [NAMES]`, `kind [NAMES]`, `up [service]` or `down`."""
    signal.signal(signal.SIGTERM, _interrupt)
    if command == "down":
        return down()
    try:
        (kind if command == "kind" else world).require()
        cache().mkdir(parents=True, exist_ok=True)
        packages.ensure(list(RUNTIME), say)
        if command == "up":
            provide([CHECKS[name] for name in arguments])
            return up(arguments)
        unknown = sorted(set(arguments) - CHECKS.keys())
        if unknown:
            say(f"cluster: no check is named {', '.join(unknown)}; there are {', '.join(CHECKS)}")
            return USAGE
        checks = [CHECKS[name] for name in arguments or CHECKS]
        if command == "kind":
            provide(checks, kind.PROGRAMS)
            return kind.run(CLUSTER, arguments, say)
        provide(checks)
        with world.remains():
            return _run(["check", *arguments])
    except (UnavailableError, images.UnavailableError) as error:
        say(f"cluster: {error}")
        return MISSING_TOOL
    except KeyboardInterrupt:
        return INTERRUPTED


def provide(checks: list[Check], base: tuple[Program, ...] = BASE) -> None:
    """Build and fetch what has not been yet. Raises UnavailableError."""
    programs.ensure(list(dict.fromkeys((*base, *(program for check in checks for program in check.programs)))), say)
    if any(check.definitions for check in checks):
        definitions.ensure(say)
    for name, source in dict.fromkeys(image for check in checks for image in check.images):
        images.ensure(name, say, source)


def _run(arguments: list[str]) -> int:
    """Run to the end; a signal ends the cluster with it."""
    start = world.command([sys.executable, "-m", "cluster.inside", *arguments])
    process = subprocess.Popen(start)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
        return INTERRUPTED


def _interrupt(*_: object) -> None:
    """Whoever ends this program ends the cluster in the same orderly way as by Ctrl-C."""
    raise KeyboardInterrupt


def state() -> Path:
    """Of the one cluster that stays."""
    return cache() / "cluster"


def up(what: list[str]) -> int:
    """Start a cluster that stays, with a kubeconfig, empty or with the service."""
    folder = state()
    if folder.exists():
        say("cluster: one is there; 'make cluster-down' removes it")
        return 1
    folder.mkdir(mode=0o700)
    (folder / "settings.json").write_text(json.dumps(world.settings()))
    if os.fork():
        return _wait(folder)
    os.setsid()  # the process that stays: it holds the port, and ends with the cluster
    with (folder / "log").open("wb") as log:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    process = subprocess.Popen(world.command([sys.executable, "-m", "cluster.inside", "stay", str(folder), *what]))
    (folder / "pid").write_text(f"{os.getpid()} {process.pid}")
    while not (folder / "ready.json").is_file() and process.poll() is None:
        time.sleep(0.2)
    if process.poll() is None:
        if (folder / "edge.sock").exists():
            port = forward.listen(folder / "edge.sock")
            (folder / "edge").write_text(
                f"curl --insecure --resolve HOST:{port}:127.0.0.1 https://HOST:{port}/web/login"
            )
        _write_kubeconfig(folder, forward.listen(folder / "api.sock"))
    process.wait()
    os._exit(1)


def _wait(folder: Path) -> int:
    shown = 0

    def show() -> int:
        log = (folder / "log").read_text(errors="replace") if (folder / "log").is_file() else ""
        sys.stderr.write(log[shown:])
        return len(log)

    while not (folder / "kubeconfig").is_file():
        shown = show()
        pids = (folder / "pid").read_text().split() if (folder / "pid").is_file() else []
        if pids and not Path("/proc", pids[0]).is_dir():
            say("cluster: it did not start")
            down()
            return 1
        time.sleep(0.3)
    show()  # what came meanwhile, such as how to read the last tenant's password
    if (folder / "edge").is_file():
        say((folder / "edge").read_text())
    say(f"\nexport KUBECONFIG={folder / 'kubeconfig'}\n'make cluster-down' removes the cluster.")
    return 0


def _write_kubeconfig(folder: Path, port: int) -> None:
    there = json.loads((folder / "ready.json").read_text())
    paths = {}
    for name, text in there.items():
        paths[name] = folder / f"{name}.pem"
        paths[name].touch(0o600)
        paths[name].write_text(text)
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "tenantry",
        "clusters": [{"name": "tenantry", "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(paths["authority"])}}],
        "users": [{"name": "administrator", "user": {"client-certificate": str(paths["certificate"]), "client-key": str(paths["key"])}}],
        "contexts": [{"name": "tenantry", "context": {"cluster": "tenantry", "user": "administrator"}}],
    }  # fmt: skip
    partial = folder / "kubeconfig.partial"
    partial.touch(0o600)
    partial.write_text(yaml.safe_dump(content))
    partial.rename(folder / "kubeconfig")


def down() -> int:
    """Remove the cluster that stays, and what a run that was killed left; nothing to remove is fine."""
    folder = state()
    settings = {}
    if folder.is_dir():
        for pid in (folder / "pid").read_text().split()[::-1] if (folder / "pid").is_file() else ():
            _end(int(pid))
        if (folder / "settings.json").is_file():
            settings = json.loads((folder / "settings.json").read_text())
        shutil.rmtree(folder)
    try:
        world.restore(settings)
    except NotReadyError as error:
        say(f"cluster: {error}")
        return 1
    return 0


def _end(pid: int) -> None:
    """End a process of ours; another that got its number is left alone."""
    try:
        if b"cluster" in Path("/proc", str(pid), "cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check", sys.argv[2:]))
