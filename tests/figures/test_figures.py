"""What every figure keeps to: its entry, its command line, the same bytes again."""

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import made_columns
import made_files
import made_recordings
import made_scores
import made_sites
import pages
import pytest
from made_particles import particle
from PIL import Image

import plot
from atomsight.figures import FIGURES
from atomsight.figures.parts import entry, style
from atomsight.files import sealed

PICTURES = [(name, picture) for name, module in FIGURES.items() for picture in module.PICTURES]


def words(name, arguments):
    """The command line of a figure."""
    known = {argument.name: argument for argument in entry.arguments(FIGURES[name].plot)}
    return [word for key, value in arguments.items() for word in known[key].words(value)]


def draw(name, path, arguments, *more):
    return plot.main([name, str(path), *words(name, arguments), *more])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """``made(name, folder)`` gives the arguments of a figure, with files in a folder."""
    kept = {}

    def copy(name, folder):
        if name not in kept:
            first = tmp_path_factory.mktemp(name)
            kept[name] = first, json.dumps(made_files.arguments(name, first))
        first, arguments = kept[name]
        shutil.copytree(first, folder, dirs_exist_ok=True)
        return json.loads(arguments.replace(str(first), str(folder)))

    return copy


@pytest.mark.parametrize("name", FIGURES)
def test_same_files_give_the_same_bytes_and_a_page_with_units(name, made, tmp_path, monkeypatch):
    save = MagicMock(wraps=style.save)
    monkeypatch.setattr(style, "save", save)
    arguments = made(name, tmp_path)
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert draw(name, path, arguments) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    with Image.open(drawn[0]) as written:
        assert written.format == "PNG"
    figure = save.call_args.args[0]
    assert figure.get_size_inches()[0] < 9
    assert re.search(r"Å|\bnm\b|e/Å²|\(pm\)|%|per frame", pages.assert_shows(figure))


@pytest.mark.parametrize("name", FIGURES)
def test_every_argument_of_a_figure_is_in_its_help(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        plot.main([name, "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert FIGURES[name].__doc__.splitlines()[0] in said
    assert f"python plot.py {name}" in said
    for argument in entry.arguments(FIGURES[name].plot):
        assert argument.option in said
        assert argument.meaning


def test_the_script_lists_all_figures(capsys):
    with pytest.raises(SystemExit):
        plot.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name}: " in said for name in FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_caption_is_text_that_is_filled_in(name):
    known = {"strain": {"reference": "relative", "bond_A": None}}
    caption = FIGURES[name].CAPTION.format(
        wildcards=SimpleNamespace(model="mine", series="one"), config=known
    )
    assert len(caption.split()) > 20
    assert "{" not in caption
    assert "None" not in caption


def test_no_target_is_made_twice_and_rules_have_names_of_their_own():
    assert len({picture.path for _, picture in PICTURES}) == len(PICTURES)
    assert len({picture.rule for _, picture in PICTURES}) == len(PICTURES)


@pytest.mark.parametrize(("name", "picture"), PICTURES, ids=[one.rule for _, one in PICTURES])
def test_a_picture_gives_its_figure_the_arguments_that_it_takes(name, picture):
    given = picture.arguments(sheet(), **of_one(picture))
    known = {argument.name: argument for argument in entry.arguments(FIGURES[name].plot)}
    assert given.keys() <= known.keys()
    for argument in known.values():
        files = argument.files(given.get(argument.name))
        assert all(str(path).startswith("results/") for path in files)
        if argument.is_required:
            assert given[argument.name]


def of_one(picture):
    wildcards = re.findall(r"{(\w+)}", picture.path)
    return {name: {"series": "one", "of": "models", "model": "mine"}[name] for name in wildcards}


def sheet():
    """A run in which every figure has something to show."""
    made = MagicMock()
    made.read_by.return_value = ["one", "two"]
    made.comparisons.return_value = {"pair": ("one", "two")}
    made.truth.return_value = ["results/acquisitions/one_truth.h5"]
    made.title.return_value = "Simulated: one"
    made.model.return_value = "mine"
    made.models.sections = {}
    made.configuration = {"image_counts": ["mine"], "seed": 1, "series": "series.tsv"}
    made.models.shards.side_effect = lambda name, kind: [f"results/models/{name}/{kind}/0.h5"]
    images = {"focal_series": {"steps_A": [0, 50]}}
    for material in ("graphene", "nanoparticle", "mos2"):
        made.models.sections[material] = {"material": material, "microscope": images}
    made.models.sections["mine"] = made.models.sections["mos2"]
    made.models.trained.side_effect = lambda kind: list(made.models.sections)
    made.models.facts.side_effect = made.models.sections.get
    return made


def test_a_run_without_anything_to_show_says_what_to_do():
    empty = sheet()
    empty.read_by.return_value = []
    empty.comparisons.return_value = {}
    empty.models.trained.side_effect = lambda kind: []
    empty.configuration["image_counts"] = []
    for _, picture in PICTURES:
        if picture.is_one:
            with pytest.raises(entry.NothingToShow, match=r"take the row|add "):
                picture.arguments(empty)


def test_the_entries_are_read_without_matplotlib_or_keras():
    code = (
        "import sys; from atomsight.figures import FIGURES; from atomsight.figures.parts import"
        " entry; [entry.arguments(module.plot) for module in FIGURES.values()];"
        " print(sorted({'matplotlib', 'keras', 'scipy', 'h5py'} & set(sys.modules)))"
    )
    scripts = str(Path(plot.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": scripts}, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


def to_csv(table):
    return partial(table.to_csv, index=False)


def lacking(table, column):
    """A table without a column, and what is said of it."""
    return to_csv(table.drop(columns=column)), f"'{column}' is missing"


def lacks(column, **named):
    """A file of which a table lacks a column, and what is said of it."""
    ((name, table),) = named.items()
    others = {name: table.drop(columns=column)}
    said = f"the table '{name}' has no column '{column}'"
    return partial(made_recordings.write_tables, attributes={}, **others), said


def attributes(**given):
    def change(path):
        with sealed.change(path) as file:
            file.attrs.update(given)

    return change


def structures(*made):
    return lambda path: made_recordings.write_structures(path.parent, made, {})


DOSES, NO_DOSE = "doses above zero", {"dose_e_per_A2": 0}
ABSENT = "absent: the file does not exist"
SUMMARY, COLUMNS = made_columns.summary(), made_scores.column_scores()
SITES = made_sites.make_series()[0].sites
SPECIES_TRUTH = partial(made_columns.write_truth, columns=made_columns.true_species())
OTHER_MAPS = partial(made_columns.write_maps, maps=made_columns.class_maps()[:50])

#: Figure, argument, how its file is spoilt, what is said. It is absent where that is None, and the
#: file of another argument where it is a name.
SPOILT = [
    *((name, None, None, ABSENT) for name in FIGURES),
    ("strain", "strain", "frames", "not the kind of file"),
    ("strain", "maps", OTHER_MAPS, "not the maps of"),
    ("gold_dynamics", "sites", "frames", "not the kind of file"),
    ("gold_dynamics", "atoms", attributes(frame_shape=(3, 10, 10)), "not the columns of"),
    ("gold_dynamics", "comparison", *lacking(made_sites.comparison(), "rate")),
    ("occupancy", "substrate", "sites", "not the kind of file"),
    ("occupancy", "substrate", attributes(pixel_size_A=0.3), "the substrate of the same series"),
    ("occupancy", "sites", *lacks("occurrence", sites=SITES)),
    ("column_heights", "truth", "frames", "not the kind of file"),
    ("column_heights", "heights", *lacking(made_columns.counted_columns(), "reason")),
    ("column_heights", "truth", SPECIES_TRUTH, "its classes are no numbers of atoms"),
    ("focal_series", "maps", OTHER_MAPS, "not the maps of these images"),
    ("focal_series", "atoms", *lacks("class", atoms=made_columns.found_species())),
    ("rough_particles", "structures", structures(), "there are no structures"),
    ("rough_particles", "structures", structures(particle(1)), "structure 0 has fewer than two"),
    ("random_sheets", "structures", structures(particle()), "is no square sheet of carbon"),
    ("column_performance", "columns", *lacking(COLUMNS, "classical_f1")),
    ("column_performance", "columns", to_csv(COLUMNS[:0]), DOSES),
    ("height_errors", "summary", *lacking(SUMMARY, "off_by_2")),
    ("height_errors", "summary", *lacking(SUMMARY, "method")),
    ("height_errors", "summary", partial(Path.write_text, data=""), "not a table as CSV"),
    ("height_errors", "summary", to_csv(SUMMARY.assign(off_by_2="x")), "'off_by_2' holds text"),
    ("height_errors", "summary", to_csv(SUMMARY.assign(**NO_DOSE)), DOSES),
    ("dose_performance", "evaluation", to_csv(made_scores.dose_scores().assign(**NO_DOSE)), DOSES),
    *(
        (name, argument, *lacking(made(), column))
        for name, (argument, made) in made_files.OF_TABLE.items()
        for column in made().columns.intersection(["f1", "dose_e_per_A2"])
    ),
    ("model_conditions", "conditions", *lacking(made_scores.condition_scores(), "unit")),
]


@pytest.mark.parametrize(("name", "argument", "spoil", "message"), SPOILT)
def test_the_script_says_in_one_sentence_what_is_wrong(
    name, argument, spoil, message, made, tmp_path, capsys
):
    arguments = made(name, tmp_path)
    argument = argument or next(iter(arguments))
    path = first_file(arguments[argument])
    if callable(spoil):
        spoil(Path(path))
    else:
        other = first_file(arguments[spoil]) if spoil else str(tmp_path / "absent")
        text = json.dumps(arguments).replace(json.dumps(path), json.dumps(other))
        arguments[argument] = json.loads(text)[argument]
    assert_refused(draw(name, tmp_path / "out" / "figure.png", arguments), message, capsys)
    assert not (tmp_path / "out").exists()


def first_file(value):
    """The file that an argument is, or the first of several."""
    if isinstance(value, str):
        return value
    return next(iter(value.values() if isinstance(value, dict) else value))


def assert_refused(code, message, capsys):
    said = capsys.readouterr().err
    assert code == 1
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("strain", "--frame 2", "there is no frame 2; they run to 1"),
        ("strain", "--titles three=x", "--titles: there is no series 'three'; given are sheet"),
        ("strain", "--titles sheet", "--titles: 'sheet' is not of the form NAME=VALUE"),
        ("strain", "--maps other=maps.h5", "--maps: there is no series 'other'"),
        ("strain", "--scores sheet=absent.csv", "absent.csv: the file does not exist"),
        ("method", "--frame 3", "there is no frame 3; they run to 2"),
        ("gold_dynamics", "--frame 3", "there is no frame 3; they run to 2"),
        ("gold_dynamics", "--comparison absent.csv", "absent.csv: the file does not exist"),
        ("gold_dynamics", "--sites gas=sites.h5", "the series vacuum has no file; add vacuum="),
        ("training_examples", "--columns 0", "--columns is 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name, more, message, made, tmp_path, capsys):
    arguments = made(name, tmp_path)
    assert_refused(draw(name, tmp_path / "figure.png", arguments, *more.split()), message, capsys)


def test_only_png_is_promised(tmp_path, capsys):
    code = draw("height_errors", tmp_path / "figure.pdf", {"summary": "absent.csv"})
    assert_refused(code, "ends in .png", capsys)
