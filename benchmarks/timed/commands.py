"""What runs as commands: start-ups, the way from an image to its strain, the main job."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from timed import processes
from timed.processes import Usage
from timed.works import Bench

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"

#: Target of the main job.
MAIN_JOB = "results/graphene_strain.png"


def start_ups() -> Iterator[tuple[str, Usage]]:
    """``--help`` of every script, and the plan of the main job."""
    for script in sorted(SCRIPTS.glob("*.py")):
        yield f"{script.stem} --help", processes.of_commands([[sys.executable, script, "--help"]])
    yield "dry run of the main job", processes.of_commands([snakemake("--dry-run")], ROOT)


def main_job(folder: Path) -> Usage:
    """The main job in a clean clone, without installation."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    return processes.of_commands([snakemake("--quiet")], clone)


def snakemake(*options: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--cores", "2", *options, MAIN_JOB]


def from_image(bench: Bench, px: int, model: Path) -> Iterator[tuple[str, Usage]]:
    """From a TIFF to the atoms and the picture of the strain; step by step, by the scripts."""
    image = bench.write("image", px)
    frames, maps, atoms, strain = (
        bench.scratch / f"{name}_{px}.h5" for name in ("frames", "maps", "atoms", "strain")
    )
    lines = {
        "import": ["import_series", image, frames],
        "class maps": ["map_classes", frames, model, maps],
        "atoms": ["locate_atoms", maps, atoms, "--csv", atoms.with_suffix(".csv")],
        "strain": ["measure_strain", atoms, strain.with_suffix(".csv"), "--hdf5", strain],
        "picture": ["plot", "strain", strain.with_suffix(".png")],
    }
    lines["picture"] += [
        word
        for name, path in (("frames", frames), ("maps", maps), ("strain", strain))
        for word in (f"--{name}", f"image={path}")
    ]
    for name, (script, *words) in lines.items():
        command = [sys.executable, SCRIPTS / f"{script}.py", *words]
        yield name, processes.of_commands([command])
