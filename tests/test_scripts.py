"""What every script promises on the command line: the same bytes, and one sentence if not.

``RUNS`` calls every script on the files of :mod:`made_inputs`; what starts with ``new`` is written.
From it follows what is wrong with any script: a file is missing or of another kind, a key is
unknown. ``WRONG`` is what can be wrong with one script only, and the facts that it must tell.
"""

import importlib
import logging
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_inputs import PIXEL_A, run, settings, write_inputs

import evaluate
import locate_atoms
import score
import simulate
from atomsight import command_line
from atomsight.errors import InputError
from atomsight.files import sealed, tables

SCRIPTS = Path(locate_atoms.__file__).parent
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
KINDS = [
    (script, kind, module)
    for script in (evaluate, score, simulate)
    for kind, module in script.KINDS.items()
]

RUNS = [
    f"import_series image.tif new.h5 {settings(pixel_size_A=PIXEL_A)}",
    "map_classes frames.h5 model new.h5",
    "locate_atoms maps.h5 new.h5 --csv new.csv",
    "measure_strain atoms.h5 new.csv --hdf5 new.h5 --bonds new_bonds.csv",
    "correct_drift maps.h5 atoms.h5 new.h5",
    "mask_substrate frames.h5 atoms.h5 drift.h5 new.h5",
    "follow_sites atoms.h5 drift.h5 substrate.h5 new.h5 new.csv --errors errors.csv --dose 900",
    f"compare_series sites.h5 sites.h5 new.csv {settings(resamples=100)}",
    "count_columns columns.h5 new.csv --frames frames.h5 --hdf5 new.h5",
]


def attribute(file: str, name: str, value: object) -> Callable[[Path], None]:
    """Change an attribute of a file."""

    def spoil(folder: Path) -> None:
        with sealed.change(folder / file) as opened:
            opened.attrs[name] = value

    return spoil


def table(file: str, name: str, **values: object) -> Callable[[Path], None]:
    """Change columns of a table, or take them out with None."""

    def spoil(folder: Path) -> None:
        with sealed.change(folder / file) as opened:
            changed = tables.read_table(opened, name).assign(**values)
            del opened[name]
            gone = [column for column, value in values.items() if value is None]
            tables.write_table(opened, name, changed.drop(columns=gone))

    return spoil


def row(number: int, value: float) -> Callable:
    """Change one value of the column ``x_A`` of a table."""
    return lambda frame: frame["x_A"].where(frame.index != number, value)


def text(file: str, pattern: str, new: str) -> Callable[[Path], None]:
    """Change the text of a file."""

    def spoil(folder: Path) -> None:
        old = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(re.sub(pattern, new, old), encoding="utf-8")

    return spoil


#: A run, what is changed before (arguments that are added, or the files), the facts to tell.
WRONG = [
    ("import_series", "--settings {}", "no pixel size in", "column pixel_size_A of series series"),
    ("import_series", settings(pixel_size_A=0.1, frames="9"), "no frame 9", "from 0 to 3"),
    ("import_series", settings(pixel_size_A=0.1, frames="all"), "'all'", "write numbers from 0"),
    ("import_series", settings(pixel_size_A=0.1, mask="absent.png"), "the mask does not exist"),
    (
        "import_series",
        settings(pixel_size_A=2.1, model_pixel_size_A=[0.1, 0.14]),
        *("pixel size 2.1 Å is outside", "correct pixel_size_A or choose another model"),
    ),
    (
        "import_series",
        settings(pixel_size_A=0.2, focus_A=[0, 10, 20]),
        *("the 4 chosen frames", "focal series of 3 images", "the column focus_A"),
    ),
    ("measure_strain", settings(bond=1.42), "strain.bond", "did you mean bond_A?"),
    ("measure_strain", table("atoms.h5", "atoms", y_A=None), "atoms.h5", "no column 'y_A'"),
    ("measure_strain", table("atoms.h5", "atoms", x_A=row(17, np.nan)), "row 17", "no position"),
    ("correct_drift", attribute("atoms.h5", "frame_shape", (9, 128, 128)), "in these maps"),
    ("correct_drift", attribute("atoms.h5", "frame_shape", (3, 128, 128)), "the series has 3"),
    ("correct_drift", table("atoms.h5", "atoms", x_A=row(5, np.inf)), "row 5", "no position"),
    ("correct_drift", table("atoms.h5", "atoms", x_A=None), "no column 'x_A'"),
    ("mask_substrate", "--mask absent.tif", "absent.tif", "the mask does not exist"),
    ("mask_substrate", attribute("atoms.h5", "frame_shape", (4, 9, 9)), "from one series"),
    ("follow_sites", "--dose 0", "--dose: 0", "more than 0 [e/Å²]"),
    ("follow_sites", "--dose nan", "--dose: nan is not a dose"),
    ("follow_sites", settings(min_seen=0), "dynamics.min_seen: 0 must be at least 1"),
    ("follow_sites", '--hops {"level":1}', "hops.level is not a key"),
    ("follow_sites", text("errors.csv", "2,38", "x,38"), "'miss_alpha' holds text"),
    ("follow_sites", attribute("drift.h5", "frame_shape", (9, 128, 128)), "from one series"),
    ("compare_series", table("sites.h5", "sites", masked=True), "no site is left"),
    ("compare_series", table("sites.h5", "sites", event_rate=None), "no column 'event_rate'"),
    ("count_columns", attribute("columns.h5", "frame_shape", (3, 128, 128)), "in these images"),
    ("count_columns", table("columns.h5", "atoms", p_2=None), "a model that counts"),
]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return folder


@pytest.fixture
def folder(inputs, tmp_path):
    """A copy of the inputs, in which the outputs of an earlier run stand."""
    shutil.copytree(inputs, tmp_path / "work")
    return tmp_path / "work"


every_run = pytest.mark.parametrize("line", RUNS, ids=[line.split(" ")[0] for line in RUNS])


def read(line: str, folder: Path) -> list[Path]:
    """The files and folders that a run reads."""
    paths = {word: folder / word for word in line.split(" ")[1:]}
    return [path for path in paths.values() if path.exists()]


def contents(folder: Path, pattern: str = "new*") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(pattern)}


def refused(line: str, folder: Path, capsys: pytest.CaptureFixture) -> str:
    """Run a script that must refuse in one sentence and leave older outputs as they were."""
    script, arguments = line.split(" ", 1)
    outputs = {word for word in arguments.split(" ") if word.startswith("new")}
    for name in outputs:
        (folder / name).write_bytes(b"older")
    capsys.readouterr()
    assert run(script, folder, arguments) == 1
    told = capsys.readouterr().err
    sentences = [one for one in told.splitlines() if one.startswith("error: ")]
    assert len(sentences) == 1, told
    assert told.endswith(f"{sentences[0]}\n")
    assert contents(folder) == dict.fromkeys(outputs, b"older")
    return sentences[0]


@every_run
def test_the_same_input_gives_the_same_bytes_in_whatever_folder(line, inputs, tmp_path):
    script, arguments = line.split(" ", 1)
    outputs = []
    for name in ("one", "two"):
        shutil.copytree(inputs, tmp_path / name)
        assert run(script, tmp_path / name, arguments) == 0
        outputs.append(contents(tmp_path / name))
    assert {word for word in arguments.split(" ") if word.startswith("new")} <= set(outputs[0])
    assert outputs[0] == outputs[1]


@every_run
def test_a_file_that_is_missing_or_of_another_kind_is_named(line, folder, inputs, capsys):
    for path in read(line, folder):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert path.name in refused(line, folder, capsys)
        path.write_bytes(b"nonsense")
        assert path.name in refused(line, folder, capsys)
        path.unlink()
        kept = inputs / path.name
        shutil.copytree(kept, path) if kept.is_dir() else shutil.copy(kept, path)


@every_run
def test_a_key_that_does_not_exist_is_named(line, folder, capsys):
    assert "no_such_key" in refused(f"{line} {settings(no_such_key=1)}", folder, capsys)


@pytest.mark.parametrize(("script", "change", "facts"), [(a, b, c) for a, b, *c in WRONG])
def test_what_is_wrong_is_told_with_its_facts(script, change, facts, folder, capsys):
    line = next(line for line in RUNS if line.startswith(f"{script} "))
    if callable(change):
        change(folder)
    else:
        line = f"{line} {change}"
    told = refused(line, folder, capsys)
    for fact in facts:
        assert fact in told


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
