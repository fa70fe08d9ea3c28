"""The switch ``shipped_models``: a model that ships is taken instead of being trained."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from made_models import ATOM_CARD, COLUMN_CARD, save_tiny_model

from atomsight.learning import models
from atomsight.learning.network import build_network

ROOT = Path(__file__).resolve().parents[2]
HEADER = "series\tpath\tmodel\tpixel_size_A\tdose_e_per_A2\tfocus_A\n"
TINY = ROOT / "tests" / "pipeline" / "config.yaml"

pytestmark = pytest.mark.slow


def dry_run(folder, *arguments):
    """Output of a dry run, and whether it succeeded."""
    result = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--dry-run"),
            *("--configfile", TINY, "--directory", folder, "--cores", "2", *arguments),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    return result.stdout + result.stderr, result.returncode == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder that has models of its own: two of the configuration, two that it lacks."""
    folder = tmp_path_factory.mktemp("workflow")
    microscope = {"defocus_A": [-95, -70], "pixel_size_A": [0.05, 0.07]}
    atoms = replace(ATOM_CARD, pixel_size_A=(0.05, 0.07), microscope=microscope)
    save_tiny_model(folder / "data/models/graphene", replace(atoms, name="graphene"))
    save_tiny_model(folder / "data/models/lean", replace(atoms, name="lean"))
    gold = folder / "data/models/platinum"
    save_tiny_model(gold, replace(COLUMN_CARD, name="platinum", microscope=microscope))
    (gold / "detection_errors.csv").write_text("dose_e_per_A2\n")
    steps = microscope | {"focal_series": {"steps_A": [-130, 0, 130]}}
    card = replace(ATOM_CARD, name="mos2", material="mos2", frames=3, microscope=steps)
    models.save(folder / "data/models/mos2", build_network(2, 3, 2), card, pd.DataFrame())
    tifffile.imwrite(folder / "image.tif", np.zeros((64, 64), "uint16"))
    (folder / "sheet.tsv").write_text(
        f"{HEADER}mine\timage.tif\tgraphene\t0.06\n"
        "lean\timage.tif\tlean\t0.06\n"
        "particle\timage.tif\tplatinum\t0.12\t300\n"
    )
    return folder


SHEET = ("--config", "series=sheet.tsv")
SHIPPED = (*SHEET, "shipped_models=true")


def test_without_the_switch_the_model_is_trained(folder):
    said, succeeded = dry_run(folder, "results/series/mine/strain.png", *SHEET)
    assert succeeded, said
    assert "rule train_network" in said
    assert "results/models/graphene/model/model.json" in said


def test_with_it_nothing_is_trained_and_the_card_is_used(folder):
    said, succeeded = dry_run(folder, "results/series/mine/strain.png", "-p", *SHIPPED)
    assert succeeded, said
    for rule in ("train_network", "simulate_waves", "make_structures"):
        assert rule not in said
    assert "data/models/graphene/network.weights.h5" in said
    assert '"model_pixel_size_A": [0.05, 0.07]' in said


def test_a_model_that_does_not_ship_is_trained_all_the_same(folder):
    (folder / "other.tsv").write_text(f"{HEADER}mine\timage.tif\tmos2_single\t0.15\n")
    arguments = ("--config", "series=other.tsv", "shipped_models=true")
    said, succeeded = dry_run(folder, "results/series/mine/atoms.csv", *arguments)
    assert succeeded, said
    assert "results/models/mos2_single/model/model.json" in said


def test_a_model_without_a_section_ships_without_the_switch(folder):
    said, succeeded = dry_run(folder, "results/series/lean/strain.png", *SHEET)
    assert succeeded, said
    assert "train_network" not in said
    assert "data/models/lean/model.json" in said


def test_the_focus_that_the_card_has_learned_is_checked(folder):
    """The steps of the model mos2 of the configuration are not those of the one that ships."""
    row = "mine\timage.tif\tmos2\t0.15\t1000\t-153,-83,-13"
    (folder / "focus.tsv").write_text(f"{HEADER}{row}\n")
    target, sheet = "results/series/mine/atoms.csv", ("--config", "series=focus.tsv")
    said, succeeded = dry_run(folder, target, *sheet)
    assert succeeded, said
    said, succeeded = dry_run(folder, target, *sheet, "shipped_models=true")
    assert not succeeded
    assert "is not in the steps that the model mos2 has learned, -212.5,-82.5,47.5 Å" in said
    assert "Traceback" not in said


def test_hop_rates_use_the_detection_errors_that_ship(folder):
    said, succeeded = dry_run(folder, "results/series/particle/sites.csv", *SHIPPED)
    assert succeeded, said
    assert "data/models/platinum/detection_errors.csv" in said
    assert "measure_detection_errors" not in said


def test_a_training_can_still_be_asked_for(folder):
    target = "results/models/graphene/model/model.json"
    said, succeeded = dry_run(folder, target, *SHIPPED)
    assert succeeded, said
    assert "rule train_network" in said


def test_metrics_are_those_of_the_shipped_model(folder):
    said, succeeded = dry_run(folder, "results/metrics/graphene/evaluation.csv", "-p", *SHEET)
    assert succeeded, said
    assert "evaluate.py atoms data/models/graphene results/evaluation/specimen.h5" in said
    assert "train_network" not in said
    said, succeeded = dry_run(folder, "results/models/graphene/evaluation.csv", "-p", *SHEET)
    assert succeeded, said
    assert "evaluate.py atoms results/models/graphene/model" in said


def test_metrics_of_what_does_not_ship_are_refused_in_one_sentence(folder):
    said, succeeded = dry_run(folder, "results/metrics/mos2_single/species_summary.csv", *SHEET)
    assert not succeeded
    assert "no model ships under this name, there is no folder data/models/mos2_single" in said


def test_a_broken_card_stops_the_run_in_one_sentence(folder):
    card = folder / "data/models/lean/model.json"
    whole = card.read_text()
    card.write_text(whole.replace('"features": 2', '"features": 1000000000'))
    said, succeeded = dry_run(folder, "results/series/lean/strain.png", *SHEET)
    card.write_text(whole)
    assert not succeeded
    assert "features must be a whole number from 1 to 128" in said
    assert "Traceback" not in said
