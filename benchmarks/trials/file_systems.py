"""File systems that are small, read-only, slow or without locks."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trials.trial import NotTried, Trial

#: A library that stands in for a file system: without locks if $NO_LOCKS is there; below the
#: folder $SLOW_BELOW every read, write and fsync takes $SLOW_US microseconds.
STAND_IN = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
int flock(int fd, int operation) {
    static int (*real)(int, int);
    if (getenv("NO_LOCKS")) { errno = ENOLCK; return -1; }
    if (!real) real = dlsym(RTLD_NEXT, "flock");
    return real(fd, operation);
}
static void wait_if_slow(int fd) {
    const char *below = getenv("SLOW_BELOW"), *microseconds = getenv("SLOW_US");
    char link[64], path[4096];
    if (!below || !microseconds) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return;
    path[n] = 0;
    if (strncmp(path, below, strlen(below)) == 0) usleep(atoi(microseconds));
}
ssize_t write(int fd, const void *data, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    wait_if_slow(fd);
    return real(fd, data, n);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    wait_if_slow(fd);
    return real(fd);
}
ssize_t pread(int fd, void *data, size_t n, off_t at) {
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread");
    wait_if_slow(fd);
    return real(fd, data, n, at);
}
ssize_t pread64(int fd, void *data, size_t n, off_t at) { return pread(fd, data, n, at); }
ssize_t read(int fd, void *data, size_t n) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    wait_if_slow(fd);
    return real(fd, data, n);
}
"""


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Let a folder be a file system of its own; what it holds at the end stays in the folder."""
    if os.geteuid() != 0:
        raise NotTried("needs root, to mount a small file system")
    held = folder.with_name(f"{folder.name}_held")
    folder.rename(held)
    folder.mkdir()
    pages = sum(-(-path.stat().st_size // 4096) for path in held.rglob("*") if path.is_file())
    options = options % ((pages + 16) * 4096) if "%" in options else options
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        folder.rmdir()
        held.rename(folder)
        raise NotTried(f"mount: {done.stderr.decode().strip()}")
    try:
        shutil.copytree(held, folder, dirs_exist_ok=True)
        yield
        shutil.rmtree(held)
        shutil.copytree(folder, held)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
        held.rename(folder)


def remount(folder: Path, options: str) -> None:
    """Change the options of a file system of :func:`mounted`."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def slow(trial: Trial, seconds: float = 0.02) -> dict[str, str]:
    """Give the environment in which ``results/`` is slow, so that a fault can hit a write."""
    below = str((trial.folder / "results").resolve())
    library = stand_in(trial.folder)
    return {"LD_PRELOAD": library, "SLOW_BELOW": below, "SLOW_US": str(round(1e6 * seconds))}


def stand_in(folder: Path) -> str:
    """Compile the library that stands in for a file system."""
    source, library = folder / "stand_in.c", folder / "stand_in.so"
    source.write_text(STAND_IN, encoding="utf-8")
    if shutil.which("cc") is None:
        raise NotTried("needs a C compiler")
    words = ["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(words, check=True)
    return str(library)
