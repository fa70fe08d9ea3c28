"""Measure how the workflow scales, and estimate what sizes beyond this machine cost.

``shards`` makes shards of structures and waves, as many at a time as asked for, all of one size.
``dry-run`` plans the workflow with many shards. ``cost`` is the model of the page on scaling in the
documentation: measured times go in, jobs and hours come out. Each prints a table.

Examples:
    python benchmarks/scaling.py shards --parallel 1 2 4 --structures 24
    python benchmarks/scaling.py dry-run --shards 100 1000 10000
    python benchmarks/scaling.py cost --structure-s 0.6 --frame-s 0.45 --nodes 1 10 100
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"

#: Jobs of a series of particles: import, maps, atoms, drift, substrate, sites.
SERIES_JOBS = 6


@dataclass(frozen=True)
class Usage:
    """What a process took; the memory is its peak."""

    cpu_s: float
    memory_MB: float


@dataclass(frozen=True)
class Work:
    """Jobs of about one length."""

    name: str
    work_s: float  # of all jobs together, on one core
    jobs: int
    chain: int  # jobs that wait for each other, one after another


@dataclass(frozen=True)
class Cluster:
    """What a cluster adds to the work."""

    cores: int  # jobs of one core that a node runs at a time
    overhead_s: float  # of a job beside its work: two starts of Snakemake
    jobs: int  # in the queue at a time, ``jobs`` of the profile
    submit_s: float  # in which Snakemake submits a job and sees that it has ended


def main() -> None:
    given = parse()
    given.command(given)


def parse() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = arguments.add_subparsers(required=True)

    shards = commands.add_parser("shards", help="shards side by side")
    shards.add_argument("--parallel", type=int, nargs="+", default=[1, 2, 4])
    shards.add_argument("--structures", type=int, default=24, help="in every shard")
    shards.add_argument("--model", default="graphene_laptop", help="of the configuration")
    shards.set_defaults(command=print_shards)

    plan = commands.add_parser("dry-run", help="the plan of many shards")
    plan.add_argument("--shards", type=int, nargs="+", default=[100, 1000, 10000])
    plan.add_argument("--target", default="all")
    plan.set_defaults(command=print_dry_runs)

    cost = commands.add_parser("cost", help="what large sizes cost")
    cost.add_argument("--structures", type=int, nargs="+", default=[500, 5000, 50000])
    cost.add_argument("--structure-s", type=float, required=True, help="structure and wave [s]")
    cost.add_argument("--frames", type=int, nargs="+", default=[1_000_000])
    cost.add_argument("--frame-s", type=float, required=True, help="from frame to sites [s]")
    cost.add_argument(
        "--series-frames", type=int, default=1000, help="of a row of the sample sheet"
    )
    cost.add_argument("--nodes", type=int, nargs="+", default=[1, 10, 100])
    cost.add_argument("--cores", type=int, default=32, help="of a node (default: 32)")
    cost.add_argument("--overhead-s", type=float, default=12.5, help="of a job (default: 12.5)")
    cost.add_argument("--shard-minutes", type=float, default=2.5, help="work of a job")
    cost.add_argument("--jobs", type=int, default=100, help="in the queue at a time (default: 100)")
    cost.add_argument("--submit-s", type=float, default=0.1, help="of Snakemake for every job")
    cost.set_defaults(command=print_costs)
    return arguments.parse_args()


def print_shards(given: argparse.Namespace) -> None:
    """Make shards side by side and print time and memory."""
    text = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    model = yaml.safe_load(text)["models"][given.model]
    rows = []
    for parallel in given.parallel:
        with tempfile.TemporaryDirectory() as folder:
            commands = [
                shard_command(model, given.structures, shard, parallel, Path(folder))
                for shard in range(parallel)
            ]
            wall_s, usages = run_together(commands)
        cpu_s = sum(usage.cpu_s for usage in usages) / parallel
        memory_MB = max(usage.memory_MB for usage in usages)
        rows.append((parallel, wall_s, cpu_s, memory_MB, parallel * given.structures / wall_s))
    slowest = rows[0][4] / rows[0][0]
    print(f"{given.structures} structures of {given.model} in a shard, {os.cpu_count()} cores\n")
    print_table(
        ("at a time", "wall s", "CPU s each", "peak MB each", "structures/s", "speed-up"),
        ([*row, row[4] / slowest] for row in rows),
        ("d", ".1f", ".1f", ".0f", ".2f", ".2f"),
    )


def shard_command(
    model: dict, structures: int, shard: int, shards: int, folder: Path
) -> Sequence[str]:
    """Shell command that makes the structures of a shard, from 0, then their waves."""
    material, microscope = model["material"], model["microscope"]
    energy_eV = yaml.safe_load((ROOT / microscope).read_text(encoding="utf-8"))["energy_eV"]
    script = (
        '"$0" "$1/make_structures.py" "$2.h5" --material "$3" --count "$4" --shard "$5"'
        ' --shards "$6" --seed 1 --settings "$7"'
        ' && "$0" "$1/simulate_waves.py" "$2.h5" "$2_waves.h5" --energy "$8" --settings "$9"'
    )
    values = (
        *(sys.executable, SCRIPTS, folder / str(shard), material, structures * shards, shard),
        *(shards, json.dumps(model[material]), energy_eV, json.dumps(model["waves"])),
    )
    return ["bash", "-c", script, *map(str, values)]


def run_together(commands: Sequence[Sequence[str]]) -> tuple[float, list[Usage]]:
    """Run commands side by side, on one core each, as Snakemake does.

    Gives the time until the last has ended [s], and what each took; the memory is that of the
    largest of its own commands. One that fails ends it all.
    """
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    begin = time.perf_counter()
    started = [
        subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | single,
        )
        for command in commands
    ]
    usages = []
    for process in started:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"this failed: {' '.join(process.args)}")
        usages.append(Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
    return time.perf_counter() - begin, usages


def print_dry_runs(given: argparse.Namespace) -> None:
    """Plan the workflow with more and more shards and print time and memory."""
    rows = []
    for shards in given.shards:
        sizes = {"structures": {"count": 5 * shards, "shards": shards}}
        with tempfile.TemporaryDirectory() as folder:
            overlay = Path(folder) / "shards.yaml"
            overlay.write_text(
                yaml.safe_dump({"shard_minutes": None, "models": {"graphene_paper": sizes}}),
                encoding="utf-8",
            )
            command = [
                *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
                *("--dry-run", "--cores", "2", "--directory", ROOT, given.target, "--configfile"),
                *(ROOT / "config" / "paper.yaml", overlay),
            ]
            wall_s, (usage,) = run_together([[str(part) for part in command]])
        rows.append((shards, wall_s, usage.cpu_s, usage.memory_MB))
    print_table(
        ("shards of graphene_paper", "wall s", "CPU s", "peak MB"),
        rows,
        ("d", ".1f", ".1f", ".0f"),
    )


def print_costs(given: argparse.Namespace) -> None:
    """Print what structures and frames cost on clusters of several sizes."""
    cluster = Cluster(given.cores, given.overhead_s, given.jobs, given.submit_s)
    works = [structures_work(count, given) for count in given.structures]
    works += [frames_work(count, given) for count in given.frames]
    rows = []
    for work in works:
        minutes = [wall_s(work, nodes, cluster) / 60 for nodes in given.nodes]
        core_h = (work.work_s + work.jobs * cluster.overhead_s) / 3600
        last = limit(work, given.nodes[-1], cluster)
        rows.append((work.name, work.jobs, core_h, *minutes, last))
    heads = [f"min on {nodes}" for nodes in given.nodes]
    print_table(
        ("work", "jobs", "core h", *heads, "what limits it there"),
        rows,
        ("s", "d", ".1f", *[".0f"] * len(heads), "s"),
    )


def structures_work(count: int, given: argparse.Namespace) -> Work:
    """Structures and their waves in jobs."""
    work_s = count * given.structure_s
    shards = min(count, math.ceil(work_s / (60 * given.shard_minutes)))
    return Work(f"{count} structures", work_s, 2 * shards, chain=2)


def frames_work(count: int, given: argparse.Namespace) -> Work:
    """Series of frames of particles in jobs, one chain for every series."""
    series = math.ceil(count / given.series_frames)
    return Work(f"{count} frames", count * given.frame_s, SERIES_JOBS * series, SERIES_JOBS)


def wall_s(work: Work, nodes: int, cluster: Cluster) -> float:
    """Estimate the time that jobs take, or Snakemake to submit them if that is longer [s]."""
    each_s = work.work_s / work.jobs + cluster.overhead_s
    slots = min(nodes * cluster.cores, cluster.jobs)
    rounds = max(work.chain, work.jobs / slots)
    return max(rounds * each_s, work.jobs * cluster.submit_s)


def limit(work: Work, nodes: int, cluster: Cluster) -> str:
    """Name what limits a run."""
    if wall_s(work, nodes, cluster) == work.jobs * cluster.submit_s:
        return "submitting"
    if work.jobs / min(nodes * cluster.cores, cluster.jobs) <= work.chain:
        return "the chain of jobs"
    return "`jobs` of the profile" if cluster.jobs < nodes * cluster.cores else "cores"


def print_table(heads: Sequence[str], rows: Iterable[Sequence], formats: Sequence[str]) -> None:
    """Print a table in Markdown; each column has a format as of :func:`format`."""
    line: Callable[[Iterable[str]], str] = "| {} |".format
    print(line(" | ".join(heads)))
    print(line(" | ".join("---" for _ in heads)))
    for row in rows:
        print(line(" | ".join(format(*pair) for pair in zip(row, formats, strict=True))))


if __name__ == "__main__":
    main()
