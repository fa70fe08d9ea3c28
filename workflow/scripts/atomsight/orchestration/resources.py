"""What the jobs of a rule ask for, by the attempt and by the size of their inputs."""

from collections.abc import Callable
from typing import Any


def memory(mem_mb: int) -> Callable:
    """A job's memory [MB]: twice, then three times as much when it is tried again."""

    def of_attempt(wildcards: Any, attempt: int) -> int:
        # A training may be tried many times, whose time limit ends it and not its memory.
        return mem_mb * min(attempt, 3)

    return of_attempt


def minutes(base: int, per_gb: float) -> Callable:
    """A job's time limit [min], which grows with the size of what it reads."""

    def of_size(wildcards: Any, input: Any) -> int:
        return base + round(per_gb * input.size_gb)

    return of_size
