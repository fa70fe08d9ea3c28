"""What is looked at before the first job: whether results can be kept, and the dates of files.

Snakemake goes by dates. It sets those of results by the clock of the machine it runs on, and throws
away the results of a job whose inputs are newer still: after hours of training, if a clock was
wrong. One sentence before the first job is cheaper.
"""

import os
import shlex
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from atomsight.errors import InputError

#: So much the clocks of a file server and of this machine may differ [s].
_TOLERANCE_S = 60


def check_writable(folder: Path | str) -> None:
    """Refuse a folder that nothing can be written to.

    Parameters
    ----------
    folder : path
        The folder; one that does not exist yet is fine.

    Raises
    ------
    InputError
        If it cannot be written to.
    """
    if Path(folder).exists() and not os.access(folder, os.W_OK):
        raise InputError(
            f"{folder}: this folder cannot be written to; make it writable, or run in another "
            "folder with --directory"
        )


def check_dates(files: Iterable[Path | str]) -> None:
    """Refuse files that were changed in the future.

    Parameters
    ----------
    files : iterable of path
        The inputs of jobs; those that do not exist yet are fine.

    Raises
    ------
    InputError
        If a file is dated more than a minute ahead of the clock.
    """
    latest = time.time() + _TOLERANCE_S
    ahead = sorted(name for name in map(str, set(files)) if _changed(name) > latest)
    if not ahead:
        return
    others = f" (and {len(ahead) - 1} more)" if len(ahead) > 1 else ""
    where = shlex.quote(os.path.commonpath(ahead) or ".")
    raise InputError(
        f"{ahead[0]}{others}: dated {datetime.fromtimestamp(_changed(ahead[0])):%Y-%m-%d %H:%M}, "
        "which is in the future, and so Snakemake would throw away what is made of it; see that "
        f"the clock is right, then: find {where} -type f -newermt now -exec touch {{}} +, then the "
        "same command as before"
    )


def _changed(path: str) -> float:
    """When a file was changed [s]; before everything if it does not exist."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return float("-inf")
