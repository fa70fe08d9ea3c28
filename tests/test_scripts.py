"""The manners of every script."""

import importlib
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import locate_atoms
from atomsight import command_line
from atomsight.errors import InputError

SCRIPTS = Path(locate_atoms.__file__).parent
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_it_does_and_shows_an_example(name, capsys):
    script = importlib.import_module(name)
    with pytest.raises(SystemExit) as stopped:
        script.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert script.__doc__.splitlines()[0] in text
    assert f"python {name}.py" in script.__doc__


def test_a_script_runs_by_hand_from_any_folder(tmp_path):
    result = subprocess.run(
        [sys.executable, "-I", SCRIPTS / "locate_atoms.py", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "MAPS.h5" in result.stdout


@pytest.fixture
def outcome(capsys):
    def run(work):
        code = command_line.script(lambda argv: work())([])
        return code, capsys.readouterr().err

    return run


def test_bad_input_is_one_sentence_and_exit_code_1(outcome):
    def work():
        raise InputError("the image is empty")

    assert outcome(work) == (1, "error: the image is empty\n")


def test_a_full_disk_is_one_sentence(outcome):
    def work():
        raise OSError(28, "No space left on device", "maps.h5")

    assert outcome(work) == (1, "error: maps.h5: the disk is full\n")


def test_a_fault_of_ours_is_not_hidden(outcome):
    def work():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        outcome(work)


def test_a_warning_is_one_sentence_without_our_paths(outcome):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code, text = outcome(lambda: warnings.warn("the sheet wins", stacklevel=1))
    logging.getLogger().handlers.clear()
    assert (code, text) == (0, "warning: the sheet wins\n")


@pytest.mark.parametrize("text", ["{", "[1]", "@nowhere.json"])
def test_settings_that_cannot_be_read_are_refused(text):
    with pytest.raises(InputError, match="--settings"):
        command_line.read_json(text)
