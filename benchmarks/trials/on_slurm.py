"""Jobs and nodes of a Slurm cluster."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from trials.file_systems import slow
from trials.trial import ROOT, NotTried, Trial, wait_until

#: The profile, with a Slurm that is asked more often, since here jobs are short.
SLURM = ("--workflow-profile", str(ROOT / "profiles" / "slurm"), "--slurm-status-command", "squeue")
SLURM_SOON = (*SLURM, "--slurm-init-seconds-before-status-checks", "2")


def start_on_slurm(
    trial: Trial, script: str, ready: Callable[[], bool] | None = None
) -> tuple[subprocess.Popen, int, str]:
    """Start a run on Slurm and wait until a script of it has come far enough.

    That is by default until it writes a file. Gives the run, the process of the script and its job.
    """
    if shutil.which("squeue") is None or subprocess.run(["sinfo"], capture_output=True).returncode:
        raise NotTried("needs a Slurm cluster, such as that of tests/cluster")
    run = trial.start(*SLURM_SOON, **slow(trial))
    number = trial.process(script, ready or trial.partials)
    environment = Path(f"/proc/{number}/environ").read_bytes().decode(errors="replace")
    return run, number, re.search(r"SLURM_JOB_ID=(\d+)", environment)[1]


def run_without_node(trial: Trial, state: str) -> int:
    """Run on Slurm, and take away the node while it simulates a shard; the exit code."""
    run, _, job = start_on_slurm(trial, "simulate_waves.py")
    node = told_of(job, "N")
    set_node(node, state)
    try:
        return trial.end(run)
    finally:
        set_node(node, "resume")


def told_of(job: str, letter: str) -> str:
    """Ask Slurm about a job that runs: T for its state, N for its node."""
    asked = ["squeue", "--noheader", "--jobs", job, "--format", f"%{letter}"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()


def set_node(node: str, state: str) -> None:
    """Set the state of a node; one that has come back by itself is not resumed."""
    words = ["scontrol", "update", f"nodename={node}", f"state={state}"]
    if state != "resume":
        subprocess.run([*words, "reason=trial"], check=True)
        return
    asked = ["sinfo", "--noheader", "--nodes", node, "--format", "%T"]
    now = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    if "down" in now or "drain" in now:
        subprocess.run(words, check=True)


def cancel_jobs(trial: Trial) -> None:
    """Cancel the Slurm jobs of the last run as a user does, and wait until they have ended."""
    runs = re.findall(r"SLURM run ID: (\S+)", trial.said)
    if not runs:
        return
    subprocess.run(["scancel", "--name", runs[-1]], check=True)
    asked = ["squeue", "--noheader", "--name", runs[-1], "--states", "RUNNING,PENDING,COMPLETING"]
    wait_until(lambda: not subprocess.run(asked, capture_output=True, check=True).stdout.strip())
