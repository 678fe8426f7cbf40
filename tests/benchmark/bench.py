"""`make bench`: times on synthetic fleets, against the stock chain. Prints a table, then JSON.

The stock chain is one kustomize process an overlay, kubernetes-validate for native objects, and Kyverno's command line;
each is measured on a sample, and scaled.

Each number is one run on this machine; compare numbers of one run only.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from rich.console import Console
from rich.table import Table

from benchmark.synthetic import lay_fleet
from stock import KUSTOMIZE, KYVERNO
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.plan.inputs import read_inputs
from tenantry.render.kustomizations import EMPTY_BASE, folders_used, render_base, render_component, render_overlay
from tenantry.render.registry import COMPONENTS
from tenantry.render.units import base_units, component_context, units
from tenantry.runtime.cache import Store
from tenantry.verify import native
from tenantry.verify.folder import read_folder
from tenantry.verify.index import Index
from tenantry.verify.judge import judge

STOCK_SAMPLE = 60
"""Overlays that stock kustomize builds; its time for all is this sample's, scaled."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def timed(*arguments: str | Path, code: int = 0, folder: Path | None = None) -> tuple[float, float]:
    """(seconds, peak MiB of the command and its engine) of one tenantry run in `folder` that ends with this code."""
    program = [sys.executable, "-m", "tenantry", *map(str, arguments)]
    # Python keeps compiled modules, as for a person; some systems that run CI forbid it.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, env=variables, cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise SystemExit(f"{' '.join(program)} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def stages(root: Path) -> dict[str, float]:
    """Seconds of each stage, one after the other, nothing known beforehand."""
    times: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        times[name] = now - clock
        clock = now

    inputs = read_inputs(root, "2026-11-23", Store(None))
    lap("inputs")
    shared = {}
    for name in COMPONENTS:
        shared |= render_component(name, component_context(inputs.fleet.platform))
    bases = {unit.path: render_base(unit.path, unit.tree, unit.context()) for unit in base_units(inputs.fleet)}
    for base in bases.values():
        shared |= base.files
    overlays = {}
    for unit in units(inputs.fleet, inputs.resolution.instances):
        base = bases.get(unit.base, EMPTY_BASE)
        folder = f"overlays/{unit.path}"
        files = render_overlay(unit.path, unit.tree, unit.context(), base).files
        overlays[folder] = {f"{folder}/{name}": text for name, text in files.items()}, folders_used(base)
    lap("templates")
    with Engine(engine_build.ensure(engine_build.ENGINE, say)) as engine:
        engine.store({f"base/{path}": text for path, text in shared.items()})
        lap("engine start")
        for started in [engine.build(path, *given) for path, given in overlays.items()]:
            engine.objects(started)
        lap("build")
    return times


def object_times(root: Path) -> dict[str, float]:
    """Microseconds an object: reading and judging everything, native schemas alone, and kubernetes-validate on a sample."""
    with Engine(engine_build.ensure(engine_build.ENGINE, say)) as engine:
        cluster = sorted(path.name for path in (root / "rendered").iterdir())[0]
        started = time.perf_counter()
        manifests = read_folder(engine, root / "rendered", cluster).manifests
        reading = time.perf_counter() - started
    schemas = native.schemas("1.34")
    natives = [m for m in manifests if schemas.knows(m.identity.group, m.version, m.identity.kind)]
    for manifest in natives:  # compiles each kind once
        list(schemas.problems(manifest))
    started = time.perf_counter()
    for manifest in natives:
        list(schemas.problems(manifest))
    compiled = time.perf_counter() - started
    started = time.perf_counter()
    list(judge(Index(manifests), "1.34"))
    judging = time.perf_counter() - started
    sample = natives[:: max(1, len(natives) // STOCK_SAMPLE)]
    started = time.perf_counter()
    for manifest in sample:
        kubernetes_validate.validate(dict(manifest.value), "1.34.0", strict=True)
    stock = time.perf_counter() - started
    return {
        "reading_us": reading / len(manifests) * 1e6, "judging_us": judging / len(manifests) * 1e6,
        "native_us": compiled / len(natives) * 1e6, "native_share": len(natives) / len(manifests), "stock_native_us": stock / len(sample) * 1e6,
    }  # fmt: skip


def policy_times(root: Path) -> dict[str, float]:
    """Seconds to compile the fleet's policies, and to have 1,000 objects judged by all of them."""
    policies = [yaml.safe_load(path.read_text()) for path in sorted((root / "policies").glob("*/policy.yaml"))]
    cluster = sorted(path.name for path in (root / "rendered").iterdir())[0]
    with Engine(engine_build.ensure(engine_build.ENGINE, say)) as engine:
        manifests = read_folder(engine, root / "rendered", cluster).manifests
    spaces = {m.identity.name: dict(m.labels) for m in manifests if m.identity.kind == "Namespace"}
    with PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, say)) as running:
        started = time.perf_counter()
        running.load(policies)
        compiled = time.perf_counter() - started
        started = time.perf_counter()
        running.outcomes(running.judge([m.value for m in manifests], spaces))
        judged = time.perf_counter() - started
    return {
        "policies": len(policies),
        "policies_compile_s": compiled,
        "policies_1000_s": judged / len(manifests) * 1000,
    }


def stock_seconds(root: Path, kustomize: Path) -> tuple[float, int]:
    """(seconds for all overlays with one stock process each, two at a time; overlays)."""
    overlays = sorted(path.parent for path in (root / "overlays").rglob("kustomization.yaml"))
    sample = overlays[:: max(1, len(overlays) // STOCK_SAMPLE)]
    started = time.perf_counter()
    waiting: list[subprocess.Popen[bytes]] = []
    for overlay in sample:
        if len(waiting) == (os.cpu_count() or 2):
            waiting.pop(0).wait()
        waiting.append(subprocess.Popen([kustomize, "build", overlay], stdout=subprocess.DEVNULL))
    for process in waiting:
        process.wait()
    return (time.perf_counter() - started) * len(overlays) / len(sample), len(overlays)


def stock_kyverno_seconds(root: Path, kyverno: Path, folder: Path) -> float:
    """Seconds that Kyverno's own command line takes for all policies and objects, from a sample, its start taken off."""
    files = sorted((root / "rendered").rglob("*.yaml"))
    policies = sorted((root / "policies").glob("*/policy.yaml"))

    def seconds(sample: list[Path]) -> float:
        resources = folder / "sample.yaml"
        resources.write_text("---\n".join(path.read_text() for path in sample))
        started = time.perf_counter()
        subprocess.run([kyverno, "apply", *policies, "-r", resources], stdout=subprocess.DEVNULL, check=False)
        return time.perf_counter() - started

    one = seconds(files[:1])
    sample = files[:: max(1, len(files) // STOCK_SAMPLE)]
    return (seconds(sample) - one) / (len(sample) - 1) * len(files)


def measure(tenants: int, folder: Path, kustomize: Path, kyverno: Path) -> dict[str, Any]:
    root = folder / str(tenants)
    lay_fleet(root, tenants)
    say(f"{tenants} tenants: cold render")
    cold, memory = timed("render", "-C", root)
    say(f"{tenants} tenants: nothing changed, one tenant changed, everything without caches")
    unchanged, _ = timed("check", "-C", root)
    tenant = sorted((root / "tenants").glob("*.yaml"))[0]
    tenant.write_text(tenant.read_text().replace("displayName: ", "displayName: New ", 1))
    one_check, _ = timed("check", "-C", root, code=1)  # the trees are out of date
    one_render, _ = timed("render", "-C", root)
    full, _ = timed("check", "--no-cache", "-C", root)
    parts = stages(root)
    say(f"{tenants} tenants: verify")
    verify, _ = timed("verify", "-C", root)
    times = {**object_times(root), **policy_times(root)}
    foreign = folder / "foreign"  # the same files, of which nobody has promised anything
    (root / "rendered").rename(foreign)
    alone, _ = timed("verify", foreign, folder=folder)  # no fleet is found from here
    foreign.rename(root / "rendered")
    say(f"{tenants} tenants: stock kustomize")
    stock, overlays = stock_seconds(root, kustomize)
    say(f"{tenants} tenants: stock Kyverno")
    judged = stock_kyverno_seconds(root, kyverno, folder)
    objects = sum(1 for _ in (root / "rendered").rglob("*.yaml"))
    chain = stock + judged + times["stock_native_us"] * times["native_share"] * objects / 1e6
    shutil.rmtree(root)
    return {
        "tenants": tenants, "overlays": overlays, "objects": objects, "cold_render_s": cold, "peak_memory_mib": memory, "unchanged_check_s": unchanged,
        "one_tenant_check_s": one_check, "one_tenant_render_s": one_render, "uncached_check_s": full, "stages_s": parts,
        "verify_s": verify, "verify_us_per_tenant": verify / tenants * 1e6, **times, "native_ratio": times["stock_native_us"] / times["native_us"],
        "stock_kustomize_s": stock, "build_ratio": stock / parts["build"], "stock_kyverno_s": judged, "stock_chain_s": chain,
        "chain_ratio": chain / full,
        "foreign_s": alone, "stock_verify_s": chain - stock, "foreign_ratio": (chain - stock) / alone,
    }  # fmt: skip


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kustomize, kyverno = KUSTOMIZE.build(), KYVERNO.build()
    for program in engine_build.PROGRAMS:
        engine_build.ensure(program, say)
    with tempfile.TemporaryDirectory() as folder:
        results = [
            measure(int(size), Path(folder), kustomize, kyverno) for size in sys.argv[1:] or ("10", "100", "500")
        ]
    table = Table(title=f"Seconds, on {os.cpu_count()} cores")
    rows = (
        ("overlays", "overlays", "{:,}"), ("objects", "objects", "{:,}"), ("cold render", "cold_render_s", "{:.2f}"), ("peak memory, MiB", "peak_memory_mib", "{:.0f}"),
        ("check, nothing changed", "unchanged_check_s", "{:.2f}"), ("check, one tenant changed", "one_tenant_check_s", "{:.2f}"),
        ("render, one tenant changed", "one_tenant_render_s", "{:.2f}"), ("check, no cache", "uncached_check_s", "{:.2f}"),
        ("verify of all that is rendered", "verify_s", "{:.2f}"), ("verify, us a tenant", "verify_us_per_tenant", "{:,.0f}"),
        ("verify of these files without a fleet", "foreign_s", "{:.2f}"),
        ("kubernetes-validate and Kyverno on them", "stock_verify_s", "{:,.0f}"), ("these / verify", "foreign_ratio", "{:,.0f} x"),
        ("reading, us an object", "reading_us", "{:.0f}"), ("judging, us an object", "judging_us", "{:.0f}"),
        ("policies", "policies", "{}"), ("policies, compiling", "policies_compile_s", "{:.2f}"),
        ("policies, 1,000 objects by all", "policies_1000_s", "{:.2f}"),
        ("native schema, us an object", "native_us", "{:.1f}"), ("kubernetes-validate, us an object", "stock_native_us", "{:,.0f}"),
        ("kubernetes-validate / ours", "native_ratio", "{:,.0f} x"),
        ("stock kustomize, a process each", "stock_kustomize_s", "{:.2f}"), ("stock / engine, building alone", "build_ratio", "{:.1f} x"),
        ("stock Kyverno, all policies", "stock_kyverno_s", "{:,.0f}"),
        ("stock chain: build, schemas, policies", "stock_chain_s", "{:,.0f}"),
        ("stock chain / check, no cache", "chain_ratio", "{:,.0f} x"),
    )  # fmt: skip
    table.add_column("tenants")
    for result in results:
        table.add_column(f"{result['tenants']:,}", justify="right")
    for title, key, form in rows:
        table.add_row(title, *(form.format(result[key]) for result in results))
    for stage in results[0]["stages_s"]:
        table.add_row(f"stage: {stage}", *(f"{result['stages_s'][stage]:.2f}" for result in results))
    Console(width=100).print(table)
    print(json.dumps({"version": 1, "cores": os.cpu_count(), "results": results}))


if __name__ == "__main__":
    main()
