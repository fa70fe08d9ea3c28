"""What a Slurm cluster offers, asked before anything is submitted to it.

A wrong partition fails every job, one after the other, and jobs with too long a time limit wait for
ever: one sentence before the first job is cheaper.
"""

import ast
import getpass
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from atomsight.errors import InputError

PROFILE = "profiles/slurm/config.yaml"


@dataclass(frozen=True)
class Request:
    """What the jobs of a rule ask of Slurm.

    Of what depends on the inputs it is the least of its jobs.
    """

    rule: str
    partitions: tuple[str, ...]
    account: str | None = None  # None for the user's default account
    minutes: int | None = None  # None if it is not known
    cores: int = 1
    memory_MB: int = 0
    gpus: int = 0


@dataclass
class Partition:
    """What a partition gives."""

    minutes: int | None  # None where there is no limit
    #: Kinds of its nodes: cores, memory [MB], GPUs.
    nodes: set[tuple[int, int, int]] = field(default_factory=set)


def names(expression: object) -> tuple[str, ...]:
    """Names in the value of a Snakemake resource, such as its partitions.

    It is a name, such as ``gpu``, several with commas between them, or a Python expression, such
    as ``'gpu' if threads > 8 else 'cpu'``, of which every text counts.
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

    ``status_command`` is how Snakemake asks for the state of its jobs: squeue or sacct.

    Raises
    ------
    InputError
        If Slurm is not here or does not answer, a partition does not exist, stops jobs before
        their time or has no node that is large enough, the account is not the user's, or there is
        no accounting to ask.
    """
    partitions = known_partitions()
    accounts = _accounts()
    for request in requests:
        for name in request.partitions:
            if name not in partitions:
                raise InputError(
                    f"the cluster has no partition {name}, which {request.rule} asks for;"
                    f" fill in one of {', '.join(sorted(partitions))} in {PROFILE}"
                )
            _check_partition(request, name, partitions[name])
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


def _check_partition(request: Request, name: str, partition: Partition) -> None:
    """Refuse what a partition cannot give, for which Slurm would let a job wait for ever."""
    limit = partition.minutes
    if limit is not None and request.minutes is not None and request.minutes > limit:
        raise InputError(
            f"{request.rule} asks for {request.minutes} minutes and the partition {name} gives"
            f" {limit} at most; write 'runtime: {limit}' under set-resources, {request.rule} in"
            f" {PROFILE}, or name another partition"
        )
    if request.gpus and not any(gpus for _, _, gpus in partition.nodes):
        raise InputError(
            f"{request.rule} asks for a GPU and no node of the partition {name} has one; name"
            f" another one as gpu_partition in {PROFILE}, or write 'gpu_partition: \"\"'"
        )
    asked = (request.cores, request.memory_MB, request.gpus)
    if not any(all(map(int.__ge__, node, asked)) for node in partition.nodes):
        raise InputError(
            f"{request.rule} asks for {asked[0]} cores, {asked[1]} MB and {asked[2]} GPUs of one"
            f" node, and no node of the partition {name} has them; in {PROFILE} write fewer cores"
            f" under set-threads, less mem_mb under set-resources, {request.rule}, or name another"
            " partition"
        )


def known_partitions() -> dict[str, Partition]:
    """The partitions of the cluster by their names.

    Raises :class:`InputError` if there is no Slurm, or it does not answer.
    """
    if shutil.which("sinfo") is None:
        raise InputError(
            "there is no Slurm here, the command sinfo is missing; run this on a login node of your"
            " cluster, or leave out --workflow-profile profiles/slurm"
        )
    text = _answer("sinfo", "--Node", "--all", "--noheader", "--format=%R|%l|%c|%m|%G")
    if not text:
        raise InputError(
            "Slurm does not answer to sinfo; try again later, or ask who runs the cluster"
        )
    known = {}
    for line in text.splitlines():
        name, limit, cores, memory_MB, devices = line.rsplit("|", 4)
        partition = known.setdefault(name, Partition(_minutes(limit)))
        gpus = sum(map(int, re.findall(r"\bgpu(?::[^:,()]+)?:(\d+)", devices)))
        partition.nodes.add((int(cores.rstrip("+")), int(memory_MB.rstrip("+")), gpus))
    return known


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


def requests(jobs: Iterable[Any]) -> Iterator[Request]:
    """What the rules of Snakemake's jobs ask of Slurm, those excepted that another cluster runs."""
    asking = {job.rule.name: job.rule.resources for job in jobs if not job.is_local}
    for name, resources in asking.items():
        asked = {key: resource.raw for key, resource in resources.items()}
        if asked.keys() & {"cluster", "clusters", "slurm_cluster"}:
            continue
        yield Request(
            name,
            names(asked.get("slurm_partition", "")),
            account=next(iter(names(asked.get("slurm_account", ""))), None),
            minutes=_least(resources.get("runtime")),
            cores=_least(resources.get("_cores")) or 1,
            memory_MB=_least(resources.get("mem_mb")) or 0,
            gpus=_least(resources.get("gpu")) or 0,
        )


class _NoInput:
    """Stands for inputs that do not exist yet."""

    size_gb = 0


def _least(resource: Any) -> int | None:
    """What a rule asks for at least, where that depends on the inputs; None if it is not known."""
    if resource is None:
        return None
    if resource.raw is None and resource.is_evaluable():
        return resource.evaluate(None, input=_NoInput, attempt=1).value
    return int(resource.raw) if str(resource.raw).isdigit() else None
