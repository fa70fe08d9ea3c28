"""Make a run fail in every way, and rerun the command: is anything lost?

The chain is that of graphene at the size of the tests, in FOLDER, or with ``--laptop`` that of
config/config.yaml. It runs once undisturbed; every fault then gets a copy of what was made, less
what the fault is to hit. A row of a table is printed for every fault: what was done, what was seen,
the message that the user reads, what was kept. A result that is lost, or differs from the
undisturbed one, is reported and makes the exit code 1.

Faults of file systems need root (they mount small ones) or a C compiler (a library stands in for
the file system); those of a cluster need Slurm. A fault that cannot be tried is reported too.

Example:
    python benchmarks/faults.py /tmp/faults
    python benchmarks/faults.py /tmp/faults --only random_kills --kills 5 --seed 1
    python benchmarks/faults.py /tmp/laptop --only random_kills --laptop --slurm
"""

import argparse
import functools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from trials.file_systems import mounted, remount, slow, stand_in
from trials.on_slurm import (
    SLURM_SOON,
    cancel_jobs,
    run_without_node,
    start_on_slurm,
    told_of,
)
from trials.trial import (
    ATOMS,
    BY_TIME,
    CHAIN,
    CONFIGURATION,
    MODEL,
    SCRIPTS,
    SERIES,
    SHARDS,
    WEIGHTS,
    NotTried,
    Trial,
    changed,
    compare,
    finish,
    flip,
    follow_the_advice,
    kill_jobs,
    processes,
    refuse,
    results,
    succeed,
    wait_until,
    would_run,
)

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.files import layout

#: Long enough to be killed on the way, and with checkpoints to go on from.
TRAINING = {
    "models": {"graphene_laptop": {"training": {"steps": 60, "steps_per_epoch": 20}}},
    "checkpoint_steps": 10,
}
SHEET = (
    "series\tpath\tmodel\n"
    "simulated_pristine\tresults/acquisitions/simulated_pristine.tif\tgraphene_laptop\n"
)
PARTS = {"shard": SHARDS[0], "model": f"{MODEL}/model", "series": "results/series"}


def faults() -> dict[str, Callable[[Trial], str]]:
    """The functions below that are a fault, by name, in their order."""
    return {name: function for name, function in globals().items() if hasattr(function, "less")}


def fault(less: list[str], target: list[str]) -> Callable:
    """Mark a function as a fault, which does the harm, goes on, and returns what to do for that.

    ``less`` names the :data:`PARTS` that its copy of the undisturbed folder lacks, ``target`` what
    it asks for.
    """

    def mark(function: Callable[[Trial], str]) -> Callable[[Trial], str]:
        function.less, function.target = less, target
        return function

    return mark


@fault(less=["shard", "model"], target=SHARDS)
def kill_a_shard(trial: Trial) -> str:
    """`kill -9` of the simulation of a shard while it writes."""
    run = trial.start(**slow(trial))
    os.kill(trial.process("simulate_waves.py", trial.partials), signal.SIGKILL)
    refuse(trial, trial.end(run))
    trial.notes.append(f"{len(trial.partials())} hidden partial file left")
    return "rerun"


@fault(less=["shard", "model"], target=SHARDS)
def stop_a_shard(trial: Trial) -> str:
    """SIGTERM to the simulation of a shard while it writes (a time limit, `scancel`)."""
    run = trial.start(**slow(trial))
    os.kill(trial.process("simulate_waves.py", trial.partials), signal.SIGTERM)
    refuse(trial, trial.end(run))
    trial.notes.append(f"{len(trial.partials())} partial files left")
    return "rerun"


@fault(less=["model"], target=[WEIGHTS])
def kill_the_training(trial: Trial) -> str:
    """`kill -9` of the training after its first checkpoint."""
    checkpoints = trial.folder / MODEL / "training" / "checkpoint"
    run = trial.start()
    number = trial.process("train_network.py", lambda: any(checkpoints.glob("*")))
    os.kill(number, signal.SIGKILL)
    refuse(trial, trial.end(run))
    return "rerun"


@fault(less=["model"], target=[WEIGHTS])
def damage_a_checkpoint(trial: Trial) -> str:
    """`kill -9` of the training, and one bit of its last checkpoint flipped."""
    folder = trial.folder / MODEL / "training" / "checkpoint"
    run = trial.start()
    number = trial.process("train_network.py", lambda: len(list(folder.glob("*.npz"))) > 1)
    os.kill(number, signal.SIGKILL)
    refuse(trial, trial.end(run))
    flip(max(folder.glob("*.npz"), key=lambda path: int(path.name.split("-")[0])))
    return "rerun"


@fault(less=["shard", "model"], target=SHARDS)
def kill_snakemake(trial: Trial) -> str:
    """`kill -9` of snakemake itself while a shard is simulated; its lock stays."""
    run = trial.start(**slow(trial))
    trial.process("simulate_waves.py", trial.partials)
    os.kill(run.pid, signal.SIGKILL)
    trial.end(run)
    wait_until(lambda: not processes(trial.folder, "simulate_waves.py"))
    trial.notes.append("the job that ran ended by itself")
    refuse(trial, trial.run())
    succeed(trial.run("--unlock"))
    return "the same command with `--unlock`, then rerun it"


@fault(less=["model"], target=[WEIGHTS])
def kill_snakemake_in_a_training(trial: Trial) -> str:
    """`kill -9` of snakemake while it trains; the training lives on, and a second one is begun."""
    checkpoints = trial.folder / MODEL / "training" / "checkpoint"
    run = trial.start()
    number = trial.process("train_network.py", lambda: any(checkpoints.glob("*")))
    os.kill(number, signal.SIGSTOP)
    os.kill(run.pid, signal.SIGKILL)
    succeed(trial.run("--unlock"))
    code = trial.run()
    os.kill(number, signal.SIGCONT)
    refuse(trial, code)
    wait_until(lambda: not processes(trial.folder, "train_network.py"))
    return "wait for the first training or kill it, then rerun"


@fault(less=["shard", "model"], target=SHARDS)
def interrupt_snakemake(trial: Trial) -> str:
    """Ctrl-C while a shard is simulated."""
    run = trial.start(**slow(trial))
    trial.process("simulate_waves.py", trial.partials)
    os.killpg(run.pid, signal.SIGINT)
    refuse(trial, trial.end(run))
    trial.notes.append(f"{len(trial.partials())} partial files left")
    return "rerun"


@fault(less=["shard", "model"], target=SHARDS)
def stale_lock(trial: Trial) -> str:
    """A lock in `.snakemake/locks` without the run that made it (the machine went down)."""
    run = trial.start()
    locks = trial.folder / ".snakemake" / "locks"
    trial.process("simulate_waves.py", lambda: any(locks.glob("*")))
    kept = {path: path.read_bytes() for path in locks.iterdir()}
    os.killpg(run.pid, signal.SIGKILL)
    trial.end(run)
    for path, text in kept.items():
        path.write_bytes(text)
    refuse(trial, trial.run())
    succeed(trial.run("--unlock"))
    return "the same command with `--unlock`, then rerun it"


@fault(less=["shard", "model"], target=SHARDS)
def two_runs(trial: Trial) -> str:
    """A second snakemake in the same folder while the first one works."""
    first = trial.start()
    trial.process("simulate_waves.py")
    refuse(trial, trial.run())
    succeed(trial.end(first))
    trial.notes.append("the first run ended well")
    return "wait for the first run, then rerun"


@fault(less=["shard", "model"], target=SHARDS)
def two_runs_without_locks(trial: Trial) -> str:
    """Two runs at once, both with `--nolock`, each making the same shards."""
    runs = [trial.start("--nolock"), trial.start("--nolock")]
    for run in runs:
        succeed(trial.end(run))
    trial.notes.append("both ended well")
    return "nothing to do"


@fault(less=["shard", "model"], target=SHARDS)
def full_disk(trial: Trial) -> str:
    """The disk is full when a shard is written, its log with it."""
    with mounted(trial.folder / "results", "size=%d"):
        refuse(trial, trial.run())
        trial.notes.append(f"{len(trial.partials())} partial files left")
        remount(trial.folder / "results", "size=100m")
        finish(trial)
    return "make room, then rerun"


@fault(less=["model"], target=[WEIGHTS])
def full_disk_in_a_training(trial: Trial) -> str:
    """The disk is full when the training writes a checkpoint."""
    with mounted(trial.folder / "results", "size=%d"):
        refuse(trial, trial.run())
        remount(trial.folder / "results", "size=100m")
        finish(trial)
    return "make room, then rerun"


@fault(less=["shard", "model"], target=SHARDS)
def read_only(trial: Trial) -> str:
    """`results/` is read-only."""
    with mounted(trial.folder / "results", "size=100m"):
        remount(trial.folder / "results", "ro")
        refuse(trial, trial.run())
        remount(trial.folder / "results", "rw")
        finish(trial)
    return "make it writable, then rerun"


@fault(less=["model"], target=[WEIGHTS])
def truncated_shard(trial: Trial) -> str:
    """A shard of waves cut to half its length, its time unchanged, before the training."""
    path = trial.folder / SHARDS[0]
    changed(path, path.read_bytes()[: path.stat().st_size // 2])
    refuse(trial, trial.run())
    follow_the_advice(trial)
    return "`rm` of the named file, then rerun"


@fault(less=["model"], target=[WEIGHTS])
def flipped_bit(trial: Trial) -> str:
    """One bit of a shard of waves flipped: in the data, in the attributes, in the checksum."""
    path = trial.folder / SHARDS[1]
    whole = path.read_bytes()
    with h5py.File(path) as file:
        data = file["spectra"].id.get_chunk_info(0).byte_offset + 1000
    for place in (whole.index(b"energy_eV") + 2, 30, data):
        changed(path, whole)
        flip(path, place)
        try:
            layout.read_waves([path])
        except InputError:
            continue
        raise RuntimeError(f"the bit flipped at {place} is not seen")
    trial.notes.append("all three are refused")
    refuse(trial, trial.run())
    follow_the_advice(trial)
    return "`rm` of the named file, then rerun"


@fault(less=["series"], target=[ATOMS])
def flipped_bit_of_a_model(trial: Trial) -> str:
    """One bit of the weights of a finished model flipped, before it reads images."""
    path = trial.folder / WEIGHTS
    with h5py.File(path) as file:
        found = []
        file.visititems(lambda _, item: found.append(item) if hasattr(item, "size") else None)
        offset = max(found, key=lambda item: item.size).id.get_offset() + 41
    flip(path, offset)
    refuse(trial, trial.run())
    follow_the_advice(trial)
    return "`rm` of the named file, then rerun, which trains again"


@fault(less=["model"], target=[WEIGHTS])
def clock_ahead(trial: Trial) -> str:
    """The clock of the node that made the shards was a day ahead."""
    ahead = time.time() + 86400
    for path in SHARDS:
        os.utime(trial.folder / path, (ahead, ahead))
    refuse(trial, trial.run(*BY_TIME))
    command = re.search(r"run: (find .* \+), then rerun", trial.said)[1]
    subprocess.run(["bash", "-c", command], cwd=trial.folder, check=True)
    trial.notes.append("nothing was started")
    return "the `find` of the message, then rerun"


@fault(less=[], target=[CHAIN])
def clock_back(trial: Trial) -> str:
    """The clock went back a day after the waves were made: the model seems older than they."""
    back = time.time() - 86400
    for path in (trial.folder / MODEL / "model").iterdir():
        os.utime(path, (back, back))
    if not would_run(trial, "train_network"):
        raise RuntimeError("nothing would be trained again, so there is no fault")
    trial.notes.append("it would be trained again")
    succeed(trial.run("--touch", *BY_TIME))
    if would_run(trial, "train_network"):
        raise RuntimeError("it would be trained again, though it was touched")
    return "the same command with `--touch`, then rerun it"


@fault(less=["shard", "model", "series"], target=[ATOMS])
def no_locks(trial: Trial) -> str:
    """A file system that knows no locks (every flock fails with ENOLCK)."""
    library = stand_in(trial.folder)
    succeed(trial.run(LD_PRELOAD=library, NO_LOCKS="1"))
    return "nothing to do"


@fault(less=["shard", "model"], target=SHARDS)
def slow_disk(trial: Trial) -> str:
    """A file system on which every read, write and fsync in `results/` takes 0.1 s."""
    begin = time.monotonic()
    succeed(trial.run(**slow(trial, 0.1)))
    trial.notes.append(f"it took {time.monotonic() - begin:.0f} s")
    return "nothing to do"


@fault(less=["shard", "model"], target=SHARDS)
def cancelled_job(trial: Trial) -> str:
    """`scancel` of the Slurm job of a shard."""
    run, _, job = start_on_slurm(trial, "simulate_waves.py")
    subprocess.run(["scancel", job], check=True)
    succeed(trial.end(run))
    trial.notes.append(f"{len(trial.partials())} partial files left")
    return "nothing to do: the job is retried (`retries` of the profile)"


@fault(less=["shard", "model"], target=SHARDS)
def killed_job(trial: Trial) -> str:
    """`kill -9` of the process of a shard on its node (as when memory runs out)."""
    run, number, _ = start_on_slurm(trial, "simulate_waves.py")
    os.kill(number, signal.SIGKILL)
    succeed(trial.end(run))
    trial.notes.append(f"{len(trial.partials())} partial files left")
    return "nothing to do: the job is retried (`retries` of the profile)"


@fault(less=["model"], target=[WEIGHTS])
def cancelled_training(trial: Trial) -> str:
    """`scancel` of the Slurm job of a training, or its time limit, after a checkpoint."""
    checkpoints = trial.folder / MODEL / "training" / "checkpoint"
    run, _, job = start_on_slurm(trial, "train_network.py", lambda: any(checkpoints.glob("*")))
    subprocess.run(["scancel", job], check=True)
    log = trial.folder / "results" / "logs" / "train_network" / "graphene_laptop.log"
    wait_until(lambda: "stopped by SIGTERM" in log.read_text(encoding="utf-8"))
    succeed(trial.end(run))
    told = re.search(r"resumes after step \d+", trial.said + log.read_text(encoding="utf-8"))
    if told is None:
        raise RuntimeError("the training did not go on from its checkpoint")
    trial.notes.append(f"tried again, it {told[0]}")
    return "nothing to do: the job is retried (`retries` of the profile)"


@fault(less=["shard", "model"], target=SHARDS)
def drained_node(trial: Trial) -> str:
    """The node that simulates a shard is drained."""
    succeed(run_without_node(trial, "drain"))
    return "nothing to do: other jobs go to other nodes"


@fault(less=["shard", "model"], target=SHARDS)
def lost_node(trial: Trial) -> str:
    """The node that simulates a shard is lost (state `down`)."""
    succeed(run_without_node(trial, "down"))
    return "nothing to do: Slurm or `retries` of the profile retry the job"


@fault(less=["shard", "model"], target=SHARDS)
def kill_snakemake_on_slurm(trial: Trial) -> str:
    """`kill -9` of the snakemake that submits jobs to Slurm."""
    run, _, job = start_on_slurm(trial, "simulate_waves.py")
    os.kill(run.pid, signal.SIGKILL)
    trial.end(run)
    time.sleep(1)
    if told_of(job, "T") != "RUNNING":
        raise RuntimeError("the job did not go on")
    trial.notes.append("its job goes on")
    cancel_jobs(trial)
    refuse(trial, trial.run())
    succeed(trial.run("--unlock"))
    return "`scancel --name RUN_ID` (in the log), `--unlock`, then rerun"


def configure(folder: Path, given: argparse.Namespace) -> Trial:
    """Make an empty folder for the whole chain, of the wanted size."""
    folder.mkdir(parents=True, exist_ok=True)
    differing = {"series": SERIES} | ({} if given.laptop else TRAINING)
    (folder / CONFIGURATION).write_text(yaml.safe_dump(differing), encoding="utf-8")
    (folder / SERIES).write_text(SHEET, encoding="utf-8")
    return Trial(folder, [CHAIN], given.laptop, SLURM_SOON if given.slurm else ())


def prepare(folder: Path, given: argparse.Namespace) -> None:
    """Make the undisturbed folder, unless it stands."""
    if (folder / CHAIN).is_file():
        return
    trial = configure(folder, given)
    begin = time.monotonic()
    if trial.run() != 0:
        raise InputError(f"the undisturbed run failed: {trial.said[-3000:]}")
    (folder / "seconds").write_text(f"{time.monotonic() - begin:.1f}", encoding="utf-8")


def copy(whole: Path, folder: Path, function: Callable[[Trial], str]) -> Trial:
    """Copy the undisturbed folder, less what a fault is to hit, over whatever stands there."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(whole, folder)
    for name in function.less:
        path = folder / PARTS[name]
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Trial(folder, function.target)


def try_fault(name: str, function: Callable[[Trial], str], given: argparse.Namespace) -> bool:
    """Make a fault happen, go on, print the row of the table; whether nothing was lost."""
    whole = given.folder / "undisturbed"
    trial = copy(whole, given.folder / name, function)
    before = results(trial.folder)
    try:
        go_on = function(trial)
    except NotTried as reason:
        print(f"| {function.__doc__} | not tried: {reason} | | | |", flush=True)
        return True
    except RuntimeError as reason:
        (trial.folder / "said.txt").write_text(trial.said, encoding="utf-8")
        print(f"| {function.__doc__} | NOT AS EXPECTED: {reason} | | | |", flush=True)
        return False
    again = len(trial.said)
    code = 0 if trial.is_finished else trial.run()
    if "Nothing to be done" in trial.said[again:]:
        trial.notes.append("then nothing was left to do")
    (trial.folder / "said.txt").write_text(trial.said, encoding="utf-8")
    verdict = [] if code == 0 else [f"IT DID NOT GO ON (exit code {code})"]
    verdict += compare(results(whole), before, results(trial.folder))
    lost = [words for words in verdict if words.startswith(("LOST", "IT DID"))]
    seen, said = "; ".join(trial.notes), trial.sentences()
    row = (function.__doc__.rstrip("."), seen, said, go_on, "; ".join(verdict))
    print("| " + " | ".join(text.replace("|", "/") for text in row) + " |", flush=True)
    return not lost


def random_kills(given: argparse.Namespace) -> bool:
    """Kill the whole chain at random moments; whether the atoms are the undisturbed ones."""
    whole, folder = given.folder / "undisturbed", given.folder / "random_kills"
    seconds = float((whole / "seconds").read_text(encoding="utf-8"))
    if folder.exists():
        shutil.rmtree(folder)
    trial = configure(folder, given)
    chance = random.Random(given.seed)
    print("| kill | after s | while | jobs done so far |\n|---|---|---|---|")
    for number in range(given.kills):
        run = trial.start()
        wait = chance.uniform(0.05, 1 / given.kills) * seconds
        time.sleep(wait)
        rules = [rule for rule in SCRIPTS if processes(folder, rule)]
        os.killpg(run.pid, signal.SIGKILL)
        if not given.slurm:
            kill_jobs(folder)
        trial.end(run)
        cancel_jobs(trial)
        count = sum(
            path.read_text(encoding="utf-8").count("Finished jobid")
            for path in (folder / ".snakemake" / "log").glob("*")
        )
        what = ", ".join(rules) or "snakemake alone"
        print(f"| {number + 1} | {wait:.0f} | {what} | {count} |", flush=True)
        succeed(trial.run("--unlock"))
    begin, code = time.monotonic(), trial.run()
    same = code == 0 and (folder / ATOMS).read_bytes() == (whole / ATOMS).read_bytes()
    seconds_left = time.monotonic() - begin
    print(f"\nThe same command then ended with exit code {code} after {seconds_left:.0f} s.")
    print("\n".join(compare(results(whole), {}, results(folder))))
    print(f"The atoms are {'the same' if same else 'NOT THE SAME'}, byte by byte.")
    return same


@command_line.script
def main(argv: list[str] | None = None) -> None:
    names = [*faults(), "random_kills"]
    arguments = command_line.parser(__doc__)
    arguments.add_argument("folder", metavar="FOLDER", type=Path, help="where everything is tried")
    arguments.add_argument("--only", nargs="+", choices=names, default=names, metavar="FAULT")
    arguments.add_argument("--kills", type=int, default=5, help="how many random kills")
    arguments.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    arguments.add_argument("--laptop", action="store_true", help="the chain of config/config.yaml")
    arguments.add_argument("--slurm", action="store_true", help="the whole chain on Slurm")
    given = arguments.parse_args(argv)
    given.folder = given.folder.resolve()
    if given.laptop and given.only != ["random_kills"]:
        raise InputError("with --laptop only random_kills can be tried")
    prepare(given.folder / "undisturbed", given)
    print("| fault | seen | message | do this | afterwards |")
    print("|---|---|---|---|---|", flush=True)
    known = {name: functools.partial(try_fault, name, run) for name, run in faults().items()}
    known["random_kills"] = random_kills
    bad = [name for name in given.only if not known[name](given)]
    if bad:
        raise InputError(f"something was lost: {', '.join(bad)}")


if __name__ == "__main__":
    sys.exit(main())
