"""A folder in which a fault happens, what is run there, and how it is compared afterwards."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from atomsight.files import sealed

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests" / "pipeline" / "config.yaml"
#: The files of a folder that make the chain: what differs in the configuration, the sample sheet.
CONFIGURATION, SERIES = "faults.yaml", "series.tsv"
MODEL = "results/models/graphene_laptop"
SHARDS = [f"{MODEL}/waves/{shard}.h5" for shard in (0, 1)]
WEIGHTS = f"{MODEL}/model/network.weights.h5"
ATOMS = "results/series/simulated_pristine/atoms.csv"
CHAIN = "results/graphene_strain.png"
#: Everything in results/ but these is a result that must survive.
NO_RESULTS = ("logs", "benchmarks", "training")
WAIT_S = 3600
SCRIPTS = sorted(path.name for path in (ROOT / "workflow" / "scripts").glob("*.py"))
#: Of small files Snakemake also compares checksums; those of real runs are large.
BY_TIME = ("--max-checksum-file-size", "0")
#: Parts of what Snakemake says of a fault.
SNAKEMAKE_SAYS = (
    "LockException",
    "Directory cannot be locked",
    "Error in rule",
    "Incomplete files",
    "incomplete",
    "Read-only file system",
    "No space left",
    "cannot be written to",
    "checkpoint is damaged",
    "in the future",
    "Traceback",
)


class NotTried(Exception):
    """A fault that cannot be made to happen here, and why."""


@dataclass
class Trial:
    """A folder in which a fault happens: a copy of the undisturbed one, less what is to be made."""

    folder: Path
    target: list[str]
    is_full_size: bool = False  # the chain is that of config/config.yaml, not that of the tests
    options: tuple[str, ...] = ()  # more words of every command
    notes: list[str] = field(default_factory=list)  # what was seen, in short
    said: str = ""  # the output of all runs so far
    is_finished: bool = False  # the command has been rerun after the fault

    def command(self, *more: str) -> list[str]:
        """The command of a run, on this machine unless ``more`` says where."""
        more = (*self.options, *more)
        where = () if "--workflow-profile" in more else ("--cores", "1")
        tiny = () if self.is_full_size else (str(TINY),)
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--directory", str(self.folder), *self.target, *where, *more),
            *("--configfile", *tiny, str(self.folder / CONFIGURATION)),
        ]

    def start(self, *more: str, **environment: str) -> subprocess.Popen:
        """Start a run as a group of processes of its own."""
        return subprocess.Popen(
            self.command(*more),
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Of a script in the background Ctrl-C is ignored, and so it would be here.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def end(self, started: subprocess.Popen) -> int:
        """Wait for a run and keep what it said; its exit code."""
        text, _ = started.communicate(timeout=WAIT_S)
        self.said += text
        return started.returncode

    def run(self, *more: str, **environment: str) -> int:
        return self.end(self.start(*more, **environment))

    def process(self, script: str, ready: Callable[[], bool] = lambda: True) -> int:
        """Wait until a script runs in this folder, and for more; its process."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            found = processes(self.folder, script) if ready() else []
            if found and ready():
                return found[0]
            time.sleep(0.2)
        raise RuntimeError(f"{script} did not start in {self.folder}")

    def partials(self) -> list[Path]:
        """The files that were being written."""
        return list((self.folder / "results").rglob(".*.partial*"))

    def sentences(self) -> str:
        """The sentences that a user reads, without paths of this machine."""
        found = []
        for line in self.said.splitlines():
            line = line.strip().replace(f"{self.folder.resolve()}/", "").replace(f"{ROOT}/", "")
            is_ours = re.match(r"(error|warning): ", line)
            if (is_ours or any(words in line for words in SNAKEMAKE_SAYS)) and line not in found:
                found.append(line)
        return " / ".join(found) or "none"


def wait_until(done: Callable[[], object]) -> None:
    """Wait for something to become true, an hour at most."""
    end = time.monotonic() + WAIT_S
    while not done():
        if time.monotonic() > end:
            raise RuntimeError(f"it did not happen within {WAIT_S} s")
        time.sleep(0.2)


def processes(folder: Path, script: str) -> list[int]:
    """The Python processes of a script that have a folder as their working folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            here = (entry / "cwd").resolve() == folder.resolve()
        except OSError:
            continue  # It has just ended.
        if here and len(words) > 1 and words[1].endswith(script):
            found.append(int(entry.name))
    return found


def results(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time of change and contents of every result in the folder of a run, by its path."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file()
        and not path.name.endswith(".partial")
        and not set(path.relative_to(folder / "results").parts) & set(NO_RESULTS)
    }


def succeed(code: int) -> None:
    """See that a run has ended well."""
    if code != 0:
        raise RuntimeError(f"the run ended with exit code {code}")


def refuse(trial: Trial, code: int) -> None:
    """See that a run has failed, and that nothing half-written stands where a result belongs."""
    if code == 0:
        raise RuntimeError("the run did not fail")
    for path in (trial.folder / "results").rglob("*.h5"):
        if path.name != "network.weights.h5" and str(path.relative_to(trial.folder)) not in SHARDS:
            with sealed.open_to_read(path):
                pass


def finish(trial: Trial) -> None:
    """Go on while a file system is mounted, and keep what it made in the folder below it."""
    if trial.run() != 0:
        raise RuntimeError(f"it did not go on: {trial.said[-2000:]}")
    trial.is_finished = True


def follow_the_advice(trial: Trial) -> None:
    """Do what the sentence advises that names the damage."""
    advice = re.findall(r"to recreate it: (rm .*), then", trial.said)
    if not advice:
        raise RuntimeError(f"no advice was given: {trial.said[-2000:]}")
    subprocess.run(shlex.split(advice[-1]), cwd=trial.folder, check=True)


def would_run(trial: Trial, rule: str) -> bool:
    """Whether the same command would run a rule now."""
    words = trial.command("--dry-run", *BY_TIME)
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    return re.search(rf"^\s*(local)?rule {rule}:", said, re.M) is not None


def flip(path: Path, offset: int | None = None) -> None:
    """Flip one bit of a file, in its middle or at a place; its time stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if offset is None else offset] ^= 4
    changed(path, bytes(data))


def changed(path: Path, data: bytes) -> None:
    """Change a file without its time."""
    stamp = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def compare(
    whole: dict[str, tuple[int, bytes]],
    before: dict[str, tuple[int, bytes]],
    after: dict[str, tuple[int, bytes]],
) -> list[str]:
    """Say what was kept, what was made again and whether it is as if nothing had happened.

    Given are the :func:`results` of the undisturbed folder, and of the fault's before it and at the
    end. What must not be begins with LOST.
    """
    kept = [path for path in before if after.get(path, (0, b""))[1] == before[path][1]]
    words = [f"{len(kept)} of {len(before)} finished results unchanged"]
    missing = sorted(set(before) - set(after))
    if missing:
        words.append(f"LOST: {', '.join(missing)}")
    made = [path for path in after if path not in before]
    equal = [path for path in made if after[path][1] == whole.get(path, (0, b""))[1]]
    words.append(f"{len(equal)} of {len(made)} new ones have the bytes of the undisturbed run")
    other = sorted(set(before) - set(kept) - set(missing) | (set(made) - set(equal)))
    if other:
        words.append(f"LOST: other bytes in {', '.join(other)}")
    return words


def kill_jobs(folder: Path) -> None:
    """Kill what runs in a folder, as if the machine went down."""
    for script in SCRIPTS:
        for number in processes(folder, script):
            os.kill(number, signal.SIGKILL)
