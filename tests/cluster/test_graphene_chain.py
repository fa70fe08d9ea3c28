"""The workflow on a real Slurm: what is submitted, what runs, what is said when it cannot."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import slurm_on_this_machine as slurm
import tifffile

ROOT = Path(__file__).parents[2]
STRAIN = "results/graphene_strain.png"
#: Partition, cores and memory of the rules between random structures and the picture.
ASKED = {
    "make_structures": ("compute", "1", "1000M"),
    "simulate_waves": ("compute", "1", "2000M"),
    "train_network": ("gpu", "8", "8000M"),
    "import_series": ("compute", "1", "2000M"),
    "map_classes": ("compute", "2", "4000M"),
    "locate_atoms": ("compute", "1", "2000M"),
    "measure_strain": ("compute", "1", "2000M"),
    "graphene_strain": ("compute", "1", "3000M"),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(slurm.running())
        except slurm.NoSlurm as reason:
            pytest.skip(str(reason))
        yield


@pytest.fixture
def folder(tmp_path):
    """A folder to run in, with one image: three plane waves, as if of graphene."""
    y_A, x_A = 0.12 * np.indices((128, 128))
    angles = np.pi / 3 * np.arange(3)
    k = 4 * np.pi / np.sqrt(3) / 2.46
    image = sum(np.cos(k * (np.cos(angle) * x_A + np.sin(angle) * y_A)) for angle in angles)
    tifffile.imwrite(tmp_path / "lattice.tif", image.astype(np.float32))
    (tmp_path / "config").mkdir()
    sheet = "series\tpath\tmodel\tpixel_size_A\ntiny\t../lattice.tif\tgraphene_laptop\t0.12\n"
    (tmp_path / "config" / "series.tsv").write_text(sheet)
    return tmp_path


def command(folder, *arguments):
    """The documented call, for the tiny configuration in one shard, asking Slurm more often."""
    return [
        *(sys.executable, "-m", "snakemake", "--workflow-profile", ROOT / "profiles" / "slurm"),
        *("--snakefile", ROOT / "Snakefile", "--directory", folder),
        *("--configfile", ROOT / "tests/pipeline/config.yaml", ROOT / "tests/cluster/config.yaml"),
        *("--slurm-init-seconds-before-status-checks", "1", "--slurm-keep-successful-logs"),
        *arguments,
    ]


def jobs_of(run_id):
    """The jobs of one run by their rules; of a rule that was tried again, the later ones last."""
    jobs = {}
    for job in slurm.jobs():
        if job["name"] == run_id:
            rule = job["comment"].removeprefix("rule_").partition("_wildcards_")[0]
            jobs.setdefault(rule, []).append(job)
    return jobs


def wait_for(found, process, log, seconds=300):
    """What a function finds, as soon as it finds something, while a process runs."""
    end = time.monotonic() + seconds
    while not (result := found()):
        assert process.poll() is None, log.read_text()[-4000:]
        assert time.monotonic() < end, "nothing found in time"
        time.sleep(0.3)
    return result


def test_the_graphene_chain_runs_there_and_a_cancelled_job_is_tried_again_with_more_memory(folder):
    """Every rule with its partition, cores, memory and GPU, as Slurm itself tells."""
    log = folder / "snakemake.log"
    with log.open("w") as output:
        call = command(folder, STRAIN)
        process = subprocess.Popen(call, stdout=output, stderr=subprocess.STDOUT)

        def run_id():
            lines = log.read_text().splitlines()
            return next((line.split()[-1] for line in lines if "SLURM run ID" in line), None)

        try:
            run = wait_for(run_id, process, log)
            first = wait_for(lambda: jobs_of(run).get("make_structures"), process, log)[0]
            subprocess.run(["scancel", first["id"]], check=True)
            assert process.wait(timeout=1800) == 0, log.read_text()[-4000:]
        finally:
            process.terminate()
            process.wait()
    jobs = jobs_of(run)
    cancelled = jobs["make_structures"].pop(0)
    assert (cancelled["state"], cancelled["memory"]) == ("CANCELLED", "1000M")
    [again] = jobs.pop("make_structures")
    assert (again["state"], again["memory"]) == ("COMPLETED", "2000M")
    found = {rule: (job["partition"], job["cpus"], job["memory"]) for rule, [job] in jobs.items()}
    assert found == {rule: asked for rule, asked in ASKED.items() if rule != "make_structures"}
    assert {job["state"] for [job] in jobs.values()} == {"COMPLETED"}
    with_gpu = [rule for rule, [job] in jobs.items() if job["gpus"] == "gres:gpu:1"]
    assert with_gpu == ["train_network"]
    assert (folder / STRAIN).stat().st_size > 1000


def test_a_wrong_partition_is_named_before_anything_is_submitted(folder):
    before = slurm.jobs()
    target = "results/models/graphene_laptop/structures/0.h5"
    result = subprocess.run(
        command(folder, target, "--default-resources", "slurm_partition=none_such"),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert "no partition none_such, which make_structures asks for" in said
    assert "fill in one of compute, gpu in profiles/slurm/config.yaml" in said
    assert "Traceback" not in said
    assert slurm.jobs() == before
