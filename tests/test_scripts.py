"""What every script promises on the command line."""

import importlib
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import evaluate
import locate_atoms
import score
import simulate
from atomsight import command_line
from atomsight.errors import InputError

SCRIPTS = Path(locate_atoms.__file__).parent
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
KINDS = [
    (script, kind, module)
    for script in (evaluate, score, simulate)
    for kind, module in script.KINDS.items()
]


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_it_does_and_shows_an_example(name, capsys):
    script = importlib.import_module(name)
    with pytest.raises(SystemExit) as stopped:
        script.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert script.__doc__.splitlines()[0] in text
    assert f"python {name}.py" in script.__doc__


@pytest.mark.parametrize(("script", "kind", "module"), KINDS)
def test_a_kind_of_a_script_has_its_own_help(script, kind, module, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main([kind, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert importlib.import_module(module).__doc__.splitlines()[0] in text
    assert f"python {script.__name__}.py {kind} " in text
    assert "--settings" in text


def test_a_script_tells_the_kinds_there_are(capsys):
    for words, code in ((["--help"], 0), (["colums"], 2), ([], 2)):
        with pytest.raises(SystemExit) as stopped:
            evaluate.main(words)
        assert stopped.value.code == code
        said = "".join(capsys.readouterr())
        assert all(kind in said for kind in evaluate.KINDS) or not words


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


@pytest.mark.parametrize("option", ["--settings", "--inference"])
@pytest.mark.parametrize("text", ["{", "[1]", "@nowhere.json"])
def test_sections_that_cannot_be_read_are_refused_with_their_option(option, text):
    arguments = command_line.parser("A script.")
    command_line.add_settings(arguments, "evaluation", "inference")
    with pytest.raises(InputError, match=option):
        arguments.parse_args([option, text])


def test_the_first_word_of_a_script_names_what_it_does(tmp_path, monkeypatch, capsys):
    (tmp_path / "made_kind.py").write_text(
        '"""Double a number."""\n'
        "def add_arguments(parser):\n    parser.add_argument('number', type=int)\n"
        "def run(given):\n    print(2 * given.number)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    kinds = {"double": "made_kind", "other": "no_such_module"}
    command_line.run_kind("Do something.", kinds, ["double", "21"])
    assert capsys.readouterr().out == "42\n"
    for words, text in [(["double", "--help"], "Double a number."), (["--help"], "{double,other}")]:
        with pytest.raises(SystemExit):
            command_line.run_kind("Do something.", kinds, words)
        assert text in capsys.readouterr().out
