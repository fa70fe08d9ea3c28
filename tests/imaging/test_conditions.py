"""Conditions of the microscope and the curriculum."""

import numpy as np
import pytest

from atomsight.config.microscope import (
    FocalSeriesSettings,
    MicroscopeSettings,
    MtfSettings,
    SomeRanges,
)
from atomsight.config.training import CurriculumSettings, FavourableSettings
from atomsight.imaging.conditions import draw_conditions, mix_in_favourable, place_pixels, ranges_at

TITAN = MicroscopeSettings(
    energy_eV=80e3,
    defocus_A=(-200, 200),
    cs_um=(-20, 20),
    c5_mm=(0, 5),
    astigmatism_A=(0, 100),
    focal_spread_A=(20, 40),
    vibration_A=(0, 0.25),
    dose_e_per_A2=(10, 1e4),
    pixel_size_A=(0.10, 0.14),
    easy=SomeRanges(defocus_A=(-90, -70), dose_e_per_A2=(5e3, 1e4)),
)
CURRICULUM = CurriculumSettings(easy_until=0.2, full_from=0.6)


def test_defocus_is_underfocus_positive_and_aberrations_are_in_angstroms():
    fixed = TITAN.but(defocus_A=(83, 83), cs_um=(-11.5, -11.5), c5_mm=(5, 5))
    coefficients = draw_conditions(fixed, 2, np.random.default_rng(0))["aberrations"][0, 0]
    assert coefficients[[0, 3, 4]] == pytest.approx([-83, -11.5e4, 5e7])


def test_draws_fill_their_ranges_and_the_dose_evenly_on_a_log_scale():
    drawn = draw_conditions(TITAN, 4000, np.random.default_rng(1))
    defocus = -drawn["aberrations"][:, 0, 0]
    assert -200 <= defocus.min() < -190 < 190 < defocus.max() <= 200
    astigmatism = np.hypot(drawn["aberrations"][:, 0, 1], drawn["aberrations"][:, 0, 2])
    assert astigmatism.max() <= 100.001
    assert np.median(drawn["dose"]) == pytest.approx(10**2.5, rel=0.15)


def test_the_curriculum_goes_from_easy_to_full():
    assert ranges_at(0.1, TITAN, CURRICULUM).defocus_A == (-90, -70)
    assert ranges_at(0.4, TITAN, CURRICULUM).defocus_A == pytest.approx((-145, 65))
    assert ranges_at(0.6, TITAN, CURRICULUM) == TITAN
    assert ranges_at(1.0, TITAN, CURRICULUM) == TITAN


NEAR = SomeRanges(defocus_A=(80, 90), cs_um=(-12, -11))
KEPT = FavourableSettings(share=0.25, ranges=NEAR, both_signs=True)
FAVOURING = CURRICULUM.but(favourable=KEPT)


def favoured_at(progress, count=2000):
    """Signed defocus and Cs of images drawn at a point of a training that favours some."""
    rng = np.random.default_rng(7)
    mixed = mix_in_favourable(draw_conditions(TITAN, count, rng), TITAN, FAVOURING, progress, rng)
    defocus, cs_um = -mixed["aberrations"][:, 0, 0], mixed["aberrations"][:, 0, 3] / 1e4
    return tuple(
        np.mean((np.abs(sign * defocus - 85) <= 5) & (np.abs(sign * cs_um + 11.5) <= 0.5))
        for sign in (1, -1)
    )


def test_favourable_conditions_hold_for_all_images_at_first_and_for_their_share_in_the_end():
    assert favoured_at(0.1) == (1, 0)
    assert sum(favoured_at(0.4)) == pytest.approx(0.625, abs=0.04)
    assert favoured_at(0.9) == pytest.approx((0.125, 0.125), abs=0.025)


def test_without_favourable_ranges_no_image_is_favoured():
    rng = np.random.default_rng(8)
    drawn = draw_conditions(TITAN, 5, rng)
    kept = mix_in_favourable(drawn, TITAN, CURRICULUM, 0.0, rng)
    for name, values in drawn.items():
        np.testing.assert_array_equal(kept[name], values)


def test_pixels_are_spaced_by_their_size_and_mirrored_at_random():
    pixel_size = np.linspace(0.1, 0.14, 50)
    grid = place_pixels(pixel_size, (40.0, 30.0), 16, np.random.default_rng(2))
    for name in ("rows", "columns"):
        steps = np.diff(grid[name][:, 0], axis=1)
        np.testing.assert_allclose(np.abs(steps), pixel_size[:, None].repeat(15, 1), rtol=1e-3)
        assert 10 < np.count_nonzero(steps[:, 0] < 0) < 40
    assert 10 < grid["turned"].sum() < 40


def test_the_images_of_a_focal_series_differ_in_defocus_and_share_the_dose():
    steps = (-130.0, 0.0, 130.0)
    series = TITAN.but(defocus_A=(-60, -20), focal_series=FocalSeriesSettings(steps_A=steps))
    drawn = draw_conditions(series, 50, np.random.default_rng(3))
    defocus = -drawn["aberrations"][..., 0]
    np.testing.assert_allclose(np.diff(defocus, axis=1), 130, rtol=1e-5)
    assert -60 <= defocus[:, 1].min() < defocus[:, 1].max() <= -20
    for name in ("focal_spread", "vibration", "dose"):
        np.testing.assert_array_equal(drawn[name], drawn[name][:, :1].repeat(3, 1))
    assert drawn["aberrations"].shape == (50, 3, 5)
    assert 10 / 3 * 0.999 <= drawn["dose"].min() < drawn["dose"].max() <= 1e4 / 3 * 1.001


def test_the_focus_steps_of_a_series_err_as_a_real_instrument_does():
    steps = FocalSeriesSettings(steps_A=(-130.0, 0.0, 130.0), step_error_A=4)
    fixed = TITAN.but(defocus_A=(-40, -40), focal_series=steps)
    drawn = draw_conditions(fixed, 2000, np.random.default_rng(3))
    errors = -drawn["aberrations"][..., 0] + 40 - np.array(steps.steps_A)
    assert np.std(errors) == pytest.approx(4, rel=0.1)


def test_images_lie_where_they_are_put_with_their_registration_error():
    middles = np.array([[10.0, 20.0], [np.nan, np.nan]])
    offsets = np.array([[[0.1, 0.0], [-0.1, 0.2]]]).repeat(2, 0)
    rng = np.random.default_rng(2)
    grid = place_pixels(np.full(2, 0.1), (40.0, 30.0), 17, rng, middles, offsets)
    assert grid["columns"].shape == grid["rows"].shape == (2, 2, 17)
    np.testing.assert_allclose(grid["columns"][0].mean(axis=-1), [10.1, 9.9], atol=1e-5)
    np.testing.assert_allclose(grid["rows"][0].mean(axis=-1), [20.0, 20.2], atol=1e-5)
    one, other = grid["columns"][1].mean(axis=-1)
    assert abs(one - other) == pytest.approx(0.2, abs=1e-4)


def test_cameras_reach_evenly_from_scintillators_to_direct_ones_and_some_are_measured():
    camera = {"table": [[0, 1], [1, 0.5]]}
    known = TITAN.but(mtf=MtfSettings.parse({"c2": [0.4, 5], "cameras": [camera, camera]}))
    drawn = draw_conditions(known, 3000, np.random.default_rng(1))
    c2 = drawn["mtf"][:, 0, 1]
    assert 0.4 <= c2.min() < c2.max() <= 5
    assert np.mean(c2 < np.sqrt(0.4 * 5)) == pytest.approx(0.5, abs=0.04)
    numbers, counts = np.unique(drawn["camera"], return_counts=True)
    assert numbers.tolist() == [0, 1, 2]
    assert counts / 3000 == pytest.approx(1 / 3, abs=0.04)
    assert (drawn["readout"] == 0).all()


def test_one_measured_camera_is_that_of_all_images():
    known = TITAN.but(mtf=MtfSettings(table=((0, 1), (1, 0.5))))
    assert (draw_conditions(known, 50, np.random.default_rng(1))["camera"] == 1).all()
