"""The Cramér–Rao bound of positions: right where the answer is known, and reached by fits."""

from dataclasses import replace

import numpy as np
from made_inputs import flat_molecule, neighbours_A
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from atomsight.config.microscope import CameraSettings
from atomsight.config.phantoms import AcquisitionSettings
from atomsight.evaluation.position_bound import (
    BoundSettings,
    covariance_bound,
    fisher_information,
    image_derivative,
    periodic_sheet,
    position_bound_A,
    sheet_derivatives,
    wave_derivative,
)
from atomsight.phantoms import acquisition

FAVOURABLE = AcquisitionSettings()
SMALL_PATCH = BoundSettings(patch_A=(4.0, 4.0), margin_A=1.0)


def three_atoms():
    """Three neighbours of a honeycomb in a box that is not square, and a view of most of it."""
    structure = flat_molecule([[3.04, 3.45], [4.26, 2.74], [5.46, 3.45]], (8.4, 6.6))
    return structure, FAVOURABLE.but(rows=50, columns=66, pixel_size_A=0.12)


def displaced(structure, by_A):
    positions = structure.positions.copy()
    positions[:, :2] += by_A.reshape(-1, 2)
    return replace(structure, positions=positions)


def position_derivatives(structure, optics, step_A):
    """By x and y of every atom, each displaced by itself."""
    wave = acquisition.exit_wave(structure, optics)
    return np.stack(
        [
            image_derivative(wave, wave_derivative(structure, optics, atom, axis, step_A), optics)
            for atom in range(len(structure.positions))
            for axis in (0, 1)
        ]
    )


def covariance_of(structure, optics, dose_e_per_A2):
    electrons = dose_e_per_A2 * optics.pixel_size_A**2
    expected = electrons * acquisition.image_intensity(structure, optics)
    derivatives = electrons * position_derivatives(structure, optics, 0.1)
    return covariance_bound(fisher_information(expected, derivatives))


def gaussian_spot(electrons, sigma, background, centre=(20.3, 24.8)):
    """A spot on 50 × 44 pixels and its derivatives by x, y and the number of electrons."""
    y, x = np.mgrid[:50, :44]
    offsets = np.stack([x - centre[0], y - centre[1]])
    spot = np.exp(-(offsets**2).sum(axis=0) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    by_position = electrons * spot * offsets / sigma**2
    return background + electrons * spot, np.concatenate([by_position, spot[None]])


def test_a_bright_spot_is_placed_to_its_width_over_the_root_of_its_electrons():
    electrons, sigma = 5000.0, 3.0
    information = fisher_information(*gaussian_spot(electrons, sigma, background=0.0))
    covariance = covariance_bound(information)
    assert_allclose(np.sqrt(covariance.diagonal()[:2]), sigma / np.sqrt(electrons), rtol=1e-6)
    assert_allclose(covariance[2, 2], electrons, rtol=1e-6)


def test_a_faint_spot_on_a_background_is_placed_as_in_white_noise():
    """The information is then Σ (∂λ)² / background, an integral over a Gaussian."""
    electrons, sigma, background = 5.0, 3.0, 2000.0
    information = fisher_information(*gaussian_spot(electrons, sigma, background))
    expected = electrons**2 / (8 * np.pi * sigma**4 * background)
    assert_allclose(information.diagonal()[:2], expected, rtol=1e-3)


def test_pixels_without_electrons_tell_nothing():
    expected, derivatives = gaussian_spot(5000.0, 3.0, background=0.0)
    padding = ((0, 9), (0, 7))
    dark = np.pad(expected, padding), np.pad(derivatives, ((0, 0), *padding))
    assert_allclose(fisher_information(*dark), fisher_information(expected, derivatives))


def test_what_the_image_does_not_fix_has_no_bound():
    """Two spots in one place: their distance is unknown, a third parameter is not."""
    information = np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 4.0]])
    assert_allclose(covariance_bound(information).diagonal(), [np.inf, np.inf, 0.25])


def test_an_unknown_neighbour_makes_an_atom_less_certain():
    structure, optics = three_atoms()
    expected = acquisition.image_intensity(structure, optics)
    information = fisher_information(expected, position_derivatives(structure, optics, 0.1))
    together = covariance_bound(information).diagonal()
    assert (together > 1.05 / information.diagonal()).all()


def test_derivatives_are_those_of_the_image():
    structure, optics = three_atoms()
    derivatives = position_derivatives(structure, optics, 0.1)
    for step_A, derivative in zip(0.1 * np.eye(6), derivatives, strict=True):
        ahead, behind = (
            acquisition.image_intensity(displaced(structure, sign * step_A), optics)
            for sign in (1, -1)
        )
        plain = (ahead - behind) / 0.2
        assert np.abs(derivative - plain).max() < 0.04 * np.abs(plain).max()


def test_atoms_of_a_sublattice_change_the_image_alike():
    """One simulation moved over the lattice gives what a simulation of every atom gives."""
    sheet = periodic_sheet(BoundSettings(patch_A=(4.0, 4.0), margin_A=0.0))
    optics = FAVOURABLE.but(rows=33, columns=40, astigmatism_A=20.0)
    moved = sheet_derivatives(sheet, optics, 0.1)
    of_all = position_derivatives(sheet, optics, 0.1)
    assert moved.shape == (2 * len(sheet.sites), 33, 40)
    assert np.abs(moved - of_all).max() < 0.02 * np.abs(of_all).max()
    expected = acquisition.image_intensity(sheet, optics)
    variances = [
        covariance_bound(fisher_information(expected, one)).trace() for one in (moved, of_all)
    ]
    assert_allclose(*variances, rtol=0.02)


def test_the_sheet_is_graphene():
    sheet = periodic_sheet(BoundSettings(patch_A=(7.0, 8.0), margin_A=2.0))
    assert (sheet.cell_A[:2] >= (11, 12)).all()
    assert ((sheet.sites >= 0) & (sheet.sites < sheet.cell_A[:2])).all()
    assert_allclose(neighbours_A(sheet.sites, 3, box_A=sheet.cell_A[:2]), 1.42)


def test_the_bound_falls_as_the_root_of_the_dose():
    bound_A = position_bound_A(FAVOURABLE, [10, 1e3, 1e5], SMALL_PATCH)
    assert_allclose(bound_A * np.sqrt([10, 1e3, 1e5]), bound_A[0] * np.sqrt(10))


def test_the_bound_of_graphene_at_the_favourable_optics():
    """A twentieth of a bond at 10⁴ e/Å², whatever the patch, the pixels and the camera."""
    (bound_A,) = position_bound_A(FAVOURABLE, [1e4], SMALL_PATCH)
    assert_allclose(bound_A, 0.065, rtol=0.04)
    fine = FAVOURABLE.but(pixel_size_A=0.07, mtf=CameraSettings(c1=0.1, c2=0.4))
    (elsewhere_A,) = position_bound_A(fine, [1e4], replace(SMALL_PATCH, seed=1, margin_A=2.0))
    assert_allclose(elsewhere_A, bound_A, rtol=0.01)


def test_a_blurred_image_tells_less():
    vibrating = FAVOURABLE.but(vibration_A=0.3)
    shaken, steady = (position_bound_A(one, 1e4, SMALL_PATCH) for one in (vibrating, FAVOURABLE))
    assert shaken > 1.5 * steady
    assert position_bound_A(FAVOURABLE.but(vibration_A=3.0), 1e4, SMALL_PATCH) > 10


def test_a_quarter_turn_of_atoms_and_optics_swaps_the_axes():
    structure, optics = three_atoms()
    optics = optics.but(astigmatism_A=30.0, astigmatism_angle_rad=0.4)
    x, y = structure.sites.T
    turned = flat_molecule(np.stack([structure.cell_A[1] - y, x], axis=1), structure.cell_A[1::-1])
    turned_optics = optics.but(rows=66, columns=50, astigmatism_angle_rad=0.4 + np.pi / 2)
    variances = covariance_of(structure, optics, 1e4).diagonal().reshape(-1, 2)
    of_turned = covariance_of(turned, turned_optics, 1e4).diagonal().reshape(-1, 2)
    assert_allclose(of_turned, variances[:, ::-1], rtol=1e-3)
    assert np.ptp(variances) > 0.1 * variances.min()


def images_to_second_order(structure, optics, step_A):
    """The image, its slopes and its curvatures by all coordinates, from full simulations."""
    count = 2 * len(structure.positions)
    steps = step_A * np.eye(count)

    def image(displacement):
        return acquisition.image_intensity(displaced(structure, displacement), optics)

    middle = image(np.zeros(count))
    ahead, behind = (np.stack([image(sign * step) for step in steps]) for sign in (1, -1))
    curvatures = np.empty((count, *ahead.shape))
    for i, j in np.ndindex(count, count):
        if i == j:
            curvatures[i, j] = ahead[i] + behind[i] - 2 * middle
        elif i < j:
            both = image(steps[i] + steps[j]) + image(-steps[i] - steps[j]) + 2 * middle
            curvatures[i, j] = (both - ahead[i] - ahead[j] - behind[i] - behind[j]) / 2
            curvatures[j, i] = curvatures[i, j]
    return image, middle, (ahead - behind) / (2 * step_A), curvatures / step_A**2


def test_fits_of_maximum_likelihood_reach_the_bound():
    """Many noisy images of three atoms, all coordinates free in the fits.

    At this dose the errors are so small that the image is a polynomial of second order in them,
    which makes a fit cheap.
    """
    structure, optics = three_atoms()
    optics = optics.but(rows=30, columns=40, pixel_size_A=0.2)
    dose_e_per_A2, images = 1e6, 1000
    electrons = dose_e_per_A2 * optics.pixel_size_A**2
    image, *terms = images_to_second_order(structure, optics, step_A=0.02)
    middle, slopes, curvatures = (electrons * term.reshape(*term.shape[:-2], -1) for term in terms)
    covariance = covariance_of(structure, optics, dose_e_per_A2)
    scale = np.linalg.cholesky(covariance)

    def expected(displacement):
        bend = np.tensordot(displacement, curvatures, 1)
        return middle + displacement @ (slopes + bend / 2), slopes + bend

    def misfit(whitened, counts):
        electrons_expected, gradient = expected(scale @ whitened)
        ratio = electrons_expected / middle
        value = np.sum(middle * (ratio - 1) - counts * np.log(ratio))
        return value, scale.T @ (gradient @ (1 - counts / electrons_expected))

    rng = np.random.default_rng(0)
    some = scale @ rng.normal(size=6)
    wrong = electrons * image(some).ravel() - expected(some)[0]
    assert np.sum(wrong**2 / middle) < 0.02  # nothing beside the 1 of the noise, per parameter

    errors = []
    for counts in rng.poisson(middle, (images, middle.size)):
        fit = minimize(misfit, np.zeros(6), args=(counts,), jac=True, options={"gtol": 1e-2})
        errors.append(scale @ fit.x)
    ratio = np.sqrt(np.mean(np.square(errors)) / covariance.diagonal().mean())
    assert_allclose(ratio, 1, atol=0.04)  # 1000 images know it to 0.01
