"""What breaks on a cluster: files damaged or cut, disks that fill up, jobs that are killed.

The whole chain through all of this is benchmarks/faults.py; here stands what takes seconds.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from made_models import ATOM_CARD, ranges, save_tiny_model

from atomsight.errors import InputError
from atomsight.files import atomic, layout, provenance, sealed
from atomsight.learning import models

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
TERM, INT = signal.SIGTERM, signal.SIGINT


def write_waves(path):
    spectra = np.random.default_rng(3).normal(size=(3, 1, 5, 5)).astype("complex64")
    waves = [(spectrum, np.ones((4, 2)), np.ones(4, int)) for spectrum in spectra]
    layout.write_waves(path, waves, (12.0, 12.0), 80e3, {})
    return path


def damage(path):
    """Flip one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def follow(sentence):
    """Do what a sentence says of how to make a file again."""
    command = re.search(r"to recreate it: (rm .*), then", str(sentence.value))[1]
    subprocess.run(shlex.split(command), check=True)


@pytest.fixture
def shard(tmp_path):
    return write_waves(tmp_path / "waves.h5")


def test_a_flipped_bit_anywhere_in_a_shard_is_found(shard):
    whole = shard.read_bytes()
    rng = np.random.default_rng(1)
    places = [*range(0, 100), *rng.integers(100, len(whole), 200)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        shard.write_bytes(damaged)
        with pytest.raises(InputError, match=r"waves\.h5: .*damaged"):
            layout.read_waves([shard])
    shard.write_bytes(whole)
    assert len(layout.read_waves([shard]).spectra) == 3


def test_a_shard_of_any_other_length_is_refused(shard):
    whole = shard.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        shard.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"waves\.h5: .*cut short"):
            layout.read_waves([shard])
    shard.write_bytes(whole + b"\0")
    with pytest.raises(InputError, match="damaged"):
        layout.read_waves([shard])


def test_the_sentence_names_the_command_that_makes_the_shard_again(tmp_path):
    path = write_waves(tmp_path / "a folder" / "waves.h5")
    damage(path)
    with pytest.raises(InputError) as refused:
        layout.read_waves([path])
    follow(refused)
    assert not path.exists()


def test_the_checksum_is_that_of_the_contents(tmp_path, shard):
    checksum = sealed.check_seal(shard)
    assert re.fullmatch("[0-9a-f]{64}", checksum)
    assert sealed.check_seal(write_waves(tmp_path / "again.h5")) == checksum
    with sealed.change(shard) as file:
        file.attrs["energy_eV"] = 81e3
    assert sealed.check_seal(shard) != checksum
    assert layout.read_waves([shard]).energy_eV == 81e3


def test_weights_with_a_flipped_bit_are_refused_with_the_command_that_makes_them_again(tmp_path):
    folder = tmp_path / "a model"
    save_tiny_model(folder, ATOM_CARD)
    models.load_network(folder)
    damage(folder / models.WEIGHTS)
    with pytest.raises(InputError, match="their checksum differs") as refused:
        models.load_network(folder)
    follow(refused)
    assert not (folder / models.WEIGHTS).exists()


def test_damage_to_a_model_that_comes_with_atomsight_can_be_seen():
    for folder in (ROOT / "data/models").glob("*/"):
        checksum = models.read_card(folder).weights_sha256
        assert checksum == provenance.file_sha256(folder / models.WEIGHTS), folder


def test_a_network_is_never_trained_on_a_damaged_shard(tmp_path, shard, run_script):
    other = write_waves(tmp_path / "other.h5")
    damage(shard)
    work = tmp_path / "work"
    command = ("train_network.py", tmp_path / "model", other, shard, "--work", work, "--seed", 1)
    section = {"material": "graphene", "microscope": ranges()}
    done = run_script(*command, "--settings", json.dumps(section))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {shard}: cut short or damaged")
    assert not work.exists()
    assert not (tmp_path / "model").exists()


#: A script that writes a file.
WRITING = """
import builtins, os, signal, sys, time
import numpy as np
from atomsight import command_line
from atomsight.files import disk, sealed

@command_line.script
def main(argv=None):
    with sealed.create(sys.argv[1], {}) as file:
        write(file)
"""

#: It says so and is never done.
ENDLESS = """
def write(file):
    file["data"] = range(1000)
    print("writing", flush=True)
    time.sleep(600)

sys.exit(main())
"""


def start(code, *words):
    """Start a Python program that finds the library."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Of tests in the background Ctrl-C is ignored, and so it would be here.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def stop_while_it_writes(folder, number):
    run = start(WRITING + ENDLESS, folder / "data.h5")
    assert run.stdout.readline() == "writing\n"
    run.send_signal(number)
    _, said = run.communicate(timeout=60)
    return run.returncode, said


@pytest.mark.parametrize("number", [TERM, INT])
def test_a_job_that_is_asked_to_stop_leaves_nothing_half_written(tmp_path, number):
    code, said = stop_while_it_writes(tmp_path, number)
    assert code == 128 + number
    assert said.startswith(f"error: stopped by {number.name}; no partial file is left, rerun")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_killed_job_leaves_no_file_of_the_name_that_is_waited_for(tmp_path):
    code, _ = stop_while_it_writes(tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".data.h5.")
    assert left.suffix == ".partial"


def test_a_disk_that_fills_up_leaves_nothing_and_says_so(tmp_path):
    """A limit on the size of files stands for the end of the disk."""
    path = tmp_path / "structures.h5"
    script = shlex.join([sys.executable, f"{SCRIPTS}/make_structures.py", str(path)])
    command = f"ulimit -f 16; exec {script} --seed 1 --material graphene --count 9"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: {path}: the file would be larger than is allowed here\n"
    assert not list(tmp_path.iterdir())


def test_the_file_that_finds_no_room_is_named(tmp_path):
    """Writing to a file that is open fails without its name."""
    path = tmp_path / "checkpoint.npz"

    def write():
        with atomic.replacing(path) as partial, open("/dev/full", "wb", buffering=0) as full:
            partial.touch()
            full.write(b"0")

    with pytest.raises(OSError, match="No space left") as refused:
        write()
    assert refused.value.filename == str(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("said", [errno.EINVAL, errno.ENOTSUP])
def test_folders_need_not_reach_the_disk_where_files_alone_can(tmp_path, monkeypatch, said):
    real = os.fsync

    def fsync(number):
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(said, os.strerror(said))
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    assert len(layout.read_waves([write_waves(tmp_path / "waves.h5")]).spectra) == 3


def test_a_file_that_does_not_reach_the_disk_is_not_taken_for_whole(tmp_path, monkeypatch):
    def fsync(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error"):
        write_waves(tmp_path / "waves.h5")
    assert not list(tmp_path.iterdir())


#: HDF5 calls Python to write, and loses what is raised there.
STOPPED_IN_A_WRITE = """
def write(file):
    disk.memoryview = stopped
    for number in range(2000):
        file[str(number)] = np.ones((100, 100))

def stopped(data):
    if not sent:
        sent.append(os.kill(os.getpid(), getattr(signal, sys.argv[2])))
    return builtins.memoryview(data)

sent = []
code = main()
assert sent
sys.exit(code)
"""

#: Python drops what is raised in a finaliser.
STOPPED_IN_GARBAGE = """
class Garbage:
    def __del__(self):
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        time.sleep(0.01)

def write(file):
    Garbage()
    time.sleep(10)

sys.exit(main())
"""


@pytest.mark.parametrize(
    ("code", "number"),
    [(STOPPED_IN_A_WRITE, TERM), (STOPPED_IN_A_WRITE, INT), (STOPPED_IN_GARBAGE, TERM)],
)
def test_a_request_to_stop_is_heard_where_it_is_lost_at_first(tmp_path, code, number):
    run = start(WRITING + code, tmp_path / "data.h5", number.name)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 128 + number, said
    assert f"error: stopped by {number.name}; no partial file is left" in said
    assert not list(tmp_path.iterdir())


def processes_of_the_job(folder):
    """The script and what writes its log, the latter first."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if (process / "cwd").resolve() == folder and words[0] in (b"python", b"tee"):
                found.append((words[0] == b"python", int(process.name)))
    assert len(found) == 2
    return [number for _, number in sorted(found)]


@pytest.mark.slow
def test_the_last_sentence_of_a_cancelled_job_is_in_its_log(tmp_path):
    """Slurm asks every process of a job to stop, the one that writes the log too."""
    frames = np.random.default_rng(1).poisson(9, (5000, 64, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "recording.tif", frames)
    sheet = "series\tpath\tmodel\tpixel_size_A\nmine\trecording.tif\tgraphene\t0.12\n"
    (tmp_path / "series.tsv").write_text(sheet)
    call = [
        *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
        *("--directory", tmp_path, "--cores", "1", "results/series/mine/frames.h5"),
        *("--config", "series=series.tsv"),
    ]
    with subprocess.Popen(call) as run:
        end = time.monotonic() + 120
        while not list(tmp_path.glob("results/series/mine/.frames.h5.*.partial")):
            assert run.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        for number in processes_of_the_job(tmp_path):
            os.kill(number, signal.SIGTERM)
        assert run.wait(timeout=60) == 1
    log = (tmp_path / "results/logs/import_series/mine.log").read_text()
    assert "stopped by SIGTERM; no partial file is left" in log


def test_waves_do_not_depend_on_how_busy_a_machine_is():
    """Nothing is chosen by timing: a job that is done again gives the same bytes."""
    ask = "import atomsight.imaging.waves, abtem; print(abtem.config.get('fftw.planning_effort'))"
    said, wrong = start(ask).communicate(timeout=300)
    assert said == "FFTW_ESTIMATE\n", wrong


def test_nobody_waits_for_a_lock_on_a_file(shard):
    """Of a process that hangs, or of a file system that has none."""
    read = (
        "import sys; from atomsight.files import layout\n"
        "print(len(layout.read_waves(sys.argv[1:]).sites))"
    )
    with shard.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said, wrong = start(read, shard).communicate(timeout=300)
    assert said == "3\n", wrong
