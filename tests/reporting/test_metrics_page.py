"""The page of metrics: what it says of made-up tables, and of the paper."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from made_models import ATOM_CARD, COLUMN_CARD, ranges
from made_scores import grid, with_ends

import summarise_metrics
from atomsight import materials
from atomsight.errors import InputError
from atomsight.learning import models
from atomsight.reporting import documents, metrics_page, paper_claims
from atomsight.reporting import figures_in_words as words
from atomsight.reporting.documents import Bullets, Heading, Paragraph, Table
from atomsight.reporting.evaluated_models import EvaluatedModel

DOSES = [100.0, 316.2, 1000.0, 3162.3, 10000.0, 100000.0]
TRAINED = (100.0, 20000.0)
CAMERAS = ("ideal", "direct")


def evaluation():
    columns = {"dose_e_per_A2": DOSES}
    for name in ("precision", "recall", "f1"):
        columns |= with_ends(name, [0.5, 0.92, 0.991, 0.995, 0.997, 0.5])
    columns |= {
        "rms_error_A": [0.2, 0.15, 0.101, 0.06, 0.045, 0.02],
        "bound_A": [np.inf, 0.37, 0.209, 0.117, 0.066, 0.021],
        "in_range": [True] * 5 + [False],
        "camera": "main",
        "peaks_precision": 0.8,
        "peaks_recall": 0.7,
        "peaks_f1": 0.75,
        "peaks_rms_error_A": 0.13,
    }
    columns |= with_ends("recall_boundary", [0.4, 0.8, 0.95, 0.98, 0.99, 0.4])
    return pd.DataFrame(columns)


def conditions():
    table = grid(condition=["defocus"], value=[-200, -83, 0], dose_e_per_A2=[1000, 10000])
    f1 = [0.6, 0.7, 0.98, 0.99, 0.2, 0.3]
    return table.assign(unit="Å", f1=f1, peaks_f1=0.5, in_range=table["value"] < 0)


def settings():
    table = grid(setting=range(4), dose_e_per_A2=[316, 3162])
    f1 = [0.9, 0.995, 0.8, 0.98, 0.9, 0.992, 0.1, 0.2]
    resolves = table["setting"] < 3
    return table.assign(f1=f1, peaks_f1=0.4, in_range=True, resolves_bond=resolves)


def strain():
    specimens, methods = ["pristine", "strained"], ["network", "peaks"]
    table = grid(specimen=specimens, dose_e_per_A2=[1000, 10000], method=methods)
    known = {"in_range": True, "bond_mean_A": 1.42, "bond_bound_A": 0.03, "planar_bound": 0.0101}
    known |= {"strained_atoms": 2700}
    known |= with_ends("bond_std_A", np.linspace(0.051, 0.058, 8))
    known |= with_ends("planar_rms", np.linspace(0.011, 0.018, 8), 0.001)
    return table.assign(**known)


def by_camera(table, camera="main"):
    """A table of one camera; the doses alone say whether the model was trained on its images."""
    return table.assign(camera=camera, in_range=table["dose_e_per_A2"].between(*TRAINED))


def columns():
    table = grid(zone_axis=[110, 111], tilt_deg=[0, 3.5], dose_e_per_A2=DOSES[:4])
    f1 = [0.9, 0.991, 0.992, 0.993] * 3 + [0.5, 0.6, 0.7, 0.8]
    known = {"columns": 100, "rms_error_pm": 5.25, "classical_f1": 0.876}
    return by_camera(table.assign(f1=f1, classical_rms_error_pm=4.5, **known))


def background():
    table = pd.DataFrame({"background": ["vacuum", "amorphous"], "dose_e_per_A2": 1000.0})
    return table.assign(per_nm2=[0.0, 0.02], per_nm2_low=[0, 0.01], per_nm2_high=[0.009, 0.05])


def heights_summary():
    methods = ["network", "intensity_mixture", "column_library"]
    table = grid(method=methods, tilt_high_deg=[0.5, 3.0], dose_e_per_A2=[300.0, 3000.0, 30000.0])
    exact = np.array([0.75, 0.85, 1.0, 0.6, 0.7, 0.8] + [0.3] * 6 + [0.7] * 6)
    wrong = {"off_by_1": 0.96, "off_by_2": 0.03, "off_by_3plus": 0.01}
    table = table.assign(**{name: share * (1 - exact) for name, share in wrong.items()})
    table["within_one"] = exact + table["off_by_1"]
    table = table.assign(exact_1_6=0.9, mean_error=-0.03, **with_ends("exact", exact))
    return by_camera(table.assign(columns=1000, tilt_low_deg=0))


def heights_displacements():
    table = grid(thermal_displacement_A=[0.07, 0.11], static_displacement_A=[0, 0.05])
    known = with_ends("exact", [0.5, 0.75, 0.6, 0.55], 0.04) | with_ends("exact_1_6", 0.8, 0.05)
    known |= with_ends("mean_error", [0.5, 0.05, -0.4, -0.45], 0.06)
    return table.assign(dose_e_per_A2=30000.0, tilt_high_deg=0.5, columns=440, **known)


def species_summary():
    table = pd.DataFrame({"dose_e_per_A2": [100.0, 1000.0, 10000.0], "frames": 3, "sites": 500})
    known = with_ends("accuracy", [0.7, 0.995, 1.0], 0.005)
    known |= {"missed": 2, "invented": 1, "calibration_error": 0.012, "f1_S": 0.91}
    return by_camera(table.assign(**known))


CARDS = {
    "graphene": ATOM_CARD,
    "gold": COLUMN_CARD,
    "gold_heights": COLUMN_CARD.but(class_names=("background", "1", "2", "3")),
    "mos2": ATOM_CARD.but(material="mos2", class_names=("background", "Mo", "S2", "S")),
}


def made(*tables):
    return {table.__name__: table() for table in tables}


TABLES = {
    "graphene": made(evaluation, conditions, settings, strain),
    "gold": made(columns, background),
    "gold_heights": made(heights_summary, heights_displacements),
    "mos2": made(species_summary),
}


def model(name, **tables):
    card = CARDS[name]
    finds = materials.purpose(card.material, card.class_names)
    specimens = materials.material(card.material).IN_WORDS
    return EvaluatedModel(name, finds, specimens, TRAINED, TABLES[name] | tables)


def text(*chosen):
    return documents.to_markdown(metrics_page.page(chosen, paper_claims.read_claims()))


@pytest.fixture(scope="module")
def whole():
    return text(*map(model, CARDS))


def test_the_page_begins_with_one_line_of_trust_for_every_model(whole):
    title, bullets = whole.split("\n\n")[:2]
    assert title == "# How far the models can be trusted"
    assert "Everything here was measured on simulated images" in whole
    lines = bullets.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"- {name}" for name in CARDS]
    assert "from 1 000 e/Å² on" in lines[0]
    assert "0.991 (0.981–1.001)" in lines[0]
    assert "of 4 microscopes drawn at random 3 resolve a bond, and 67 % of these" in lines[0]
    assert "along ⟨110⟩ from 316 e/Å² on at tilts up to 3.5°" in lines[1]
    assert "along ⟨111⟩ from 316 e/Å² on at tilts up to 0°" in lines[1]
    assert "at tilts ≤ 0.5° from 300 e/Å² on, and exactly right in 85.0 % at best" in lines[2]
    assert "trust the species from 1 000 e/Å² on" in lines[3]


def test_a_dose_counts_only_if_all_higher_ones_are_good_too():
    doses = np.array([10.0, 100.0, 1000.0, 10000.0])
    shares = np.array([0.995, 0.9, 0.99, 0.999])
    trained = np.ones(4, bool)
    assert metrics_page.trusted_from(doses, shares, trained) == 1000
    assert metrics_page.trusted_from(doses[::-1], shares[::-1], trained) == 1000
    assert metrics_page.trusted_from(doses, shares[[0, 1, 2, 1]], trained) is None
    # What it was not trained on tells nothing.
    within = np.array([True, True, True, False])
    assert metrics_page.trusted_from(doses, shares[[0, 1, 2, 1]], within) == 1000
    assert metrics_page.trusted_from(doses, shares, ~trained) is None


def test_a_model_that_is_never_good_enough_is_told_so():
    poor = model("graphene", evaluation=evaluation().assign(f1=0.8))
    first = text(poor).splitlines()[2]
    assert "never stays at 0.99; 0.800 at best" in first
    assert "trust" not in first


def test_an_axis_along_which_nothing_can_be_trusted_is_told():
    first = text(model("gold", columns=columns().assign(f1=0.8))).splitlines()[2]
    assert "along ⟨110⟩ nowhere (0.800 at best, at 100 e/Å²)" in first


def test_rows_outside_the_training_are_marked(whole):
    marked = [line for line in whole.splitlines() if line.startswith("| 100 000 †")]
    assert len(marked) == 2
    assert not any(line.startswith("| 10 000 †") for line in whole.splitlines())
    # A model whose tables know no more than the dose.
    line = next(line for line in whole.splitlines() if re.match("[|] ≤ 0.5° +[|] network", line))
    assert [cell.endswith("†") for cell in re.split(" *[|] *", line)[3:6]] == [False, False, True]


def test_conditions_tell_the_worst_within_and_beyond_the_training(whole):
    lines = [" ".join(line.split()) for line in whole.splitlines()]
    (line,) = [line for line in lines if line.startswith("| defocus | -200 to 0 Å | 1 000 |")]
    assert "0.600 at -200 Å" in line
    assert "0.200 at 0 Å" in line


def test_every_claim_has_a_row_with_ours_the_papers_bound_and_classical(whole):
    page = re.sub(" +", " ", whole.split("## Beside the paper")[1])
    rows = re.findall(r"^\| (?!quantity|-)", page, re.MULTILINE)
    assert len(rows) == len(paper_claims.read_claims())
    for row in (
        "bond length | 10 000 | – | graphene | 1.420 ± 0.053 (0.043–0.063) Å | 1.42 ± 0.18 Å",
        "1.420 ± 0.053 (0.043–0.063) Å | 1.42 ± 0.18 Å, at a dose not known here | ± 0.030 Å",
        "recall | 100 | – | graphene | 0.500 (0.490–0.510) | not given as a number",
        "error of planar strain, rms | 1 000 | – | graphene | 1.50 % (1.40–1.60) at 2700 atoms",
        "1.50 % (1.40–1.60) at 2700 atoms | not given as a number | 1.01 %",
        "counted exactly | 30 000 † | ≤ 0.5° | gold_heights | 100.0 % (99.6–100.0) | 100 %",
        "100 %, on an aligned particle | – | mixture 30.0 %, library 70.0 %",
        "columns wrong by 1 | 300 | ≤ 3° | gold_heights | 38.4 % (35.4–41.5)",
    ):
        assert row in page


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (heights_summary().assign(exact=1.0, off_by_1=0.0), "no wrong count"),
        (heights_summary().query("dose_e_per_A2 != 300"), "not measured"),
    ],
)
def test_what_was_not_counted_is_not_made_up(table, said):
    claim = paper_claims.read_claims().query("quantity == 'errors_by_one'").iloc[0]
    (answer,) = paper_claims.answers(claim, [model("gold_heights", heights_summary=table)])
    assert (answer.ours, answer.classical) == (said, "–")


def test_a_model_that_finds_nothing_has_a_page_without_nan():
    nothing = evaluation().assign(precision=0.0, recall=0.0, f1=0.0, rms_error_A=np.nan)
    blind = strain().assign(bond_mean_A=np.nan, bond_std_A=np.nan, planar_rms=np.nan)
    no_columns = columns().assign(f1=np.nan, rms_error_pm=np.nan)
    no_counts = heights_summary().assign(exact_1_6=np.nan, mean_error=np.nan)
    poor = model("graphene", evaluation=nothing, strain=blind)
    heights = model("gold_heights", heights_summary=no_counts)
    page = text(poor, model("gold", columns=no_columns), heights)
    assert "– / –" in page
    assert not re.search(r"\bnan\b", page)
    assert "no bonds" in page


def test_what_is_not_measured_is_called_so():
    bare = {"evaluation": evaluation()[2:4]}
    page = text(EvaluatedModel("graphene", "atoms", "graphene", TRAINED, bare))
    for name, said in (("bond length", "not measured"), ("columns wrong by 1", "no such model")):
        rows = [line for line in page.splitlines() if line.startswith(f"| {name} ")]
        assert rows
        assert all(said in row for row in rows)
    assert "microscopes drawn" not in page


def test_the_papers_figures_are_those_its_text_gives():
    """No number of a curve is made up."""
    claims = paper_claims.read_claims()
    known = claims[~claims["figure"].str.contains("not given as a number")]
    counted = {"counted_exactly", "off_by_1", "off_by_2", "off_by_3plus"}
    assert set(known["quantity"]) == {"bond_length"} | counted
    assert {re.match(r"§|Fig", where)[0] for where in claims["where"]} == {"§", "Fig"}
    assert set(claims["quantity"]) == set(paper_claims.QUANTITIES)


@pytest.mark.parametrize(
    ("columns", "row", "sentence"),
    [
        (["where", "quantity"], "§1\trecall", "the column dose_e_per_A2 is missing"),
        (paper_claims.COLUMNS, "§1\tspeed\t1\t\t1\tfast", "row 1: the quantity 'speed'"),
    ],
)
def test_claims_that_cannot_be_read_are_refused(tmp_path, columns, row, sentence):
    path = tmp_path / "claims.tsv"
    path.write_text("\t".join(columns) + "\n" + row)
    with pytest.raises(InputError, match=sentence):
        paper_claims.read_claims(path)


def test_figures_are_rounded_to_what_they_are_worth():
    assert words.dose(31622.8) == "31 600"
    assert words.dose(17.78) == "17.8"
    assert words.dose(1e5) == "100 000"
    assert words.share(0.99149) == "0.991"
    assert words.percent(0.846, 0.825, 0.865) == "84.6 % (82.5–86.5)"
    assert words.picometres(0.0342) == "3.4 pm"
    assert words.picometres(float("inf")) == "no bound"
    assert words.share(float("nan")) == "–"


def test_markdown_is_aligned_and_html_is_escaped():
    numbers = Table(("dose", "F1 | R"), (("1 000", "0.9"), ("30", "0.991")))
    blocks = [Heading("Title", 1), Paragraph("a < b"), Bullets(("one", "two")), numbers]
    table = documents.to_markdown(blocks).split("\n\n")[3].strip().splitlines()
    assert len({len(line) for line in table}) == 1
    assert table[1] == "| ----- | ------- |"
    assert table[0] == "| dose  | F1 \\| R |"
    page = documents.to_html(blocks)
    assert "<title>Title</title>" in page
    assert "a &lt; b" in page
    assert "<td>0.991</td>" in page
    assert "http" not in page


def save(folder, name, tables):
    """Write the card of a model and its tables."""
    made, place = folder / "models" / name, folder / "tables" / name
    made.mkdir(parents=True)
    place.mkdir(parents=True)
    card = CARDS[name].but(name=name, microscope=ranges(dose_e_per_A2=TRAINED))
    (made / models.CARD).write_text(json.dumps(card.model_dump()))
    (made / models.WEIGHTS).touch()
    for table, values in tables.items():
        values.to_csv(place / f"{table}.csv", index=False)
    return ["--model", str(made), str(place)]


def test_the_script_writes_the_page_twice_in_one_order(tmp_path, whole):
    arguments = [part for name in reversed(CARDS) for part in save(tmp_path, name, TABLES[name])]
    page, html = tmp_path / "summary.md", tmp_path / "summary.html"
    assert summarise_metrics.main([str(page), *arguments, "--html", str(html)]) == 0
    assert page.read_text(encoding="utf-8") == whole
    assert html.read_text(encoding="utf-8").count("<table>") == whole.count("\n| -")


def test_counts_are_shown_against_the_displacements_of_the_atoms(whole):
    start = whole.index("Against the displacements of the atoms")
    said, lines = whole[start:].split("\n\n")[:2]
    assert "at 30 000 e/Å² and tilts ≤ 0.5°" in " ".join(said.split())
    cells = "0.07 Å | 0 Å | 440 | 50.0 % (46.0–54.0) | 80.0 % (75.0–85.0) | +0.50 (+0.44 to +0.56)"
    assert cells in re.sub(" +", " ", lines)
    assert lines.count("\n| 0.") == 4


@pytest.mark.parametrize(
    ("name", "first", "score", "shown", "rows"),
    [
        ("graphene", evaluation, "f1", "0.123", 2),
        ("gold", columns, "f1", "0.123", 1),
        ("gold_heights", heights_summary, "exact", "12.3 % /", 1),
        ("mos2", species_summary, "accuracy", "0.123", 2),
    ],
)
def test_other_cameras_stand_apart_and_do_not_change_what_is_trusted(
    tmp_path, whole, name, first, score, shown, rows
):
    """Of two images by an ideal camera, on which no model was trained."""
    ideal = first()[1:3].assign(camera="ideal", in_range=False, **{score: 0.123})
    given = {name: TABLES[name] | {first.__name__: pd.concat([ideal, first()])}}
    page = tmp_path / "summary.md"
    arguments = [
        part for model in CARDS for part in save(tmp_path, model, given.get(model, TABLES[model]))
    ]
    assert summarise_metrics.main([str(page), *arguments]) == 0
    said = page.read_text(encoding="utf-8")
    start = said.index("The same electrons on other cameras")
    sentence, added = said[start:].split("\n\n")[:2]
    assert added.count("| ideal ") == rows
    assert added.count("†") == 2
    assert added.count(shown) == 2
    assert said.replace(f"{sentence}\n\n{added}\n\n", "") == whole


def test_cameras_share_the_columns_of_their_doses_whatever_was_trained():
    alike = columns().query("zone_axis == 110 and tilt_deg == 0")[:1]
    ideal, direct = (alike.assign(camera=name, in_range=name == "direct") for name in CAMERAS)
    page = text(model("gold", cameras=pd.concat([ideal, direct])))
    added = re.sub(" +", " ", page[page.index("The same electrons on other cameras") :])
    header, _, *lines = added.split("\n\n")[1].splitlines()
    assert header == "| camera | zone axis | tilt | 100 e/Å² |"
    assert lines == [
        "| ideal | ⟨110⟩ | 0° | 0.900 (0.876) † |",
        "| direct | ⟨110⟩ | 0° | 0.900 (0.876) |",
    ]


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({}, "evaluation.csv: this table of the model graphene is missing"),
        ({"evaluation": evaluation().drop(columns="f1")}, "the column 'f1' is missing"),
        ({"evaluation": evaluation()[:0]}, "the table has no rows"),
    ],
)
def test_tables_that_are_missing_are_named_and_nothing_is_written(
    tmp_path, capsys, tables, sentence
):
    page = tmp_path / "summary.md"
    assert summarise_metrics.main([str(page), *save(tmp_path, "graphene", tables)]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not page.exists()
