"""Measure the speed of everything, each beside its limit and, with --peers, what others use.

TABLE.csv has one row per measurement, TABLE.md beside it the same for readers. Columns: work and
size; who does it; kind: measured; part of what is measured; limit, only what cannot be left out,
such as the convolutions of a network; other, of this project; peer; wall_s and cpu_s, the medians
of repeated calls; rate, in units per second; memory_MB, the peak of a process of its own; ratio and
cpu_ratio, of these times to those of what is measured; time_slope and memory_slope, the powers with
which these grow from one size to the next.

What is compared runs in turns, call by call. Where others use the machine too, only ratios of one
run say much, those of processor times most. A limit of a training step counts its arithmetic three
times, for the maps, their gradients and those of the kernels.

--peers FOLDER is where the environment of the peers is made once (minutes; 2 GB with a PyTorch for
processors): PyTorch, AtomAI, atomap, trackpy. --chain reads simulated images with a model that
ships, script by script; --main-job runs the whole main job in a clone.

Examples:
    python benchmarks/speed.py speed.csv
    python benchmarks/speed.py laptop.csv --avx2 --peers ~/.cache/atomsight/peers
    python benchmarks/speed.py step.csv --only "training steps" "forward pass" \\
        --settings '{"network": {"kind": "subpixel", "features": 48}}'
"""

import argparse
import csv
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from timed import commands, peers, processes
from timed.processes import Usage
from timed.works import TINY, Bench, Sizes, Work

ROOT = Path(__file__).resolve().parents[1]

COLUMNS = {
    "work": "s",
    "size": "s",
    "who": "s",
    "kind": "s",
    "wall_s": ".3g",
    "cpu_s": ".3g",
    "rate": ".3g",
    "unit": "s",
    "memory_MB": ".0f",
    "ratio": ".2f",
    "cpu_ratio": ".2f",
    "time_slope": ".2f",
    "memory_slope": ".2f",
}

#: Works that are commands; the last two are measured with --chain and --main-job.
COMMANDS = ("start-up", "image to strain", "main job")


def main() -> None:
    given = parse()
    given.table.parent.mkdir(parents=True, exist_ok=True)
    if given.avx2:
        os.environ |= processes.AVX2
    about = processes.processor()
    print(about, flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for row in measured(given, Path(scratch)):
            rows.append(row)
            write(given.table, about, rows)
            print(line(row), flush=True)


def parse() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("table", metavar="TABLE.csv", type=Path, help="the table to write")
    arguments.add_argument(
        "--only", nargs="+", default=[], metavar="WORK", help="these works, as the table names them"
    )
    arguments.add_argument("--settings", default="{}", help="merged over those of graphene_laptop")
    arguments.add_argument("--repeats", type=int, default=9, help="calls of each (default: 9)")
    arguments.add_argument("--avx2", action="store_true", help="no AVX-512, as on a laptop")
    arguments.add_argument("--tiny", action="store_true", help="the smallest sizes, to try it")
    arguments.add_argument("--peers", type=Path, metavar="FOLDER", help="measure others too")
    arguments.add_argument("--chain", type=Path, metavar="MODEL", help="from image to strain")
    arguments.add_argument("--chain-px", type=int, nargs="+", default=[1024, 4096])
    arguments.add_argument("--main-job", action="store_true", help="the whole main job")
    return arguments.parse_args()


def measured(given: argparse.Namespace, scratch: Path) -> Iterator[dict]:
    """Measure one work after another; yields the rows of the table."""
    sizes = TINY if given.tiny else Sizes()
    section = merged(section_of("graphene_laptop"), sizes.section)
    section = merged(section, json.loads(given.settings))
    check_names(given.only, Bench(section, sizes, scratch))
    peer = peers.build(given.peers.absolute()) if given.peers else ""
    bench = Bench(section, sizes, scratch, peer)
    last: dict[str, tuple[float, Usage]] = {}
    for work in bench.works(given.only):
        if too_large(work, last):
            print(f"{work.name}, {work.size}: more memory than is free", flush=True)
            continue
        if work.map_px:
            bench.write("map", work.map_px)
        cases = [(case.python, case.name, case.given) for case in work.cases]
        usages = processes.in_turns(cases, 1 if work.along else given.repeats)
        for case, usage in zip(work.cases, usages, strict=True):
            row = {"work": work.name, "size": work.size, "who": case.who, "kind": case.kind}
            row |= times(usage, work.count, work.unit) | ratios(usage, usages[0])
            if work.along and work.name in last:
                row |= slopes(last[work.name], (work.along, usage))
            yield row
        if work.along:
            last[work.name] = (work.along, usages[0])
    yield from of_commands(given, bench)


def check_names(only: Iterable[str], bench: Bench) -> None:
    """Stop if a name is that of no work."""
    known = [*dict.fromkeys(work.name for work in bench.works()), *COMMANDS]
    if unknown := [name for name in only if name not in known]:
        raise SystemExit(f"--only: there is no work {unknown[0]!r}; there are: {'; '.join(known)}")


def of_commands(given: argparse.Namespace, bench: Bench) -> Iterator[dict]:
    """What runs as commands of its own."""
    if not given.only or "start-up" in given.only:
        for name, usage in commands.start_ups():
            yield {"work": "start-up", "size": name, "kind": "measured"} | times(usage, 1, "start")
    for px in given.chain_px if given.chain else ():
        parts = list(commands.from_image(bench, px, given.chain))
        whole = Usage(
            sum(usage.wall_s for _, usage in parts),
            sum(usage.cpu_s for _, usage in parts),
            max(usage.memory_MB for _, usage in parts),
        )
        for name, usage in (("all", whole), *parts):
            kind = "measured" if name == "all" else "part"
            row = {"work": "image to strain", "size": f"{px}²", "who": name, "kind": kind}
            row |= times(usage, px**2 / 1e6, "Mpixel")
            yield row | ratios(usage, whole)
    if given.main_job:
        usage = commands.main_job(bench.scratch)
        yield {"work": "main job", "kind": "measured"} | times(usage, 1, "job")


def section_of(model: str) -> dict:
    """A model's section of the configuration, with the path of its microscope whole."""
    text = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    section = yaml.safe_load(text)["models"][model]
    return section | {"microscope": str(ROOT / section["microscope"])}


def merged(section: dict, more: dict) -> dict:
    """Merge ``more`` over a section, within its own sections too."""
    both = {
        key: merged(section[key], value) if isinstance(section.get(key), dict) else value
        for key, value in more.items()
    }
    return section | both


def too_large(work: Work, last: dict[str, tuple[float, Usage]]) -> bool:
    """Whether a work would not fit into the memory, growing as its size does."""
    if not work.along or work.name not in last:
        return False
    along, usage = last[work.name]
    return usage.memory_MB * work.along / along > processes.free_memory_MB()


def times(usage: Usage, count: float, unit: str) -> dict:
    """The columns of a measurement; ``count`` units are done in a call."""
    row = {"wall_s": usage.wall_s, "cpu_s": usage.cpu_s, "memory_MB": usage.memory_MB}
    return row | {"rate": count / usage.wall_s, "unit": f"{unit}/s"}


def ratios(usage: Usage, measured: Usage) -> dict:
    """Times relative to those of what is measured."""
    return {
        "ratio": usage.wall_s / measured.wall_s,
        "cpu_ratio": usage.cpu_s / measured.cpu_s if measured.cpu_s else math.nan,
    }


def slopes(before: tuple[float, Usage], now: tuple[float, Usage]) -> dict:
    """Powers with which time and memory grow from one size to the next."""
    grown = math.log(now[0] / before[0])
    return {
        "time_slope": math.log(now[1].wall_s / before[1].wall_s) / grown,
        "memory_slope": math.log(now[1].memory_MB / before[1].memory_MB) / grown,
    }


def write(path: Path, about: str, rows: Iterable[dict]) -> None:
    """Write the table as CSV and, beside it, in Markdown."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    heads = [f"| {' | '.join(COLUMNS)} |", "|" + len(COLUMNS) * "---|"]
    text = "\n".join([f"{about}\n", *heads, *map(line, rows)])
    path.with_suffix(".md").write_text(text + "\n", encoding="utf-8")


def line(row: dict) -> str:
    """A row in Markdown."""
    cells = (format(row[name], style) if name in row else "" for name, style in COLUMNS.items())
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
