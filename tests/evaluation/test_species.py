"""The evaluation of species in simulated monolayers."""

import numpy as np
import pandas as pd
from made_inputs import READ_ONCE, run, settings
from made_models import ATOM_CARD, for_series, save_tiny_model
from numpy.testing import assert_allclose

from atomsight.config.evaluation import SpeciesEvaluationSettings
from atomsight.evaluation import species
from atomsight.evaluation.species import SpeciesReader
from atomsight.materials import mos2

CAMERA = {"rows": 96, "columns": 128, "pixel_size_A": 0.125, "gain": 1, "offset": 0, "mtf": None}
SHEET = {"size_A": [36, 36], "grain_count": 1, "hole_radius_A": 4}
SMALL = {
    "sheets": 2,
    "doses_e_per_A2": [300, 30000],
    "cameras": {},
    "monolayer": SHEET,
    "acquisition": CAMERA,
}
STEPS_A = (-70.0, 0.0, 70.0)
NOTHING = pd.DataFrame({"x_A": [], "y_A": [], "class": [], "p_class": []})


def load(section):
    return SpeciesEvaluationSettings.parse(section, "species_evaluation")


def test_every_model_gets_its_images_of_the_same_sheets_at_the_same_total_dose():
    seen = []

    def read(images):
        seen.append(images)
        return NOTHING

    readers = [SpeciesReader("series", STEPS_A, read), SpeciesReader("single", (0.0,), read)]
    chosen = load(SMALL)
    pairs = species.evaluate(chosen, mos2.HONEYCOMB, readers)
    assert [len(images) for images in seen] == [3, 3, 1, 1] * 2
    pixels = 96 * 128 * chosen.acquisition.pixel_size_A**2
    electrons = np.array([images.sum() / pixels for images in seen])
    assert_allclose(electrons, [300, 30000] * 4, rtol=0.03)
    assert (pairs["found_class"] == "missed").all()
    numbers = pairs.groupby(["sheet", "model", "dose_e_per_A2"]).size().unstack("sheet")
    assert (numbers.nunique() == 1).all()
    # The one image is the middle one of the three, and all the sheets differ.
    series, single = seen[1].astype(float), seen[3].astype(float)
    likeness = [np.corrcoef(image.ravel(), single.ravel())[0, 1] for image in series]
    assert likeness[1] > max(likeness[0], likeness[2])
    assert likeness[1] > 0.5
    other = np.corrcoef(seen[7].ravel(), single.ravel())[0, 1]
    assert abs(other) < 0.5


def test_other_cameras_see_the_same_electrons_at_their_doses():
    seen = []

    def read(images):
        seen.append(images)
        return NOTHING

    cameras = {"cameras": {"blurred": {}}, "camera_doses_e_per_A2": [30000]}
    chosen = load(SMALL | cameras | {"sheets": 1})
    pairs = species.evaluate(chosen, mos2.HONEYCOMB, [SpeciesReader("series", STEPS_A, read)])
    assert pairs["camera"].unique().tolist() == ["main", "blurred"]
    _, ideal, blurred = (images.astype(float) for images in seen)
    assert_allclose(blurred.mean(axis=(1, 2)), ideal.mean(axis=(1, 2)), rtol=2e-3)
    for one, other in zip(ideal, blurred, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.5
        assert other.std() < one.std()


def test_sites_lie_on_the_bright_spots():
    """Reading the brightest pixels near the true sites finds nearly all of them."""
    from skimage.feature import peak_local_max

    def read(images):
        peaks = peak_local_max(images[0], min_distance=6, threshold_rel=0.3)
        found = pd.DataFrame(peaks[:, ::-1] * 0.125, columns=["x_A", "y_A"])
        return found.assign(**{"class": "S2", "p_class": 0.5})

    chosen = load(SMALL | {"doses_e_per_A2": [1e5], "sheets": 1})
    pairs = species.evaluate(chosen, mos2.HONEYCOMB, [SpeciesReader("peaks", (0.0,), read)])
    (row,) = species.summarise(pairs, mos2.HONEYCOMB.class_names).to_dict("records")
    assert row["missed"] < 0.1 * row["sites"]
    assert row["recall_Mo"] == 0
    assert row["recall_S2"] > 0.9
    assert row["position_error_pm"] < 20


def made_pairs(model, frames, dose, answers):
    true, found = zip(*answers, strict=True)
    pairs = pd.DataFrame({"true_class": true, "found_class": found, "region": "bulk"})
    pairs["p_class"] = np.where(pairs["found_class"] == "missed", np.nan, 0.9)
    pairs = pairs.assign(x_error_A=np.nan, y_error_A=np.nan, sheet=0)
    return pairs.assign(model=model, frames=frames, camera="main", dose_e_per_A2=dose)


def test_the_summary_has_a_row_for_every_model_and_dose():
    good = [("Mo", "Mo")] * 5 + [("S2", "S2")] * 4 + [("S", "S")]
    poor = [*good[:-1], ("S", "S2"), ("Mo", "missed"), ("none", "S")]
    made = [("mos2", 3, 1000, poor), ("mos2", 3, 10000, good), ("mos2_single", 1, 10000, poor)]
    pairs = pd.concat([made_pairs(*one) for one in made])
    table = species.summarise(pairs, mos2.HONEYCOMB.class_names)
    start = "model frames camera dose_e_per_A2 sites accuracy accuracy_low accuracy_high missed"
    assert table.columns[:9].tolist() == start.split()
    assert table["model"].tolist() == ["mos2", "mos2", "mos2_single"]
    assert_allclose(table["accuracy"], [9 / 11, 1, 9 / 11])
    assert table["invented"].tolist() == [1, 0, 1]
    assert_allclose(table["f1_S"], [0, 1, 0])
    assert_allclose(table["precision_S2"], [4 / 5, 1, 4 / 5])
    assert_allclose(table["recall_Mo"], [5 / 6, 1, 5 / 6])
    assert_allclose(table["calibration_error"], [0, 0.1, 0], atol=1e-9)
    assert_allclose(table["accuracy_bulk"], table["accuracy"])
    counts = species.confusion(pairs)
    expected = [*species.SETTING, "true_class", "found_class", "columns"]
    assert counts.columns.tolist() == expected
    assert counts["columns"].sum() == len(pairs)


def test_the_script_evaluates_models_of_three_images_and_of_one(tmp_path):
    for name, steps_A in (("mos2", STEPS_A), ("mos2_single", (0.0,))):
        card = for_series(ATOM_CARD, steps_A, ("Mo", "S2", "S"), name=name, material="mos2")
        save_tiny_model(tmp_path / name, card)
    line = f"evaluate species mos2 mos2_single summary.csv confusion.csv {READ_ONCE}"
    assert run(f"{line} {settings(**SMALL)}", tmp_path) == 0
    summary, counts = (pd.read_csv(tmp_path / name) for name in ("summary.csv", "confusion.csv"))
    assert summary["model"].tolist() == ["mos2"] * 2 + ["mos2_single"] * 2
    assert summary["frames"].tolist() == [3, 3, 1, 1]
    by = ["model", "dose_e_per_A2"]
    true = counts[counts["true_class"] != "none"].groupby(by)["columns"].sum()
    assert_allclose(true, summary.set_index(by)["sites"].sort_index())
