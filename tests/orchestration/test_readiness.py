"""What is refused before the first job."""

import os
import re
import subprocess
import time

import pytest

from atomsight.errors import InputError
from atomsight.orchestration import readiness


@pytest.fixture
def files(tmp_path):
    """Three inputs, one of them dated tomorrow, one not made yet."""
    names = [tmp_path / "new waves" / f"{number}.h5" for number in range(3)]
    names[0].parent.mkdir()
    for path in names[:2]:
        path.touch()
    tomorrow = time.time() + 86_400
    os.utime(names[1], (tomorrow, tomorrow))
    return names


def test_files_of_the_past_or_to_come_or_some_seconds_ahead_on_a_server_are_fine(files):
    soon = time.time() + 20
    os.utime(files[1], (soon, soon))
    assert readiness.check_dates(files) is None


@pytest.mark.parametrize("together", [1, 2], ids=["one", "several"])
def test_the_command_that_is_named_mends_dates_in_the_future(files, together):
    later = time.time() + 90_000
    if together == 2:
        os.utime(files[0], (later, later))
    with pytest.raises(InputError, match="in the future") as refused:
        readiness.check_dates(files)
    assert ("(and 1 more)" in str(refused.value)) == (together == 2)
    command = re.search(r"run: (find .* \+), then rerun", str(refused.value))[1]
    subprocess.run(["bash", "-c", command], check=True)
    readiness.check_dates(files)
    assert files[1].stat().st_mtime <= time.time()


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    readiness.check_writable(tmp_path)
    readiness.check_writable(tmp_path / "not yet")
    # Root may write everywhere but on a file system that is read-only.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(InputError, match="cannot be written to; make it writable"):
        readiness.check_writable(tmp_path)
