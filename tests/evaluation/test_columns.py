"""The evaluation of columns against tilt and dose, and of background."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import READ_ONCE, intensity_at, run, settings
from made_models import COLUMN_CARD, ranges, save_tiny_model
from numpy.testing import assert_allclose
from scipy import stats

from atomsight.config.evaluation import BackgroundSettings, ColumnEvaluationSettings
from atomsight.evaluation import background, columns, peaks, scores
from atomsight.phantoms import particles

SMALL = {
    "particles": 1,
    "tilts_deg": [0, 4],
    "doses_e_per_A2": [300, 10000],
    "cameras": {},
    "particle": {"atoms": [120, 160], "displacement_A": 0},
}


def load(section):
    return ColumnEvaluationSettings.parse(section, "column_evaluation")


def image(axis, tilt_deg=0.0, **changes):
    chosen = load(SMALL)
    specimen = chosen.particle.but(zone_axis=axis, tilt_deg=(tilt_deg,) * 2)
    particle = particles.make_particle(specimen, np.random.default_rng(5))
    optics = chosen.acquisition.exposure(**changes)
    return columns.image_particle(particle, specimen, optics, np.random.default_rng(6))


def strong_peaks(counts):
    """A finder that needs no network."""
    found = peaks.find_peaks(counts, 0.125, peaks.Filter("laplacian", 0.6))
    return found.above(0.25 * found.heights.max())


@pytest.mark.parametrize("axis", ["110", "111"])
def test_columns_are_bright_where_the_truth_says_and_nearly_all_are_peaks(axis):
    shown = image(axis)
    true = shown.columns[["x_A", "y_A"]].to_numpy()
    assert intensity_at(shown.intensity, true, 0.125).min() > 1.1
    assert_allclose(np.median(shown.intensity[:8]), 1, atol=0.02)
    optics = shown.optics.but(dose_e_per_A2=1e5, gain=1.0)
    counts = columns.acquisition.expose(shown.intensity, optics).astype(float)
    candidates = {one: peaks.find_peaks(counts, 0.125, one) for one in peaks.FILTERS}
    best = peaks.find_best([candidates], [true], 0.6)
    found = scores.detection_scores(best.found[0], true, optics.field_of_view_A, radius_A=0.6)
    assert found.recall > 0.99
    assert found.precision > 0.99
    assert found.rms_error_A < 0.05


def test_an_image_is_just_large_enough():
    shown = image("110")
    assert shown.intensity.shape[0] % 8 == shown.intensity.shape[1] % 8 == 0
    true = shown.columns[["x_A", "y_A"]].to_numpy()
    rim = np.minimum(true, np.array(shown.optics.field_of_view_A) - true).min(axis=0)
    assert (rim > 5.4).all()
    assert (rim < 7).all()


def test_counts_of_one_image():
    true = pd.DataFrame({"x_A": [5, 9, 5, 9.0], "y_A": [5, 5, 9, 9.0], "atoms": [1, 2, 3, 7]})
    found = np.array([[5.3, 5], [9, 9.4], [5, 9], [12, 12]])
    counts = columns.count_matches(found, true, (15.0, 15.0), 0.6)
    assert (counts["true_positives"], counts["false_positives"]) == (3, 1)
    assert counts["false_negatives"] == 1
    assert_allclose(counts["squared_error_A2"], (0.3**2 + 0.4**2) / 2)
    assert [counts[f"found_{k}"] for k in ("1", "2", "3plus")] == [1, 0, 2]
    assert [counts[f"columns_{k}"] for k in ("1", "2", "3plus")] == [1, 1, 2]


def test_every_setting_is_measured_and_the_summary_pools_the_tilts():
    chosen = load(SMALL | {"zone_axes": ["110"]})
    counts = columns.evaluate(chosen, strong_peaks)
    table = columns.summarise(counts, columns.SINGLE)
    assert table["tilt_deg"].tolist() == [0, 0, 4, 4]
    assert table["dose_e_per_A2"].tolist() == [300, 10000] * 2
    assert (table["particles"] == 1).all()
    # The same particle at every tilt.
    assert table["columns"].nunique() == 1
    assert table.loc[1, "f1"] > 0.9
    # The truth was in the classical method's hand.
    assert (table["classical_f1"] >= table["f1"] - 0.02).all()
    pooled = columns.summarise(counts, columns.POOLED)
    assert pooled["columns"].tolist() == [2 * table.loc[0, "columns"]] * 2
    hits = table["recall"] * table["columns"]
    assert_allclose(pooled["recall"] * pooled["columns"], [hits[::2].sum(), hits[1::2].sum()])


def test_other_cameras_see_the_same_electrons_at_their_doses():
    seen = []

    def find(counts):
        seen.append(counts)
        return np.empty((0, 2))

    cameras = {"cameras": {"ideal": None}, "camera_doses_e_per_A2": [1e4]}
    few = SMALL | {"zone_axes": ["110"], "tilts_deg": [0], "doses_e_per_A2": [1e3, 1e4]}
    table = columns.summarise(columns.evaluate(load(few | cameras), find), columns.SINGLE)
    assert table["camera"].tolist() == ["main", "main", "ideal"]
    assert table["dose_e_per_A2"].tolist() == [1e3, 1e4, 1e4]
    assert table["columns"].nunique() == 1
    scintillator, ideal = (counts.astype(float) - 100 for counts in seen[1:])
    assert_allclose(scintillator.mean(), ideal.mean(), rtol=1e-3)
    assert np.corrcoef(scintillator.ravel(), ideal.ravel())[0, 1] > 0.5
    assert scintillator.std() < ideal.std()
    # Peak finding tunes its filter to every camera.
    assert (table["classical_f1"] > 0.5).all()


def test_what_finds_nothing_scores_nothing():
    chosen = load(SMALL | {"zone_axes": ["110"], "tilts_deg": [0], "doses_e_per_A2": [1000]})
    counts = columns.evaluate(chosen, lambda counts: np.empty((0, 2)))
    (row,) = columns.summarise(counts, columns.SINGLE).to_dict("records")
    assert (row["precision"], row["recall"], row["f1"]) == (0, 0, 0)
    assert np.isnan(row["rms_error_pm"])
    assert row["classical_f1"] > 0.5


def test_poisson_interval_is_exact():
    assert background.poisson_interval(0)[0] == 0
    assert_allclose(background.poisson_interval(0)[1], -np.log(0.025))
    low, high = background.poisson_interval(7)
    assert_allclose(stats.poisson.sf(6, low), 0.025)
    assert_allclose(stats.poisson.cdf(7, high), 0.025)


BACKGROUND = {
    "min_area_nm2": 4,
    "doses_e_per_A2": [300, 3000],
    "thickness_A": [10, 12],
    "acquisition": {"rows": 160, "columns": 160},
}


def test_all_that_is_found_in_a_background_is_false():
    chosen = BackgroundSettings.parse(BACKGROUND, "background_evaluation")
    inside = np.array([[10.0, 10], [1.0, 10], [12, 5]])
    table = background.evaluate(chosen, lambda image: inside)
    assert table["background"].tolist() == [name for name in background.BACKGROUNDS for _ in "12"]
    # Two of the three lie outside the rim.
    assert (table["false_positives"] == 2 * table["views"]).all()
    area = table["views"] * (159 * 0.125 - 4) ** 2 / 100
    assert_allclose(table["area_nm2"], area)
    assert (area >= 4).all()
    assert (table["per_nm2_low"] < table["per_nm2"]).all()
    assert (table["per_nm2"] < table["per_nm2_high"]).all()


def test_a_film_has_contrast_and_vacuum_has_none():
    chosen = BackgroundSettings.parse(BACKGROUND, "background_evaluation")
    rng = np.random.default_rng(0)
    vacuum, carbon, ceria = (
        background.background_intensity(name, chosen, rng).std() for name in background.BACKGROUNDS
    )
    assert vacuum == 0
    assert 0.02 < carbon < ceria


def test_the_scripts_evaluate_a_model(tmp_path):
    trained = ranges(energy_eV=300000, vibration_A=[0, 0.2], mtf={"c2": [0.4, 0.6]})
    save_tiny_model(tmp_path / "model", COLUMN_CARD.but(microscope=trained))
    few = SMALL | {"zone_axes": ["111"], "tilts_deg": [0], "doses_e_per_A2": [1000]}
    few |= {"cameras": {"ideal": None}}
    line = f"evaluate columns model columns.csv --summary summary.csv {READ_ONCE}"
    assert run(f"{line} {settings(**few)}", tmp_path) == 0
    written = pd.read_csv(tmp_path / "columns.csv")
    assert written.columns[:6].tolist() == [*columns.SINGLE, "particles", "columns"]
    assert {"recall_3plus", "rms_error_pm", "classical_f1"} <= set(written.columns)
    pooled = pd.read_csv(tmp_path / "summary.csv")
    assert pooled["camera"].tolist() == ["main", "ideal"]
    assert pooled["in_range"].tolist() == written["in_range"].tolist() == [True, False]

    line = f"evaluate background model background.csv {READ_ONCE} {settings(**BACKGROUND)}"
    assert run(line, tmp_path) == 0
    assert len(pd.read_csv(tmp_path / "background.csv")) == 6
