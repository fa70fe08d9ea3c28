"""What a Slurm cluster offers, asked before anything is submitted to it.

A wrong partition fails every job, one after the other, and a time limit that is too long lets jobs
wait for ever: one sentence before the first job is cheaper.
"""

import ast
import getpass
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from atomsight.errors import InputError

PROFILE = "profiles/slurm/config.yaml"


@dataclass(frozen=True)
class Request:
    """What the jobs of a rule ask of Slurm.

    Attributes
    ----------
    rule : str
        Name of the rule.
    partitions : tuple of str
        Partitions that its jobs may be sent to.
    account : str or None
        Who pays; None for the user's default account.
    minutes : int or None
        Time limit, the least of its jobs [min]; None if it is not known.
    """

    rule: str
    partitions: tuple[str, ...]
    account: str | None = None
    minutes: int | None = None


def names(expression: object) -> tuple[str, ...]:
    """Names in the value of a Snakemake resource, such as its partitions.

    Parameters
    ----------
    expression : object
        A name, such as ``gpu``, or a Python expression, such as ``'gpu' if threads > 8 else
        'cpu'``; several names have commas between them.

    Returns
    -------
    tuple of str
        The names, each once; of an expression every text in it.
    """
    text = str(expression)
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except SyntaxError:
        nodes = []
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    texts = [value for value in texts if isinstance(value, str)] or [text]
    return tuple(dict.fromkeys(name for value in texts for name in value.split(",") if name))


def check(requests: Iterable[Request], status_command: str = "squeue") -> None:
    """See that Slurm has what the jobs ask for.

    Parameters
    ----------
    requests : iterable of Request
        What the rules ask for.
    status_command : str
        How Snakemake asks for the state of its jobs: squeue or sacct.

    Raises
    ------
    InputError
        One sentence: Slurm is not here or does not answer, a partition does not exist or stops jobs
        before their time, the account is not the user's, or there is no accounting to ask.
    """
    limits = partition_limits()
    accounts = _accounts()
    for request in requests:
        for partition in request.partitions:
            if partition not in limits:
                raise InputError(
                    f"the cluster has no partition {partition}, which {request.rule} asks for;"
                    f" fill in one of {', '.join(limits)} in {PROFILE}"
                )
            limit = limits[partition]
            if limit is not None and request.minutes is not None and request.minutes > limit:
                raise InputError(
                    f"{request.rule} asks for {request.minutes} minutes and the partition"
                    f" {partition} gives {limit} at most; write 'runtime: {limit}' under"
                    f" set-resources, {request.rule} in {PROFILE}, or name another partition"
                )
        if request.account and accounts and request.account.lower() not in accounts:
            raise InputError(
                f"{request.account} is not an account of yours on this cluster; fill in one of"
                f" {', '.join(sorted(accounts))} in {PROFILE}, or leave it empty"
            )
    if status_command == "sacct" and _answer("sacct", "-X", "-n", "-o", "JobID") is None:
        raise InputError(
            "sacct does not answer, this cluster keeps no accounting; write"
            f" 'slurm-status-command: squeue' in {PROFILE}"
        )


def partition_limits() -> dict[str, int | None]:
    """The partitions of the cluster and their longest time.

    Returns
    -------
    dict of str to int or None
        For every partition its time limit [min]; None where there is none.

    Raises
    ------
    InputError
        If there is no Slurm, or it does not answer.
    """
    if shutil.which("sinfo") is None:
        raise InputError(
            "there is no Slurm here, the command sinfo is missing; run this on a login node of your"
            " cluster, or leave out --workflow-profile profiles/slurm"
        )
    text = _answer("sinfo", "--all", "--noheader", "--format=%R|%l")
    if not text:
        raise InputError(
            "Slurm does not answer to sinfo; try again later, or ask who runs the cluster"
        )
    lines = [line.rpartition("|") for line in text.splitlines()]
    return {partition: _minutes(limit) for partition, _, limit in lines}


def _minutes(limit: str) -> int | None:
    """A time limit as sinfo writes it, [days-][[hours:]minutes:]seconds, in whole minutes."""
    parts = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit.strip())
    if parts is None:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in parts.groups())
    return (24 * days + hours) * 60 + minutes


def _accounts() -> set[str]:
    """The user's accounts in small letters; none where the cluster does not tell."""
    text = _answer(
        *("sacctmgr", "--noheader", "--parsable2", "list", "associations"),
        *(f"user={getpass.getuser()}", "format=account"),
    )
    return {line.strip().lower() for line in (text or "").splitlines() if line.strip()}


def _answer(*command: str) -> str | None:
    """What a command prints; None if there is no such command, or it fails or hangs."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None
