"""Projected potentials against the scattering factors they are made of, and against abTEM."""

import abtem
import ase
import numpy as np
import pytest
from abtem.parametrizations import LobatoParametrization

from atomsight.imaging.potentials import sliced_potential

EDGE_A = 12.0
RMS_A = 0.085


def column(heights_A, x_A=6.0, y_A=6.0, box_A=4.0, symbol="Au"):
    positions = [(x_A, y_A, height) for height in heights_A]
    cell = (EDGE_A, EDGE_A, box_A)
    return ase.Atoms(symbol * len(positions), positions, cell=cell, pbc=True)


def structure_factors(potential):
    """Fourier coefficients [V Å³] of all slices together, and their frequencies [1/Å]."""
    array = potential.array.sum(axis=0, dtype=float)
    k = np.fft.fftfreq(len(array), EDGE_A / len(array))
    return np.fft.fft2(array, norm="forward") * EDGE_A**2, k


@pytest.mark.parametrize(("symbol", "sampling_A", "limit"), [("C", 0.15, 1.6), ("Au", 0.08, 2.0)])
@pytest.mark.parametrize("offset_A", [0.0, 0.03, 0.0719])
def test_an_atom_scatters_alike_wherever_between_the_points_it_lies(
    symbol, sampling_A, limit, offset_A
):
    """abTEM, which sets an atom on four points, is off by up to 13 % here."""
    atom = column([2.0], 6 + offset_A, 6 - 0.4 * offset_A, symbol=symbol)
    found, k = structure_factors(sliced_potential(atom, {symbol: RMS_A}, sampling_A, 4.0))
    square = k[:, None] ** 2 + k**2
    factor = LobatoParametrization().projected_scattering_factor(symbol)(square)
    expected = factor * np.exp(-2 * (np.pi * RMS_A) ** 2 * square)
    passed = square < limit**2
    np.testing.assert_allclose(np.abs(found)[passed], expected[passed], rtol=1e-4)


def test_the_potential_is_abtems_where_an_atom_lies_on_a_point():
    atom = column([1.0], box_A=2.0)
    blurred = LobatoParametrization(sigmas={"Au": RMS_A})
    expected = abtem.Potential(atom, sampling=0.02, slice_thickness=2, parametrization=blurred)
    found = sliced_potential(atom, {"Au": RMS_A}, 0.02, 2.0).array.sum(axis=0)
    expected = expected.build(lazy=False).array[0]
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())


def test_an_atom_between_two_planes_is_shared_between_them():
    potential = sliced_potential(column([2.5], box_A=8.0), {"Au": RMS_A}, 0.1, 2.0)
    total = potential.array.sum(axis=(1, 2))
    assert potential.slice_thickness == (2.0,) * 4
    np.testing.assert_allclose(total / total.sum(), [0, 0.75, 0.25, 0], atol=1e-6)


def test_an_atom_near_where_the_beam_leaves_scatters_where_it_is():
    """A slice without thickness there is the plane above it; a taller box has one anyway."""
    near = column([7.0], box_A=8.0)
    potential = sliced_potential(near, {"Au": RMS_A}, 0.1, 2.0)
    total = potential.array.sum(axis=(1, 2))
    np.testing.assert_allclose(total / total.sum(), [0, 0, 0, 0.5, 0.5], atol=1e-6)
    assert potential.slice_thickness == (2.0,) * 4 + (0.0,)
    wave, taller = (
        abtem.PlaneWave(energy=300e3).multislice(sliced_potential(atoms, {"Au": RMS_A}, 0.1, 2.0))
        for atoms in (near, column([7.0], box_A=12.0))
    )
    back = taller.apply_ctf(abtem.CTF(energy=300e3, C10=-4.0, semiangle_cutoff=np.inf))
    scattered = wave.compute().array - 1
    np.testing.assert_allclose(
        np.abs(back.compute().array - 1 - scattered).max(), 0, atol=0.01 * np.abs(scattered).max()
    )


@pytest.mark.parametrize("height_A", [-0.1, 8.1])
def test_an_atom_outside_of_the_box_is_refused(height_A):
    with pytest.raises(ValueError, match="outside of the box"):
        sliced_potential(column([height_A], box_A=8.0), {"Au": RMS_A}, 0.1, 2.0)


def test_points_and_slices_are_as_close_as_they_are_told_to_be():
    potential = sliced_potential(column([2.0], box_A=5.0), {"Au": RMS_A}, 0.11, 2.0)
    assert max(potential.sampling) <= 0.11
    assert potential.slice_thickness == pytest.approx((5 / 3,) * 3)


def test_what_moves_is_blurred_and_elements_are_told_apart():
    both = column([0.0, 2.0])
    both.symbols[1] = "C"
    still = sliced_potential(both, {}, 0.1, 2.0).array
    warm = sliced_potential(both, {"Au": 0.1}, 0.1, 2.0).array
    assert warm[0].max() < 0.8 * still[0].max()
    np.testing.assert_allclose(warm.sum(), still.sum(), rtol=1e-5)
    assert still[1].max() < 0.5 * still[0].max()
