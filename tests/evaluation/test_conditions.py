"""Atoms against the conditions of the microscope: what is imaged, what is true, what is trained."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import READ_ONCE, intensity_at, run, settings
from made_models import ATOM_CARD, ranges, save_tiny_model
from numpy.testing import assert_allclose

from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ConditionSweeps, RandomSettings, SweepSettings
from atomsight.config.microscope import CameraSettings, MicroscopeSettings
from atomsight.config.phantoms import AcquisitionSettings, PristineSettings
from atomsight.evaluation import atom_scores, conditions, peaks, position_bound, trained_ranges
from atomsight.phantoms import acquisition, specimens, tilted_sheets

OPTICS = AcquisitionSettings(rows=160, columns=160, gain=1.0, offset=0.0)
RANGES = ranges(
    defocus_A=[-200, 200],
    cs_um=[-20, 20],
    astigmatism_A=[0, 100],
    vibration_A=[0, 0.25],
    c5_mm=[0, 5],
    mtf={"c2": [0.4, 0.6]},
)


@pytest.fixture(scope="module")
def specimen():
    made = specimens.pristine_sheet(PristineSettings(size_A=(28, 26), ripple_A=0.3))
    return conditions.make_specimen(*made, OPTICS)


def strong_peaks(image, pixel_size_A):
    """A finder that needs no network."""
    found = peaks.find_peaks(image, pixel_size_A, peaks.Filter("laplacian", 0.45))
    return found.above(0.3 * found.heights.max())


def places_in_view(sheet):
    truth = acquisition.truth_in_view(sheet.structure, sheet.known, OPTICS)
    return truth.atoms[["x_A", "y_A"]].to_numpy()


# Tilted sheets


def test_a_tilted_sheet_is_narrower_by_the_cosine_and_no_bond_is_longer(specimen):
    flat = specimen.structure
    tilted = tilted_sheets.tilt(flat, 25)
    assert_allclose(tilted.cell_A[:2], [28 * np.cos(np.deg2rad(25)), 26])
    assert_allclose(tilted.sites, tilted.positions[:, :2])
    # A rotation keeps all distances, but for atoms that come in again on the other side.
    inner = np.flatnonzero((np.abs(flat.positions[:, :2] - flat.cell_A[:2] / 2) < 8).all(axis=1))
    before, after = (
        np.linalg.norm(part.positions[inner, None] - part.positions[inner], axis=2)
        for part in (flat, tilted)
    )
    assert_allclose(after, before, atol=1e-9)
    low, high = tilted.positions[:, 2].min(), tilted.positions[:, 2].max()
    assert_allclose([low, tilted.cell_A[2] - high], 2)
    assert ((tilted.sites >= 0) & (tilted.sites <= tilted.cell_A[:2])).all()


def test_atoms_of_a_tilted_sheet_appear_at_their_projected_positions(specimen):
    sheet = conditions.tilted_specimen(specimen, 20, OPTICS)
    focused = acquisition.focused(OPTICS, sheet.lift_A)
    image = acquisition.image_wave(sheet.wave, focused)
    true = places_in_view(sheet)
    found = peaks.find_peaks(1e4 * image, OPTICS.pixel_size_A, peaks.Filter("laplacian", 0.3))
    inner = true[((true > 3) & (true < 16)).all(axis=1)]
    pairs = match_atoms(found.positions, inner, 0.4)
    assert len(pairs[1]) > 0.97 * len(inner)
    errors = found.positions[pairs[0]] - inner[pairs[1]]
    assert np.sqrt((errors**2).mean()) < 0.08
    assert np.abs(errors.mean(axis=0)).max() < 0.03


def test_a_tilt_leaves_the_focus_of_the_middle_as_it_is(specimen):
    """Atoms in the middle of the view look as they do in the flat sheet."""
    sheet = conditions.tilted_specimen(specimen, 20, OPTICS)
    looks = []
    for one in (specimen, sheet):
        image = acquisition.image_wave(one.wave, acquisition.focused(OPTICS, one.lift_A))
        true = places_in_view(one)
        middle = true[np.abs(true[:, 0] - 9.5) < 2.5]
        looks.append(np.median(intensity_at(image, middle, OPTICS.pixel_size_A)))
    assert_allclose(looks[1], looks[0], atol=0.06)
    assert conditions.tilted_specimen(specimen, 0, OPTICS) is specimen


# What a model was trained on


def test_the_trained_range_counts_every_condition():
    inside = OPTICS.but(dose_e_per_A2=10000, mtf=CameraSettings())
    assert trained_ranges.in_range(RANGES, inside)
    for change in (
        {"defocus_A": 230.0},
        {"cs_um": -21.0},
        {"dose_e_per_A2": 31.6},
        {"pixel_size_A": 0.2},
        {"focal_spread_A": 10.0},
        {"energy_eV": 60e3},
        {"mtf": CameraSettings(c1=0.5, c2=0.5, c3=2.5)},
        {"mtf": CameraSettings(c1=0, c2=0.3, c3=2.5)},
        {"mtf": CameraSettings(table=((0, 1), (1, 0.1)))},
        {"mtf": None},
        {"readout_e": 0.5},
        {"gain_spread": 0.5},
    ):
        assert not trained_ranges.in_range(RANGES, inside.but(**change)), change
    assert not trained_ranges.in_range(RANGES, inside, tilt_deg=5)
    noisy = RANGES | {"readout_e": [0, 1]}
    assert trained_ranges.in_range(noisy, inside.but(readout_e=0.5))
    # The high end of a wide range does not blur its low one.
    wide = RANGES | {"dose_e_per_A2": [80, 200000]}
    for dose, known in ((10, False), (79.99, True), (200100, True), (201000, False)):
        assert trained_ranges.in_range(wide, inside.but(dose_e_per_A2=dose)) == known


def test_cameras_are_compared_by_their_curves():
    """Whether measured, as the K3 that ships, or by eq 5, or ideal, which is 1 everywhere."""
    measured = CameraSettings.parse("config/cameras/gatan_k3_300kv.yaml")
    inside = OPTICS.but(dose_e_per_A2=10000, mtf=measured)
    assert trained_ranges.in_range(RANGES, inside)
    trained = RANGES | {"mtf": RANGES["mtf"] | {"table": measured.table}}
    assert trained_ranges.in_range(trained, inside)
    assert not trained_ranges.in_range(trained, inside.but(mtf=None))
    assert not trained_ranges.in_range(trained, inside.but(mtf=CameraSettings()))
    direct = RANGES | {"mtf": RANGES["mtf"] | {"c1": [0, 0.1], "c2": [0.4, 5]}}
    for mtf in (None, CameraSettings(), measured):
        assert trained_ranges.in_range(direct, inside.but(mtf=mtf))
    almost = RANGES | {"mtf": RANGES["mtf"] | {"c1": [0, 0.1], "c2": [0.4, 1]}}
    assert not trained_ranges.in_range(almost, inside.but(mtf=None))


# Intervals


def test_the_interval_of_f1_covers_it_in_19_of_20_experiments():
    rng = np.random.default_rng(1)
    atoms, recall, inventions = 1000, 0.9, 60
    hits = rng.binomial(atoms, recall, 4000)
    wrong = rng.poisson(inventions, 4000)
    true = 2 * atoms * recall / (atoms * recall + atoms + inventions)
    low, high = atom_scores.f1_interval(hits, wrong, atoms - hits)
    assert 0.93 < ((low <= true) & (true <= high)).mean() < 0.985
    assert_allclose(atom_scores.f1_interval(0, 0, 0), (0, 1))


def test_peak_finding_is_told_the_sign_of_the_contrast(specimen):
    truth = acquisition.truth_in_view(specimen.structure, specimen.known, OPTICS)
    image = acquisition.expose(acquisition.image_wave(specimen.wave, OPTICS), OPTICS).astype(float)
    bright, dark = (atom_scores.score_peaks(one, 0.12, truth) for one in (image, 300 - image))
    assert bright["peaks_f1"] > 0.9
    assert bright["peaks_filter"].startswith("bright, ")
    assert dark["peaks_filter"].startswith("dark, ")
    assert_allclose(dark["peaks_f1"], bright["peaks_f1"], atol=0.02)


# Sweeps and random microscopes


def test_a_sweep_varies_one_condition_and_keeps_the_field_of_view(specimen):
    seen = []

    def find(image, pixel_size_A):
        seen.append((image.shape[0], pixel_size_A))
        return strong_peaks(image, pixel_size_A)

    sweeps = dict.fromkeys(ConditionSweeps.model_fields, ()) | {
        "vibration_A": (0.0, 0.5),
        "pixel_size_A": (0.1, 0.2),
    }
    chosen = SweepSettings(doses_e_per_A2=(1000.0, 30000.0), view_A=20.0, sweeps=sweeps)
    optics = OPTICS.but(mtf=CameraSettings(), gain=10.0)
    table = conditions.evaluate_sweeps(chosen, optics, specimen, find, RANGES)
    assert table["condition"].tolist() == ["vibration"] * 4 + ["pixel size"] * 4
    assert table["dose_e_per_A2"].tolist() == [1000, 30000] * 4
    assert table["in_range"].tolist() == [True, False, False, False, True, False, False, False]
    assert (table["trained_high"] == [0.25] * 4 + [0.14] * 4).all()
    assert seen[4:] == [(200, 0.1)] * 2 + [(96, 0.2)] * 2
    f1 = table["f1"].to_numpy()
    assert f1[1] > f1[3] + 0.1
    assert f1[1] > 0.95
    assert (table["f1_low"] <= table["f1"]).all()
    assert (table["f1"] <= table["f1_high"]).all()
    transfer = table["transfer"].to_numpy()
    assert transfer[2] < transfer[0] == transfer[4] == transfer[6]


def test_random_microscopes_do_not_depend_on_how_many_there_are(specimen):
    drawn = RandomSettings.parse(
        {"doses_e_per_A2": [1000], "view_A": 16, "microscope": RANGES, "seed": 3}
    )
    tables = [
        conditions.evaluate_settings(drawn.but(count=count), OPTICS, specimen, strong_peaks, RANGES)
        for count in (1, 2)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1][:1])
    table = tables[1]
    for name in ("defocus_A", "cs_um", "astigmatism_A", "pixel_size_A", "vibration_A"):
        low, high = RANGES[name]
        assert table[name].between(low, high).all()
        assert table[name].nunique() == 2
    assert table["mtf_c2"].between(0.4, 0.6).all()
    assert table["in_range"].all()
    assert (table["resolves_bond"] == (table["information_limit_A"] <= 1.42)).all()


def test_a_measured_camera_is_not_drawn():
    measured = {"mtf": "config/cameras/gatan_k3_300kv.yaml"}
    microscope = MicroscopeSettings.parse(RANGES | measured)
    rngs = [np.random.default_rng(4) for _ in range(2)]
    optics = conditions.draw_optics(microscope, OPTICS, rngs[0])
    assert optics.mtf.table == microscope.mtf.table
    other = conditions.draw_optics(MicroscopeSettings.parse(RANGES), OPTICS, rngs[1])
    assert optics.defocus_A == other.defocus_A
    assert not other.mtf.table


def test_the_noise_of_cameras_and_those_that_are_measured_are_drawn_as_for_the_training():
    """Nothing else changes, and no count is cut off at zero."""
    table = [[0, 1], [1, 0.5]]
    camera = {"gain_spread": [0.5, 0.6], "readout_e": [3, 4]}
    camera["mtf"] = RANGES["mtf"] | {"cameras": [{"table": table}]}
    microscopes = [MicroscopeSettings.parse(RANGES | more) for more in ({}, camera)]
    drawn = [
        [conditions.draw_optics(one, OPTICS, np.random.default_rng(seed)) for seed in range(40)]
        for one in microscopes
    ]
    for plain, noisy in zip(*drawn, strict=True):
        assert 0.5 <= noisy.gain_spread <= 0.6
        assert 3 <= noisy.readout_e <= 4
        assert noisy.offset > 4 * noisy.gain * noisy.readout_e
        known = {name: getattr(plain, name) for name in ("gain_spread", "readout_e", "offset")}
        known["mtf"] = noisy.mtf.but(table=())
        assert noisy.but(**known) == plain
    assert 10 < sum(bool(one.mtf.table) for one in drawn[1]) < 30


# The scripts


def test_the_scripts_evaluate_a_model(tmp_path, monkeypatch):
    monkeypatch.setattr(position_bound, "position_bound_A", lambda _, doses: 1 / np.sqrt(doses))
    save_tiny_model(tmp_path / "model", ATOM_CARD.but(microscope=RANGES))
    made = specimens.pristine_sheet(PristineSettings(size_A=(26, 26)))
    specimens.write_specimen(tmp_path / "specimen.h5", *made, {})
    small = {"doses_e_per_A2": [1000], "view_A": 15}
    sweeps = {key: [] for key in conditions.CONDITIONS} | {"pixel_size_A": [0.2]}
    given = settings(
        acquisition={"rows": 128, "columns": 128},
        doses_e_per_A2=[31, 1000],
        camera_doses_e_per_A2=[1000],
        conditions=small | {"sweeps": sweeps},
        settings=small | {"count": 1},
    )
    line = f"evaluate atoms model specimen.h5 evaluation.csv {READ_ONCE} {given}"
    assert run(line, tmp_path) == 0
    written = pd.read_csv(tmp_path / "evaluation.csv")
    assert written["camera"].tolist() == ["main", "main", "ideal", "direct"]
    assert written["in_range"].tolist() == [False, True, False, True]
    assert_allclose(written["bound_A"], 1 / np.sqrt([31, 1000, 1000, 1000]), rtol=1e-4)
    assert {"f1_low", "recall_grain_high", "peaks_f1", "peaks_rms_error_A"} <= set(written)

    line = f"evaluate conditions model specimen.h5 swept.csv drawn.csv {READ_ONCE} {given}"
    assert run(line, tmp_path) == 0
    swept, drawn = (pd.read_csv(tmp_path / name) for name in ("swept.csv", "drawn.csv"))
    # Pixels that the model has not learned are resampled.
    (row,) = swept[["condition", "value", "unit", "in_range"]].to_numpy().tolist()
    assert row == ["pixel size", 0.2, "Å", False]
    assert len(drawn) == 1
    assert {"defocus_A", "mtf_c3", "information_limit_A", "peaks_f1"} <= set(drawn)
