"""The workflow as a whole, at the smallest size at which every step does its work."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "pipeline" / "config.yaml"
HEADER = "series\tpath\tmodel\tpixel_size_A\tcontrast\n"

pytestmark = pytest.mark.slow


def snakemake(folder, *arguments):
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
            *("--configfile", TINY, "--directory", folder, "--cores", "2", *arguments),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    )


def refused(folder, target, *arguments):
    """What is said of a run that is refused before its first job."""
    result = snakemake(folder, target, "--dry-run", *arguments)
    assert result.returncode == 1
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workflow")
    (folder / "config").mkdir()
    shutil.copy(ROOT / "config" / "series.tsv", folder / "config")
    return folder


@pytest.fixture(scope="module")
def finished(folder):
    result = snakemake(folder, "all")
    assert result.returncode == 0, result.stderr
    return folder


def test_everything_is_made(finished):
    results = finished / "results"
    for name in (
        "graphene_strain.png",
        "figures/fig04_random_sheets.png",
        "figures/fig05_training_examples.png",
        "figures/fig06_dose_performance.png",
        "figures/fig07_graphene_strain.png",
        "figures/fig01_method.png",
        "figures/fig08_rough_particles.png",
        "figures/fig09_column_performance.png",
        "figures/fig10_occurrence_events.png",
        "gold_dynamics.png",
        "models/gold_laptop/columns.csv",
        "models/gold_laptop/background.csv",
        "series/simulated_gold_vacuum/sites.csv",
        "series/simulated_gold_static/dynamics_scores.csv",
        "comparisons/simulated_gold.csv",
        "gold_heights.png",
        "mos2_species.png",
        "figures/fig03_focal_series.png",
        "figures/fig11_column_heights.png",
        "figures/fig12_height_errors.png",
        "models/gold_heights_laptop/heights_summary.csv",
        "models/mos2_laptop/species_summary.csv",
        "series/simulated_gold_heights/heights.csv",
        "series/simulated_gold_heights/class_scores.csv",
        "series/simulated_mos2/class_scores.csv",
        "series/simulated_hbn/species.png",
        "models/hbn_laptop/species_summary.csv",
        "models/graphene_laptop/model/model.json",
        "models/graphene_laptop/evaluation.csv",
        "series/simulated_strained/strain.csv",
        "series/simulated_strained/scores.csv",
    ):
        assert (results / name).stat().st_size > 50, name
    atoms = pd.read_csv(results / "series/simulated_pristine/atoms.csv")
    first = ["frame", "atom", "x_A", "y_A", "class", "p_class", "p_exists"]
    assert list(atoms.columns[:7]) == first


def test_sites_are_where_columns_hop(finished):
    """At the tiny size only that the table is whole: a site, its occurrence and its rates."""
    sites = pd.read_csv(finished / "results/series/simulated_gold_gas/sites.csv")
    assert len(sites) > 5
    assert sites["occurrence"].between(0, 1).all()
    assert (sites["frames_seen"] <= sites["frames_in_view"]).all()
    known = sites[~sites["masked"] & ~sites["faint"]]
    assert (known["hop_rate_low"] <= known["hop_rate_high"]).all()


def test_counts_keep_their_whole_distribution(finished):
    heights = pd.read_csv(finished / "results/series/simulated_gold_heights/heights.csv")
    probabilities = heights[[f"p_{height}" for height in range(1, 13)]]
    assert len(heights)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert (heights["p_height"] == probabilities.max(axis=1)).all()


def test_a_focal_series_without_its_focus_is_refused(finished):
    """One sentence tells which column of the sheet to fill in."""
    sheet = finished / "config" / "unknown_focus.tsv"
    image = finished / "results/acquisitions/simulated_gold_heights.tif"
    sheet.write_text(f"{HEADER}one\t{image}\tgold_heights_laptop\n")
    target = "results/series/one/heights.csv"
    result = snakemake(finished, target, "--config", f"series={sheet}")
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert "fill in the column focus_A, such as -170,-40,90" in said
    assert "Traceback" not in said
    assert not (finished / "results/series/one").exists(), "refused before anything is made"


def test_nothing_is_made_twice(finished):
    again = snakemake(finished, "all", "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_results_tell_of_every_step_back_to_the_seeds(finished):
    with h5py.File(finished / "results/series/simulated_pristine/strain.h5") as file:
        steps = {entry.get("made_by"): entry for entry in json.loads(file.attrs["inputs"])}
    assert {"locate_atoms.py", "map_classes.py", "import_series.py"} <= steps.keys()
    assert {"simulate_waves.py", "simulate.py acquisition"} <= steps.keys()
    assert steps["train_network.py"]["seed"] == steps["make_structures.py"]["seed"] == 2018
    assert steps["make_structures.py"]["settings"]["size_A"] == 28


def test_the_report_holds_figures_captions_scores_and_run_times(finished):
    result = snakemake(finished, "all", "--report", "report.html")
    assert result.returncode == 0, result.stderr
    page = (finished / "report.html").read_text(encoding="utf-8")
    for figure in ("graphene_strain.png", "figures/fig06_dose_performance.png"):
        assert f'"results/{figure}": {{' in page
    assert "From micrographs to strain, one row per series" in page
    assert '"results/scores.html": {' in page
    assert '{"rule": "train_network", "runtime": ' in page
    assert not re.search(r"<(script|link|img)[^>]*https?://", page), "it needs no network"


def test_the_report_of_one_target_tells_how_well_its_series_were_read(finished):
    result = snakemake(finished, "results/graphene_strain.png", "--report", "one.html")
    assert result.returncode == 0, result.stderr
    page = (finished / "one.html").read_text(encoding="utf-8")
    assert '"results/series/simulated_pristine/scores.csv": {' in page
    assert "gold_dynamics.png" not in page


def test_everything_is_made_of_a_sheet_of_ones_own(finished, real_data):
    sheet = finished / "config" / "own.tsv"
    image = real_data / "ulm_graphene_grain_boundary.tif"
    sheet.write_text(f"{HEADER}ulm\t{image}\tgraphene_laptop\t0.108\tdark\n")
    result = snakemake(finished, "series", "--config", f"series={sheet}")
    assert result.returncode == 0, result.stderr
    for name in ("atoms.csv", "strain.csv", "strain.png"):
        assert (finished / "results/series/ulm" / name).is_file()


def test_what_ships_is_read_with_and_never_trained(folder):
    sheet = folder / "config" / "ships.tsv"
    (folder / "image.tif").touch()
    sheet.write_text(f"{HEADER}mine\t../image.tif\tgraphene\t0.1\n")
    result = snakemake(folder, "series", "--dry-run", "-p", "--config", f"series={sheet}")
    assert result.returncode == 0, result.stderr
    said = result.stdout
    assert str(ROOT / "data/models/graphene") in said
    for rule in ("train_network", "simulate_waves", "make_structures"):
        assert rule not in said


def test_without_a_series_of_ones_own_a_sentence_tells_how_to_add_it(folder):
    told = "write a sheet of your own, with a row for each of your series"
    said = refused(folder, "series")
    assert told in said
    assert "Traceback" not in said


def test_metrics_of_what_does_not_ship_are_refused_in_one_sentence(folder):
    said = refused(folder, "results/metrics/mos2_laptop/species_summary.csv")
    assert "no model ships under this name" in said
    assert "Traceback" not in said


def test_a_public_image_is_taken_from_a_local_mirror(finished, real_data, monkeypatch):
    monkeypatch.setenv("ATOMSIGHT_DATA", str(real_data))
    target = "data/images/ulm_graphene_grain_boundary.tif"
    result = snakemake(finished, target)
    assert result.returncode == 0, result.stderr
    original = real_data / "ulm_graphene_grain_boundary.tif"
    assert (finished / target).read_bytes() == original.read_bytes()


def test_particles_have_no_strain_and_sheets_no_sites(folder):
    for target in ("simulated_gold_gas/strain.csv", "simulated_pristine/sites.csv"):
        assert "Traceback" not in refused(folder, f"results/series/{target}")


def test_a_sheet_of_ones_own_needs_no_simulated_rows(folder, real_data):
    sheet = folder / "config" / "only.tsv"
    sheet.write_text(f"{HEADER}ulm\t{real_data / 'ulm_graphene_grain_boundary.tif'}\tgold\t0.1\t\n")
    result = snakemake(folder, "all", "--dry-run", "--config", f"series={sheet}")
    assert result.returncode == 0, result.stderr
    assert "gold_dynamics" in result.stdout
    assert "results/series/ulm/occupancy.png" in result.stdout
    assert "graphene_strain" not in result.stdout


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("seeed=1", "seeed is not a key of the configuration; did you mean seed?"),
        ("seed=-1", "seed: -1 must be at least 0"),
        ("models={mine: }", "models.mine"),
        ("models={graphene_laptop: {material: silicene}}", "silicene"),
        ("series=nowhere.tsv", "the sample sheet does not exist"),
        ("comparisons={mine: [one, two]}", "comparisons.mine: one is not a series of particles"),
    ],
)
def test_a_wrong_configuration_stops_the_run_with_one_sentence(folder, given, sentence):
    said = refused(folder, "all", "--config", given)
    assert sentence in said
    assert "Traceback" not in said


def test_an_unknown_model_is_named(folder):
    sheet = folder / "config" / "unknown.tsv"
    sheet.write_text(f"{HEADER}one\timage.tif\tnone_such\t0.1\t\n")
    said = refused(folder, "all", "--config", f"series={sheet}")
    assert "there is no model none_such" in said
    assert "graphene_laptop" in said, "which there are"
    assert "Traceback" not in said


def test_a_missing_image_is_named_even_if_its_results_are_there(folder):
    sheet = folder / "config" / "missing.tsv"
    sheet.write_text(f"{HEADER}one\tno_image.tif\tgraphene\t0.1\t\n")
    target = Path("results/series/one/atoms.csv")
    for made in ("frames.h5", "maps.h5", "atoms.h5", "atoms.csv"):
        (folder / target.parent).mkdir(parents=True, exist_ok=True)
        (folder / target.parent / made).touch()
    said = refused(folder, target, "--config", f"series={sheet}")
    assert "series one, column path: " in said
    assert "no_image.tif: this file does not exist; correct" in said
    assert "Traceback" not in said
