"""Files that appear when they are complete, and have reached the disk."""

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Errors of writing alone.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a path in the same folder to write to, and move what was written to ``path`` at the end.

    Missing folders are made. On an error the partial file is removed and ``path`` is left as it
    was; an ``OSError`` of writing names ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of this process alone: another one, on this machine or another, may write the same file.
    partial = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.partial")
    try:
        yield partial
        _to_disk(partial)
        os.replace(partial, path)
        _to_disk(path.parent)
    except OSError as error:
        # What fails while it is written to has no name, or one that nobody knows.
        is_nameless = error.filename is None and error.errno in _NO_ROOM
        if is_nameless or str(error.filename) == str(partial):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until a file or a folder has reached the disk, so that a power cut leaves it whole.

    Some file systems of clusters can do this for files only.
    """
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(number)
