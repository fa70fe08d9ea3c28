"""The benchmark of counting the atoms of columns, and the methods beside the network."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import READ_ONCE, run, settings
from made_models import COLUMN_CARD, for_series, save_tiny_model
from numpy.testing import assert_allclose, assert_array_equal

from atomsight.config.evaluation import HeightEvaluationSettings
from atomsight.evaluation import heights
from atomsight.evaluation.classification import MISSED, NOTHING
from atomsight.evaluation.counting import (
    column_library,
    height_tables,
    intensity_mixture,
    particle_series,
)
from atomsight.evaluation.heights import Counter

STEPS_A = (-130.0, 0.0, 130.0)
SMALL = {
    "particles": 1,
    "tilts_deg": [[0, 0.5]],
    "doses_e_per_A2": [300, 100000],
    "cameras": {},
    "particle": {"atoms": [100, 130]},
    "library": {"particles": 1},
}


def load(section):
    return HeightEvaluationSettings.parse(section, "height_evaluation")


def take_series(tilt_deg):
    chosen = load(SMALL)
    return heights.take_series(chosen, chosen.particle.but(tilt_deg=tilt_deg), STEPS_A, 0)


@pytest.fixture(scope="module")
def series():
    return take_series((0.0, 0.5))


# Images


def test_dark_and_bright_change_places_along_the_series(series):
    low, _, high = series.intensities
    pixel_A = series.particle.optics.pixel_size_A
    x, y = np.round(series.particle.positions / pixel_A).astype(int).T
    contrast = [image[y, x].mean() - np.median(image) for image in (low, high)]
    assert contrast[0] * contrast[1] < 0


def test_the_middle_image_is_in_the_range_of_defocus_and_the_others_a_step_off(series):
    low_A, high_A = load(SMALL).defocus_A
    assert low_A <= series.focus_A[1] <= high_A
    assert_allclose(np.subtract(series.focus_A, series.focus_A[1]), STEPS_A)


def test_counts_become_intensities_again(series):
    optics = series.particle.optics.but(dose_e_per_A2=1e6, gain=0.5, mtf=None)
    rng = np.random.default_rng(1)
    counts = heights.focal_series.expose_series(series.intensities, optics, rng)
    seen = particle_series.in_units_of_the_beam(counts, optics)
    assert_allclose(seen.mean(axis=(1, 2)), series.intensities.mean(axis=(1, 2)), rtol=2e-3)


def test_a_particle_is_the_same_at_every_tilt(series):
    other = take_series((2.0, 3.0))
    assert other.focus_A == series.focus_A
    assert other.particle.rotation_rad == series.particle.rotation_rad
    assert_array_equal(other.particle.columns["atoms"], series.particle.columns["atoms"])
    assert other.intensities.shape != series.intensities.shape or not np.allclose(
        other.intensities, series.intensities
    )


# The mixture of intensities


def test_a_cross_section_is_an_integral_over_a_disc():
    positions = np.array([[6.0, 6.0], [9.03, 6.02], [6.04, 9.07]])
    sections = intensity_mixture.cross_sections(np.full((2, 100, 100), 1.3), positions, 0.15)
    # The median distance of nearest neighbours is 3.03 Å.
    radii_A = np.array(intensity_mixture.RADIUS_SHARES) * np.hypot(3.03, 0.02) / 2
    assert sections.shape == (3, 2, 3)
    assert_allclose(sections[0, 0], 0.3 * np.pi * radii_A**2, rtol=0.05)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mixture_counts_what_is_well_apart_whatever_the_contrast(sign):
    rng = np.random.default_rng(2)
    heights = rng.integers(3, 7, 200)
    sections = rng.normal(0, 1, (200, 3, 2))
    sections[:, 1, 1] = sign * (heights + rng.normal(0, 0.1, 200))
    for counted in intensity_mixture.count_heights(sections, heights, 12).values():
        assert (counted["height"] == heights).mean() > 0.99
        assert counted["p_height"].min() > 0.5


def test_the_last_class_stands_for_larger_heights():
    heights = np.repeat([1, 2, 3, 4], 20)
    rng = np.random.default_rng(3)
    sections = (heights + rng.normal(0, 0.05, 80))[:, None, None]
    counted = intensity_mixture.count_heights(sections, heights, 3)["bic"]
    assert counted["height"].max() == 3


def test_completed_likelihood_asks_for_components_that_are_apart():
    rng = np.random.default_rng(4)
    apart = np.repeat([-1.0, 1.0], 100)[:, None]
    excess = {}
    for width in (0.05, 0.8):
        values = apart + rng.normal(0, width, apart.shape)
        mixture = intensity_mixture.GaussianMixture(2, means_init=[[-1], [1]]).fit(values)
        completed = intensity_mixture.completed_criterion(values, mixture)
        excess[width] = completed - intensity_mixture.bayesian_criterion(values, mixture)
    assert_allclose(excess[0.05], 0, atol=1e-6)
    assert excess[0.8] > 20


# The library of columns


def test_patches_are_cut_in_the_axes_of_the_crystal():
    pixel_A, middle = 0.15, np.array([[7.52, 8.31]])
    patches = []
    for angle in (0.0, 0.7):
        y, x = np.mgrid[:110, :110] * pixel_A
        offsets = np.stack([x - middle[0, 0], y - middle[0, 1]], axis=-1).reshape(-1, 2)
        u, v = column_library.rotate(offsets, -angle).T.reshape(2, 110, 110)
        image = np.exp(-((u - 0.5) ** 2) - (v / 2) ** 2)
        patches.append(column_library.cut_patches(image[None], middle, angle, pixel_A, 2.0))
    assert patches[0].shape == (1, 1, 27, 27)
    assert_allclose(patches[0], patches[1], atol=1e-4)


@pytest.mark.parametrize(("flip_y", "flip_x"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_a_column_is_known_from_its_mirror_image(flip_y, flip_x):
    rng = np.random.default_rng(5)
    patches = rng.normal(0, 1, (9, 3, 11, 11)).astype("float32")
    known = column_library.ColumnImages(patches, np.arange(1, 10))
    seen = patches[..., ::flip_y, ::flip_x] + rng.normal(0, 0.1, patches.shape)
    assert_array_equal(column_library.count_heights(seen, known, 5.0), known.heights)


def test_only_what_is_within_the_radius_is_compared():
    known = column_library.ColumnImages(np.zeros((2, 1, 11, 11), "float32"), np.array([1, 2]))
    known.patches[1, 0, 5, 5] = 1
    seen = np.full((1, 1, 11, 11), 100.0)
    seen[0, 0, 4:7, 4:7] = known.patches[1, 0, 4:7, 4:7]
    assert column_library.count_heights(seen, known, 1.5) == [2]


def test_a_library_knows_its_own_columns_without_noise(series):
    waves, optics = [series.particle], series.particle.optics
    known = column_library.image_library(waves, series.focus_A, 1.5)
    images = column_library.through_camera(series.particle.images(series.focus_A), optics)
    patches = column_library.cut_patches(
        images, series.particle.positions, series.particle.rotation_rad, optics.pixel_size_A, 1.5
    )
    told = column_library.count_heights(patches, known, 10)
    assert_array_equal(told, series.particle.columns["atoms"])


# The benchmark


def reader_of(table):
    return lambda images: table


@pytest.fixture(scope="module")
def answers(series):
    """A reader that knows the truth, but for one column missed, one invented, one wrong by two."""
    found = series.particle.columns.rename(columns={"atoms": "class"}).assign(p_class=0.9)
    found.loc[1, "class"] += 2
    found.loc[1, "p_class"] = 0.3
    invented = found.iloc[[0]].assign(x_A=3.0, y_A=3.0)
    found = pd.concat([found.drop(index=0), invented], ignore_index=True)
    return heights.evaluate(load(SMALL), Counter(reader_of(found), STEPS_A, 12))


def test_every_method_answers_every_column_at_every_dose(answers, series):
    columns = len(series.particle.columns)
    true = answers[answers["true_class"] != NOTHING]
    counts = true.groupby(["method", "dose_e_per_A2"]).size()
    assert set(counts.index.get_level_values("method")) == set(heights.METHODS)
    assert len(counts) == 6
    assert (counts == columns).all()


@pytest.fixture(scope="module")
def summary(answers):
    return height_tables.summarise(answers, 10)


def test_what_a_reader_does_wrong_is_in_the_summary(summary, series):
    network = summary[summary["method"] == "network"]
    columns = len(series.particle.columns)
    assert_allclose(network["exact"], (columns - 2) / columns)
    assert_allclose(network["off_by_2"], 1 / columns)
    assert (network[["missed", "invented"]] == 1).all(axis=None)
    assert_allclose(network["errors_by_one"], 0)
    assert (network["exact_low"] < network["exact"]).all()
    assert_allclose(network["position_error_pm"], 0, atol=1e-9)
    told = (0.1 * (columns - 2) + 0.3) / (columns - 1)
    assert_allclose(network["calibration_error"], told)


def test_the_mean_error_has_the_sign_of_what_is_counted_too_much(summary, series):
    network = summary[summary["method"] == "network"]
    found = len(series.particle.columns) - 1
    assert_allclose(network["mean_error"], 2 / found)
    # One column too high by two is no proof of a bias.
    assert (network["mean_error_low"] < 0).all()
    assert (network["mean_error_high"] > 2 / found).all()


def test_columns_of_up_to_six_atoms_have_a_share_of_their_own(summary, series):
    network = summary[summary["method"] == "network"]
    low = series.particle.columns["atoms"] <= 6
    wrong = int(low[:2].sum())
    assert_allclose(network["exact_1_6"], 1 - wrong / low.sum())
    assert (network["exact_1_6_low"] < network["exact_1_6"]).all()


def test_every_thermal_displacement_meets_every_static_one_on_the_same_particles():
    images = []

    def read(series):
        images.append(series.tobytes())
        return pd.DataFrame({"x_A": [], "y_A": [], "class": [], "p_class": []})

    varied = {"thermal_A": [0.07, 0.11], "static_A": [0, 0.05], "particles": 1}
    chosen = load(SMALL | {"displacements": varied})
    answers = heights.evaluate_displacements(chosen, Counter(read, STEPS_A, 12))
    groups = answers.groupby(height_tables.DISPLACEMENTS)
    assert list(groups.groups) == [(0.07, 0), (0.07, 0.05), (0.11, 0), (0.11, 0.05)]
    first, *others = (group["true_class"].tolist() for _, group in groups)
    assert others == [first] * 3
    assert len(set(images)) == 4
    assert set(answers["method"]) == {"network"}


def test_shares_of_right_and_wrong_and_missed_are_one(summary):
    shares = summary[["exact", "off_by_1", "off_by_2", "off_by_3plus"]].sum(axis=1)
    assert_allclose(shares + summary["missed"] / summary["columns"], 1)


def test_a_library_counts_better_with_more_electrons(summary):
    library = summary[summary["method"] == "column_library"].set_index("dose_e_per_A2")
    assert library.loc[100000, "exact"] >= library.loc[300, "exact"]
    assert library.loc[100000, "within_one"] > 0.9
    assert library["calibration_error"].isna().all()


def test_the_confusion_writes_missed_and_invented_as_height_zero(answers, series):
    table = height_tables.confusion(answers)
    network = table[(table["method"] == "network") & (table["dose_e_per_A2"] == 300)]
    first = series.particle.columns["atoms"][0]
    told = network[["true_height", "counted_height"]].to_numpy().tolist()
    assert [first, 0] in told
    assert [0, first] in told
    assert network["columns"].sum() == len(series.particle.columns) + 1


def test_only_methods_that_state_probabilities_are_judged_by_them(answers):
    for table in (height_tables.reliability(answers, 10), height_tables.abstention(answers)):
        assert set(table["method"]) == {"network", "intensity_mixture"}
    curve = height_tables.abstention(answers)
    certain = curve[(curve["method"] == "network") & (curve["min_p"] == 0.9)]
    assert_allclose(certain["error"], 0)
    assert (certain["answered_share"] < 1).all()


def test_the_network_sees_the_same_counts_whatever_else_counts(series):
    seen = []

    def read(images):
        seen.append(images.copy())
        return series.particle.columns.iloc[:0].assign(**{"class": [], "p_class": []})

    for changes in ({}, {"methods": ["network"], "doses_e_per_A2": [300]}):
        answers = heights.evaluate(load(SMALL | changes), Counter(read, STEPS_A, 12))
    assert len(seen) == 3
    assert_array_equal(seen[0], seen[2])
    assert (answers["found_class"] == MISSED).all()


def test_other_cameras_show_the_same_electrons_to_the_network_alone(series):
    seen = []

    def read(images):
        seen.append(images.astype(float))
        return series.particle.columns.iloc[:0].assign(**{"class": [], "p_class": []})

    cameras = {"cameras": {"ideal": None}, "camera_doses_e_per_A2": [100000]}
    answers = heights.evaluate(load(SMALL | cameras), Counter(read, STEPS_A, 12))
    methods = answers.groupby("camera", sort=False)["method"].unique()
    assert methods.index.tolist() == ["main", "ideal"]
    assert methods["ideal"].tolist() == ["network"]
    _, scintillator, ideal = seen
    assert_allclose(scintillator.mean(axis=(1, 2)), ideal.mean(axis=(1, 2)), rtol=1e-3)
    assert np.corrcoef(scintillator.ravel(), ideal.ravel())[0, 1] > 0.8
    assert scintillator.std() < ideal.std()


def test_heights_above_the_last_class_count_as_the_last(series):
    largest = int(series.particle.columns["atoms"].max()) - 1
    found = series.particle.columns.rename(columns={"atoms": "class"}).assign(p_class=1.0)
    found["class"] = found["class"].clip(upper=largest)
    chosen = load(SMALL | {"doses_e_per_A2": [100000]})
    answers = heights.evaluate(chosen, Counter(reader_of(found), STEPS_A, largest))
    told = answers[["true_class", "found_class"]].astype(int)
    assert told.max(axis=None) == largest
    table = height_tables.summarise(answers, 10).set_index("method")
    assert table.loc["network", "exact"] == 1


def test_of_several_variants_the_best_is_kept_in_every_setting():
    answers = pd.DataFrame(
        {
            "method": ["library"] * 6 + ["network"],
            "variant": [*"aabbab", ""],
            "camera": "main",
            "dose_e_per_A2": [100] * 4 + [300] * 2 + [100],
            "true_class": [*"1212111"],
            "found_class": [*"1112133"],
        }
    ).assign(tilt_low_deg=0.0, tilt_high_deg=1.0)
    kept = heights.best_variants(answers)
    assert kept["variant"].tolist() == ["b", "b", "a", ""]


# The script


def test_the_script_writes_all_tables(tmp_path):
    card = for_series(COLUMN_CARD, STEPS_A, ("1", "2", "3"), pixel_size_A=(0.2, 0.3))
    save_tiny_model(tmp_path / "model", card)
    more = ("confusion", "reliability", "abstention")
    options = " ".join(f"--{name} {name}.csv" for name in (*more, "displacements"))
    varied = {"thermal_A": [0.1], "static_A": [0.02], "particles": 1}
    few = settings(**SMALL | {"doses_e_per_A2": [1000], "displacements": varied})
    assert run(f"evaluate heights model summary.csv {options} {READ_ONCE} {few}", tmp_path) == 0
    summary = pd.read_csv(tmp_path / "summary.csv")
    assert summary["method"].tolist() == list(heights.METHODS)
    assert summary.columns[:6].tolist() == [*height_tables.SETTING, "columns"]
    for name in more:
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert table.columns[:5].tolist() == height_tables.SETTING
    table = pd.read_csv(tmp_path / "displacements.csv")
    assert table.columns[:2].tolist() == height_tables.DISPLACEMENTS
    assert table[height_tables.DISPLACEMENTS].to_numpy().tolist() == [[0.1, 0.02]]
