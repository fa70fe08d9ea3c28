"""Checks before the first job: whether results can be written, and the dates of files.

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

#: The clocks of a file server and of this machine may differ by this much [s].
_TOLERANCE_S = 60


def check_writable(folder: Path | str) -> None:
    """Refuse with :class:`InputError` a folder that cannot be written to, if it exists."""
    if Path(folder).exists() and not os.access(folder, os.W_OK):
        raise InputError(
            f"{folder}: this folder cannot be written to; make it writable, or run in another "
            "folder with --directory"
        )


def check_dates(files: Iterable[Path | str]) -> None:
    """Refuse with :class:`InputError` files that exist and are dated more than a minute ahead."""
    latest = time.time() + _TOLERANCE_S
    ahead = sorted(name for name in map(str, set(files)) if _changed(name) > latest)
    if not ahead:
        return
    others = f" (and {len(ahead) - 1} more)" if len(ahead) > 1 else ""
    where = shlex.quote(os.path.commonpath(ahead) or ".")
    raise InputError(
        f"{ahead[0]}{others}: dated {datetime.fromtimestamp(_changed(ahead[0])):%Y-%m-%d %H:%M}, "
        "which is in the future, and so Snakemake would throw away what is made from it; check the "
        f"clock, run: find {where} -type f -newermt now -exec touch {{}} +, then rerun the same "
        "command"
    )


def _changed(path: str) -> float:
    """When a file was changed [s]; minus infinity if it does not exist."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return float("-inf")
