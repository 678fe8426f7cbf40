"""A container out of a rendered Pod, started as a kubelet would: its user, its read-only root, its volumes, its environment."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Mount:
    """A folder of the machine in the container; `target` is absolute."""

    source: Path
    target: str
    read_only: bool = False


def first_process(process: subprocess.Popen[bytes]) -> int:
    """Process 1 of a container; its number on the machine. `unshare --fork` waits for it."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a container. Its first process and not `unshare`: a change of the user undoes the tie between the two."""
    if process.poll() is None:
        os.kill(first_process(process), signal.SIGKILL)
        process.wait()


@dataclass
class Box:
    """A root file system, what is mounted in it and who runs there. Nothing but writable mounts can be written to."""

    root: Path
    work: Path
    user: int
    group: int
    mounts: list[Mount] = field(default_factory=list)
    network: int | None = None
    """A process in whose network namespace it runs; the caller's without it."""

    def start(
        self, command: list[str], environment: Mapping[str, str], output: BinaryIO, given: Any = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """In namespaces of its own for mounts and processes: the command is process 1, and its end ends all that it started."""
        inside = f"exec /usr/sbin/chroot --userspec={self.user}:{self.group} --groups={self.group} {shlex.quote(str(self._merged))} "
        script = self._mounting() + inside + shlex.join(command)
        entered = ["nsenter", f"--net=/proc/{self.network}/ns/net"] if self.network else []
        return subprocess.Popen(
            [*entered, "unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "sh", "-euc", script],
            stdin=given, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=dict(environment),
        )  # fmt: skip

    @property
    def _merged(self) -> Path:
        return self.work / "merged"

    def _mounting(self) -> str:
        for name in ("upper", "overlay", "merged"):
            (self.work / name).mkdir(parents=True, exist_ok=True)
        merged = shlex.quote(str(self._merged))
        lines = [
            f"mount -t overlay overlay -o lowerdir={self.root},upperdir={self.work}/upper,workdir={self.work}/overlay {merged}",
            *(f"mkdir -p {merged}{shlex.quote(mount.target)}" for mount in self.mounts if mount.source.is_dir()),
            *(f"touch {merged}{shlex.quote(mount.target)}" for mount in self.mounts if mount.source.is_file()),
            f"mount -o remount,ro {merged}",
            f"mount -t proc proc {merged}/proc",
            f"mount --rbind /dev {merged}/dev",
        ]
        for mount in self.mounts:
            target = f"{merged}{shlex.quote(mount.target)}"
            lines.append(f"mount --bind {shlex.quote(str(mount.source))} {target}")
            if mount.read_only:
                lines.append(f"mount -o remount,bind,ro {target}")
        return "\n".join(lines) + "\n"


@dataclass
class Pod:
    """A rendered Deployment or Job: its volumes as folders, kept from one container to the next as in a Pod."""

    manifest: Manifest
    config_maps: Mapping[str, Mapping[str, str]]
    secrets: Mapping[str, Mapping[str, str]]
    work: Path
    extra: tuple[Mount, ...] = ()
    """What stands for the cluster: names, certificates."""
    network: int | None = None
    address: str = "127.0.0.1"
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill(self) -> None:
        """As a node that goes away: all of its containers at once."""
        for process in self.processes:
            end(process)

    @property
    def spec(self) -> Manifest:
        return dict(self.manifest["spec"]["template"]["spec"])

    def container(self, name: str) -> Manifest:
        (found,) = [c for c in (*self.spec["containers"], *self.spec.get("initContainers", ())) if c["name"] == name]
        return dict(found)

    def command(self, name: str) -> list[str]:
        container = self.container(name)
        return [*container.get("command", ()), *container.get("args", ())]

    def environment(self, name: str) -> dict[str, str]:
        found = {"PATH": "/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        for entry in self.container(name).get("env", ()):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            found[entry["name"]] = self.secrets[reference["name"]][reference["key"]] if reference else entry["value"]
        return found

    def box(self, name: str, root: Path, called: str = "") -> Box:
        """For one container, or a further process in its image that is `called` something else. Volumes are made on first use."""
        user = self.spec["securityContext"]
        work = self.work / f"container-{called or name}"
        shutil.rmtree(work, ignore_errors=True)
        mounts = [
            Mount(self._volume(mount["name"]), mount["mountPath"], mount.get("readOnly", False))
            for mount in self.container(name).get("volumeMounts", ())
        ]
        return Box(root, work, user["runAsUser"], user["runAsGroup"], [*mounts, *self.extra], self.network)

    def _volume(self, name: str) -> Path:
        (volume,) = [volume for volume in self.spec["volumes"] if volume["name"] == name]
        folder = self.work / "volumes" / name
        if folder.is_dir():
            return folder
        folder.mkdir(parents=True)
        user = self.spec["securityContext"]
        if "configMap" in volume:
            content = dict(self.config_maps[volume["configMap"]["name"]])
        elif "secret" in volume:
            content = dict(self.secrets[volume["secret"]["secretName"]])
            if "items" in volume["secret"]:
                content = {item["path"]: content[item["key"]] for item in volume["secret"]["items"]}
        else:
            content = {}
        for key, text in content.items():
            (folder / key).write_text(text)
            (folder / key).chmod(0o644)
        # As fsGroup does: the group may write, the owner is root.
        shutil.chown(folder, 0, user["runAsGroup"])
        folder.chmod(0o2775)
        return folder
