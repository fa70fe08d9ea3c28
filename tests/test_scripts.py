"""What every script promises on the command line: the same bytes, and one sentence if not.

``RUNS`` calls the scripts on the files of :mod:`made_inputs`, one on what the others made. From a
run follows what is wrong with it: a file is missing or of another kind, a key is unknown. ``WRONG``
is what can be wrong with one script only, and the facts that it must tell.
"""

import functools
import importlib
import json
import logging
import operator
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from made_inputs import PIXEL_A, RANGES, Place, add, run, settings

import evaluate
import locate_atoms
import score
import simulate
from atomsight import command_line
from atomsight.config.reading import InferenceSettings
from atomsight.errors import InputError
from atomsight.figures import FIGURES
from atomsight.files import provenance, sealed, tables

SCRIPTS = Path(locate_atoms.__file__).parent
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
KINDS = [
    (script, kind, module)
    for script in (evaluate, score, simulate)
    for kind, module in script.KINDS.items()
]

CAMERA = {"rows": 96, "columns": 128}
SMALL_SHEET = {"kind": "pristine", "size_A": [30, 26]}
GOLD = {"atoms": [120, 160]}
SHEET = {"kind": "monolayer", "material": "mos2"}
SHORT_MTF = {"table": [[0, 1], [0.5, 0.4]]}

RUNS = [
    "make_structures structures.h5 --material graphene --count 2 --seed 1 "
    + settings(size_A=24.0, lloyd_steps=[5, 5]),
    "simulate_waves structures.h5 waves.h5 --energy 80000",
    f"import_series image.tif frames.h5 {settings(pixel_size_A=PIXEL_A)}",
    "map_classes frames.h5 reader read_maps.h5",
    "locate_atoms maps.h5 atoms.h5 --csv atoms.csv",
    "locate_atoms height_maps.h5 columns.h5",
    "measure_strain atoms.h5 strain.csv --hdf5 strain.h5 --bonds bonds.csv",
    "correct_drift maps.h5 atoms.h5 drift.h5",
    "mask_substrate frames.h5 atoms.h5 drift.h5 substrate.h5",
    "mask_substrate frames.h5 atoms.h5 drift.h5 given.h5 --mask polygon.json",
    "follow_sites atoms.h5 drift.h5 substrate.h5 sites.h5 sites.csv --errors errors.csv --dose 900",
    f"compare_series sites.h5 sites.h5 comparison.csv {settings(resamples=100)}",
    "count_columns columns.h5 heights.csv --frames frames.h5 --hdf5 heights.h5",
    f"simulate specimen specimen.h5 {settings(kind='strained', size_A=[40, 40], hole_radius_A=3)}",
    f"simulate acquisition sheet.tif truth.h5 {settings(specimen=SMALL_SHEET, acquisition=CAMERA)}",
    "simulate sequence sequence.tif dynamics.h5 "
    + settings(particle=GOLD, frames=4, acquisition={"rows": 248, "columns": 264}),
    "simulate focal_series focal.tif focal.h5 "
    + settings(
        specimen={"kind": "particle", "atoms": [90, 120]}, acquisition={"rows": 192, "columns": 208}
    ),
    "score atoms atoms.h5 truth.h5 scores.csv --strain strain.h5",
    "score classes columns.h5 focal.h5 class_scores.csv --confusion confusion.csv",
    "score dynamics sites.h5 dynamics.h5 dynamics.csv --table scored.csv",
]

#: What takes long or writes a folder is not run, but refused if something is wrong.
REFUSED = [
    "tabulate_scores page.html errors.csv",
    "ship_model gold shipped --table errors.csv Errors dose_e_per_A2",
    "summarise_metrics summary.md --model graphene_model nowhere",
    "evaluate atoms graphene_model specimen.h5 evaluation.csv",
    "evaluate conditions graphene_model specimen.h5 conditions.csv random.csv",
    "evaluate strain graphene_model lattice.csv",
    "evaluate columns gold found.csv",
    "evaluate background gold background.csv",
    "evaluate detection_errors gold detection_errors.csv",
    "evaluate heights gold_heights counted.csv",
    "evaluate species mos2 named.csv named_as.csv",
]


def name(line: str) -> str:
    """A run's script and, if that has kinds, its kind."""
    script, first, *_ = line.split(" ")
    return f"{script} {first}" if script in ("simulate", "evaluate", "score", "plot") else script


def waiting(change: Callable) -> Callable[..., Callable[[Path], None]]:
    """Let a change of the files of a folder, its first argument, wait for the folder."""
    return lambda *given, **more: lambda folder: change(folder, *given, **more)


@waiting
def missing(folder: Path, name: str) -> None:
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@waiting
def of_another_kind(folder: Path, name: str) -> None:
    missing(name)(folder)
    (folder / name).write_bytes(b"\xffnonsense")


@waiting
def attribute(folder: Path, file: str, name: str, value: object) -> None:
    with sealed.change(folder / file) as opened:
        opened.attrs[name] = value


@waiting
def table(folder: Path, file: str, name: str, rows: int | None = None, **values: object) -> None:
    """Change columns of a table, remove them with None, and keep the first rows."""
    with sealed.change(folder / file) as opened:
        changed = tables.read_table(opened, name)[:rows].assign(**values)
        del opened[name]
        gone = [column for column, value in values.items() if value is None]
        tables.write_table(opened, name, changed.drop(columns=gone))


@waiting
def data(folder: Path, file: str, name: str, values: Callable[[np.ndarray], np.ndarray]) -> None:
    with sealed.change(folder / file) as opened:
        changed = values(opened[name][...])
        del opened[name]
        opened[name] = changed


def frame_of_nothing(folder: Path) -> None:
    images = tifffile.imread(folder / "image.tif")
    images[3] = np.nan
    tifffile.imwrite(folder / "image.tif", images, photometric="minisblack")


@waiting
def cut(folder: Path, file: str, size: int) -> None:
    """Keep the first bytes of a file."""
    (folder / file).write_bytes((folder / file).read_bytes()[:size])


@waiting
def text(folder: Path, file: str, pattern: str, new: str) -> None:
    old = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(re.sub(pattern, new, old), encoding="utf-8")


def row(number: int, value: float) -> Callable:
    """Change one value of the column ``x_A`` of a table."""
    return lambda frame: frame["x_A"].where(frame.index != number, value)


def microscope(**changes: object) -> str:
    return settings(settings={"microscope": RANGES | changes})


FIRST_THREE = operator.itemgetter(np.s_[:, :3])
NO_SPECIES = text("mos2/model.json", '"mos2"', '"nanoparticle"')

#: The start of a run, what is changed (arguments that are added, or files), the facts to tell.
WRONG = [
    ("make_structures", "--shard 2", "shard 2 of 1"),
    ("simulate_waves", settings(sampling_A=0.3), "structure 0", "does not carry 1.6 1/Å"),
    ("import_series", settings(pixel_size_A=None), "no pixel size in", "column pixel_size_A of"),
    ("import_series", settings(pixel_size_A=0.1, frames="9"), "no frame 9", "from 0 to 3"),
    ("import_series", settings(pixel_size_A=0.1, frames="all"), "'all'", "write numbers from 0"),
    ("import_series", settings(pixel_size_A=0.1, mask="absent.png"), "the mask does not exist"),
    ("import_series", frame_of_nothing, "image.tif, frame 3", "100% of the pixels are saturated"),
    ("import_series", settings(model_pixel_size_A=[0.01, 0.05]), "0.2 Å is outside", "another"),
    ("import_series", settings(focus_A=[0, 9, 18]), "4 chosen frames", "3 images", "focus_A says"),
    ("map_classes", missing("reader/network.weights.h5"), "network.weights.h5 is missing"),
    ("map_classes", cut("reader/network.weights.h5", 5000), "weights.h5: damaged, or not"),
    ("map_classes", text("reader/model.json", r"(?s)\A.*", "{}"), "not the card of a model"),
    ("map_classes", attribute("frames.h5", "pixel_size_A", 0.3), "0.3 Å is outside the range of"),
    ("map_classes", cut("frames.h5", 3000), "frames.h5", "cut short or damaged"),
    ("map_classes", attribute("frames.h5", "focus_A", (-70.0, 0.0, 70.0)), "reads single images"),
    ("locate_atoms", cut("maps.h5", 3000), "maps.h5", "cut short or damaged"),
    ("measure_strain", "--material nanoparticle", "has no bond length; set strain.bond_A"),
    ("measure_strain", settings(template="diamond"), "strain.template", "one of honeycomb"),
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
    ("follow_sites", text("errors.csv", "2,98", "0,98"), "row 2", "a number above zero"),
    ("follow_sites", text("errors.csv", r"\n.*\n.*", ""), "errors.csv", "no row"),
    ("follow_sites", settings(border_A=50), "no site is seen in", "lower dynamics.min_seen"),
    ("follow_sites", data("substrate.h5", "mask", np.ones_like), "sites are masked", "the mask"),
    ("follow_sites", table("atoms.h5", "atoms", rows=0), "no column is found in any frame"),
    ("follow_sites", attribute("drift.h5", "frame_shape", (9, 128, 128)), "from one series"),
    ("compare_series", table("sites.h5", "sites", masked=True), "no site is left"),
    ("compare_series", table("sites.h5", "sites", event_rate=None), "no column 'event_rate'"),
    ("count_columns", attribute("columns.h5", "frame_shape", (3, 128, 128)), "of other images"),
    ("count_columns", table("columns.h5", "atoms", p_2=None), "are 1, 3, not", "that counts"),
    ("simulate specimen", settings(kind="amorphous"), "specimen.kind: 'amorphous' must be one of"),
    ("simulate specimen", settings(size_A=[1, 1]), "size_A"),
    ("simulate acquisition", settings(acquisition={"mtf": {"c1": 2}}), "acquisition.mtf.c1"),
    ("simulate acquisition", settings(specimen={"kind": "pristine", "hole": 3}), "specimen.hole"),
    ("simulate acquisition", "--specimen image.tif", "either --specimen or the key 'specimen'"),
    ("simulate sequence", settings(p_appear=[0.2, 1.2]), "p_appear.1: 1.2 must be at most 1"),
    ("simulate sequence", settings(particle={"atoms": [9000, 9000]}), "do not fit into a box"),
    ("simulate focal_series", settings(specimen={"kind": "wire"}), "one of particle, monolayer"),
    ("simulate focal_series", settings(acquisition={"rows": 64}), "do not fit"),
    ("simulate focal_series", settings(specimen=SHEET, drift_A=90), "does not fit"),
    ("score atoms", table("atoms.h5", "atoms", y_A=None), "no column 'y_A'"),
    ("score atoms", settings(radius_A=0), "radius_A: 0 must be more than 0"),
    ("score dynamics", data("dynamics.h5", "occupied", FIRST_THREE), "4 frames", "dynamics.h5 3"),
    ("score dynamics", table("sites.h5", "drift", used=False), "no frame was used"),
    *(
        (f"evaluate {kind}", settings(acquisition={"pixel_size_A": 0.4}), f"{section}.acquisition")
        for kind, section in (
            ("atoms", "evaluation"),
            ("strain", "strain_evaluation"),
            ("columns", "column_evaluation"),
            ("background", "background_evaluation"),
            ("detection_errors", "detection_errors"),
            ("heights", "height_evaluation"),
            ("species", "species_evaluation"),
        )
    ),
    (
        "evaluate conditions",
        settings(settings={"microscope": "nowhere.yaml"}),
        "nowhere.yaml: the microscope's file does not exist",
    ),
    ("evaluate conditions", microscope(cs_um=[3, 1]), "evaluation.settings.microscope.cs_um", "[3"),
    ("evaluate conditions", microscope(mtf=SHORT_MTF), "microscope.mtf.table", "Nyquist", "double"),
    ("evaluate heights", settings(methods=["guessing"]), "height_evaluation.methods", "guessing"),
    ("evaluate heights", settings(tilts_deg=[[3, 1]]), "height_evaluation.tilts_deg", "falls"),
    ("evaluate heights", settings(library={"columns": 3}), "height_evaluation.library.columns"),
    ("evaluate heights", settings(particle={"zone_axis": "111"}), "zone_axis"),
    ("evaluate heights", text("gold_heights/model.json", '"1"', '"Mo"'), "not numbers of atoms"),
    ("evaluate species", NO_SPECIES, "names no species", "nanoparticle is not a mono", "mos2"),
    ("evaluate species", settings(acquisition={"rows": 4096}), "does not fit into a specimen"),
    ("ship_model", "--table strain.csv", "give a file, a caption"),
    ("ship_model", "--table nowhere.csv Columns", "nowhere.csv", "does not exist"),
    ("ship_model", text("errors.csv", "dose_e_", "dose_"), "column 'dose_e_per_A2' is missing"),
]

LINES = RUNS + REFUSED
WITHOUT_KEYS = ("tabulate_scores", "ship_model", "summarise_metrics")

every_run = pytest.mark.parametrize("line", RUNS, ids=[name(line) for line in RUNS])
every_line = pytest.mark.parametrize("line", LINES, ids=[name(line) for line in LINES])


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    return [Place(tmp_path_factory.mktemp(name), LINES) for name in ("one", "two")]


@pytest.fixture
def refused(places, tmp_path_factory, capsys):
    """Make a run that must refuse in one sentence, and leave older outputs as they were."""

    def make(line: str, change: Callable[[Path], None] | str) -> str:
        folder = tmp_path_factory.mktemp("refused")
        places[0].lay_out(line, folder)
        if callable(change):
            change(folder)
        else:
            line = add(line, change)
        before = contents(folder)
        capsys.readouterr()
        assert run(line, folder) == 1
        told = capsys.readouterr().err
        assert told.splitlines()[-1].startswith("error: ")
        assert told.count("error: ") == 1
        assert contents(folder) == before
        return told.splitlines()[-1]

    return make


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@every_run
def test_the_same_input_gives_the_same_bytes_in_whatever_folder(line, places):
    one, other = (place.make(line) for place in places)
    assert set(places[0].writes(line)) <= set(one)
    assert one == other


@every_line
def test_a_file_that_is_missing_or_of_another_kind_is_named(line, places, refused):
    for name in places[0].reads(line):
        for change in (missing(name), of_another_kind(name)):
            assert name in refused(line, change)


@pytest.mark.parametrize("line", [line for line in LINES if name(line) not in WITHOUT_KEYS])
def test_a_key_that_does_not_exist_is_named(line, refused):
    assert "no_such_key" in refused(line, settings(no_such_key=1))


@pytest.mark.parametrize(("start", "change", "facts"), [(a, b, c) for a, b, *c in WRONG])
def test_what_is_wrong_is_told_with_its_facts(start, change, facts, refused):
    told = refused(next(line for line in LINES if line.startswith(f"{start} ")), change)
    for fact in facts:
        assert fact in told


@pytest.fixture
def said(capsys):
    """What a script says that stops at once, with an exit code."""

    def stop(main: Callable, *words: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(list(words))
        assert stopped.value.code == code
        return "".join(capsys.readouterr())

    return stop


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_it_does_and_shows_an_example(name, said):
    script = importlib.import_module(name)
    assert script.__doc__.splitlines()[0] in said(script.main, "--help")
    assert f"python {name}.py" in script.__doc__


@pytest.mark.parametrize(("script", "kind", "module"), KINDS)
def test_a_kind_of_a_script_has_its_own_help(script, kind, module, said):
    text = said(script.main, kind, "--help")
    assert importlib.import_module(module).__doc__.splitlines()[0] in text
    assert f"python {script.__name__}.py {kind} " in text
    assert "--settings" in text


def test_a_script_tells_the_kinds_there_are(said):
    for told in (said(evaluate.main, "--help"), said(evaluate.main, "colums", code=2)):
        assert all(kind in told for kind in evaluate.KINDS)
    said(evaluate.main, code=2)


#: Run in a fresh process: the libraries, of those named first, that each --help after them loads.
LOADED_BY_HELP = """
import contextlib, importlib, io, json, sys

libraries, *lines = map(json.loads, sys.argv[1:])
loaded = {}
for name, *kind in lines:
    script = importlib.import_module(name)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        script.main([*kind, "--help"])
    loaded[" ".join([name, *kind])] = sorted(sys.modules.keys() & libraries)
print(json.dumps({line: found for line, found in loaded.items() if found}))
"""
SLOW = ["tensorflow", "keras", "abtem", "matplotlib"]
OF_SCIPY = ["scipy.linalg", "scipy.sparse", "scipy.special", "scipy.fft", "scipy.ndimage"]


@pytest.mark.parametrize(
    ("lines", "libraries"),
    [
        ([[name] for name in NAMES], [*SLOW, *OF_SCIPY, "pandas", "h5py", "skimage"]),
        ([[script.__name__, kind] for script, kind, _ in KINDS], SLOW),
        ([["plot", figure] for figure in FIGURES], [*SLOW, *OF_SCIPY, "pandas", "h5py"]),
    ],
    ids=["scripts", "kinds", "figures"],
)
def test_help_waits_for_no_library_that_only_the_work_needs(lines, libraries):
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BY_HELP, *map(json.dumps, [libraries, *lines])],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "{}\n", done.stderr


def test_a_script_runs_by_hand_from_any_folder(tmp_path):
    result = subprocess.run(
        [sys.executable, "-I", SCRIPTS / "locate_atoms.py", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "MAPS.h5" in result.stdout


def run_into(error: Exception) -> int:
    @command_line.script
    def main(argv: list[str] | None) -> None:
        raise error

    return main([])


def test_bad_input_and_a_full_disk_are_one_sentence(capsys):
    assert run_into(InputError("the image is empty")) == 1
    assert capsys.readouterr().err == "error: the image is empty\n"
    assert run_into(OSError(28, "No space left on device", "maps.h5")) == 1
    assert capsys.readouterr().err == "error: maps.h5: the disk is full\n"


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run_into(ZeroDivisionError())


def test_a_warning_is_one_sentence_without_our_paths(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code = command_line.script(lambda argv: warnings.warn("the sheet wins", stacklevel=1))([])
    logging.getLogger().handlers.clear()
    assert (code, capsys.readouterr().err) == (0, "warning: the sheet wins\n")


@pytest.mark.parametrize("option", ["--settings", "--inference"])
@pytest.mark.parametrize("text", ["{", "[1]", "@nowhere.json"])
def test_sections_that_cannot_be_read_are_refused_with_their_option(option, text):
    arguments = command_line.parser("A script.")
    command_line.add_settings(arguments, "evaluation", inference=InferenceSettings)
    with pytest.raises(InputError, match=option):
        arguments.parse_args([option, text])


def test_the_first_word_of_a_script_names_what_it_does(tmp_path, monkeypatch, said, capsys):
    (tmp_path / "made_kind.py").write_text(
        '"""Double a number."""\nfrom atomsight.files import provenance\n'
        "def add_arguments(parser):\n    parser.add_argument('number', type=int)\n"
        "def run(given):\n    print(2 * given.number, provenance.notes().get('made_by'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    kinds = {"double": "made_kind", "other": "no_such_module"}
    main = functools.partial(command_line.run_kind, "Do something.", kinds)
    with provenance.noting("maths.py", []):
        main(["double", "21"])
    assert capsys.readouterr().out == "42 maths.py double\n"
    assert "Double a number." in said(main, "double", "--help")
    assert "{double,other}" in said(main, "--help")
