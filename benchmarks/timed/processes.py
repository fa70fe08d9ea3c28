"""Processes that are measured: their time in turns, and the peak of the memory of each.

Whatever is compared runs in turns, call by call, so that what else the machine does hits all alike.
The process that measures imports little: the peak of a process starts from that of its parent.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")

#: A call that takes the processor so long is not repeated [s].
LONG_S = 60.0

#: Everything that has a kind of instructions of its own: oneDNN, OpenBLAS, PyTorch.
AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
}


@dataclass(frozen=True)
class Usage:
    """Median times of a call, and the peak of the process."""

    wall_s: float
    cpu_s: float
    memory_MB: float


class Worker:
    """A process that has prepared a case and runs it when asked."""

    def __init__(self, python: str, case: str, given: Mapping):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        self.case = case
        self.process = subprocess.Popen(
            [python, str(WORKER), case, json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.first = self._answer()

    def call(self) -> dict[str, float]:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> float:
        """Let the process end; gives its peak [MB]."""
        self.process.stdin.close()
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdout.close()
        self.errors.close()
        return used.ru_maxrss / 1024

    def _answer(self) -> dict[str, float]:
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            last = self.errors.read().decode(errors="replace").strip().splitlines()[-5:]
            raise SystemExit(f"the case {self.case} failed:\n" + "\n".join(last))
        return json.loads(line)


def in_turns(cases: Sequence[tuple[str, str, Mapping]], repeats: int) -> list[Usage]:
    """Measure cases (python, case, what it is given) in turns.

    The first call, which compiles, does not count, unless it is too long to be repeated.
    """
    workers = [Worker(*case) for case in cases]
    calls = [[] for _ in workers]
    for _ in range(repeats):
        for worker, times in zip(workers, calls, strict=True):
            if worker.first["cpu_s"] < LONG_S:
                times.append(worker.call())
    usages = []
    for worker, times in zip(workers, calls, strict=True):
        times = times or [worker.first]
        medians = (statistics.median(one[name] for one in times) for name in ("wall_s", "cpu_s"))
        usages.append(Usage(*medians, worker.end()))
    return usages


def of_commands(commands: Sequence[Sequence[object]], folder: Path = Path()) -> Usage:
    """Run commands one after another; times are added, the memory is that of the largest."""
    begin, cpu_s, memory_MB = time.perf_counter(), 0.0, 0.0
    for command in commands:
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=folder,
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                errors.seek(0)
                last = errors.read().decode(errors="replace").strip().splitlines()[-5:]
                raise SystemExit(f"this failed: {' '.join(process.args)}\n" + "\n".join(last))
        cpu_s += used.ru_utime + used.ru_stime
        memory_MB = max(memory_MB, used.ru_maxrss / 1024)
    return Usage(time.perf_counter() - begin, cpu_s, memory_MB)


def free_memory_MB() -> float:
    """Memory that a process may take; without limit where the system does not say."""
    facts = _facts("/proc/meminfo")
    return float(facts["MemAvailable"].split()[0]) / 1024 if facts else float("inf")


def processor() -> str:
    """Name the processor, its cores, the instructions that matter and what caps them."""
    facts = _facts("/proc/cpuinfo")
    known = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
    flags = [flag for flag in known if flag in facts.get("flags", "").split()]
    caps = [f"{name}={os.environ[name]}" for name in AVX2 if name in os.environ]
    words = (
        facts.get("model name", sys.platform),
        f"{os.cpu_count()} cores",
        " ".join(flags) or "flags unknown",
        f"capped by {' '.join(caps)}" if caps else "no cap",
        f"load {os.getloadavg()[0]:.1f} at the start",
    )
    return ", ".join(words)


def _facts(path: str) -> dict[str, str]:
    """What a file of Linux tells, by name; of several values the last."""
    if not Path(path).exists():
        return {}
    parts = (line.partition(":") for line in Path(path).read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip() for name, _, value in parts}
