"""The Cramér–Rao bound: how well any method can place the atoms of a simulated image.

Electrons arrive in a pixel at random, λ of them on average, and independently of other pixels. Then
no estimate of parameters θ that is right on average has a covariance smaller than the inverse of
the Fisher information

    F_ij = Σ_pixels (∂λ/∂θ_i) (∂λ/∂θ_j) / λ,    λ = dose · area of a pixel · intensity.

Here θ are x and y of all atoms, all unknown at once and without prior knowledge: atoms whose images
overlap make each other less certain. Optics, dose, heights and number of atoms are known. The
derivatives are differences of full simulations, so the microscope is that of
:mod:`atomsight.phantoms.acquisition` in every detail.

The camera takes no part. Its MTF comes after the noise and filters noise and signal alike; it has
no zeros and can be undone, so it leaves the information as it is. Gain and offset do too, as long
as the steps of the digitisation are finer than an electron. Readout noise and the spread of the
gain, which only make errors larger, are left out.

What knows more than the image can be better than the bound: that bonds are 1.42 Å long, say. A
network learns such things, and where the bound is no small part of a bond it will be below it.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from atomsight.config.phantoms import AcquisitionSettings
from atomsight.files.records import Structure
from atomsight.phantoms import acquisition
from atomsight.phantoms.specimens import BOND_A

if TYPE_CHECKING:
    import abtem

#: Height of the periodic box above and below the sheet [Å]; that of the evaluation's sheets.
_HEADROOM_A = 2.0

#: How far along its derivative an exit wave is moved to either side [Å]. The size does not matter.
_NUDGE_A = 0.05


@dataclass(frozen=True)
class BoundSettings:
    """The patch of graphene that a bound is computed for."""

    #: Edges ``(x, y)`` of the patch whose atoms are averaged over [Å].
    patch_A: tuple[float, float] = (9.0, 9.0)
    #: Smallest width of the rim about it [Å]. Its atoms are unknown too and not averaged over.
    margin_A: float = 1.5
    #: Step of the differences that stand for derivatives [Å]. A spacing of the multislice grid is
    #: best: abTEM spreads an atom over four points of the grid, and smaller steps feel them.
    step_A: float = 0.1
    #: Seed of where the lattice lies on the pixels.
    seed: int = 0


def position_bound_A(
    optics: AcquisitionSettings,
    doses_e_per_A2: np.ndarray,
    settings: BoundSettings | None = None,
) -> np.ndarray:
    """Smallest error of the positions of the atoms of graphene, along one axis, at D doses.

    The root mean square over the atoms and both axes of the Cramér–Rao bound, shape (D,) [Å];
    infinite where the image does not fix the positions. It falls as one over the root of the dose.
    Of the microscope, dose, camera, rows and columns have no influence.

    The sheet is flat, without defects or edges, and periodic, its zigzag rows along x. What the
    image shows of an atom may be wider than the rim: it continues on the opposite side.
    """
    settings = BoundSettings() if settings is None else settings
    sheet = periodic_sheet(settings)
    variances = position_covariance(sheet, optics, settings.step_A).diagonal().reshape(-1, 2)
    mean_A2 = variances[inner_atoms(sheet, settings.margin_A)].mean()
    return np.sqrt(mean_A2 / np.asarray(doses_e_per_A2, float))


def position_covariance(sheet: Structure, optics: AcquisitionSettings, step_A: float) -> np.ndarray:
    """Smallest covariance of the positions of a perfect sheet at one electron per square ångström.

    Of ``x`` and ``y`` of the first atom, of the second and so on, shape (2 N, 2 N) [Å²]; it falls
    as one over the dose.
    """
    columns, rows = np.floor(sheet.cell_A[:2] / optics.pixel_size_A + 1e-6).astype(int)
    view = optics.but(rows=int(rows), columns=int(columns))
    electrons = optics.pixel_size_A**2
    expected = electrons * acquisition.image_intensity(sheet, view)
    derivatives = electrons * sheet_derivatives(sheet, view, step_A)
    return covariance_bound(fisher_information(expected, derivatives))


def inner_atoms(sheet: Structure, margin_A: float) -> np.ndarray:
    """Whether atoms lie at least so far from the edge of the box."""
    depth_A = np.minimum(sheet.sites, sheet.cell_A[:2] - sheet.sites)
    return (depth_A >= margin_A).all(axis=1)


def fisher_information(expected: np.ndarray, derivatives: np.ndarray) -> np.ndarray:
    """Fisher information of an image with Poisson noise, F_ij = Σ (∂_i λ) (∂_j λ) / λ.

    From the expected number of electrons in every pixel, shape (H, W), and its derivatives by P
    parameters, shape (P, H, W). A pixel that no electron reaches is left out.
    """
    reached = expected > 0
    weighted = derivatives[:, reached] / np.sqrt(expected[reached])
    return weighted @ weighted.T


def covariance_bound(information: np.ndarray) -> np.ndarray:
    """Smallest covariance of parameters that are all unknown: the inverse of their information.

    The variance of a parameter is infinite, and its covariances are those of what is known, if the
    information is singular along it to the precision of the numbers.
    """
    values, vectors = np.linalg.eigh(information)
    known = values > len(values) * np.finfo(float).eps * values[-1]
    shares = vectors[:, known]
    covariance = (shares / values[known]) @ shares.T
    lost = (vectors[:, ~known] ** 2).sum(axis=1) > np.sqrt(np.finfo(float).eps)
    covariance[lost, lost] = np.inf
    return covariance


def sheet_derivatives(sheet: Structure, optics: AcquisitionSettings, step_A: float) -> np.ndarray:
    """Derivatives of the intensity by the positions of the N atoms of a perfect sheet.

    All atoms of a sublattice change the exit wave alike, each in its own place; so only one of each
    is displaced. By ``x`` and ``y`` of the first atom, of the second and so on, shape (2 N, rows,
    columns) [1/Å].
    """
    wave = acquisition.exit_wave(sheet, optics)
    slopes = [
        [fft.fft2(wave_derivative(sheet, optics, atom, axis, step_A)) for axis in (0, 1)]
        for atom in (0, 1)
    ]
    k_x, k_y = (fft.fftfreq(n, edge / n) for n, edge in zip(wave.shape, wave.extent, strict=True))
    derivatives = []
    for atom, site in enumerate(sheet.sites):
        x, y = site - sheet.sites[atom % 2]
        shift = np.exp(-2j * np.pi * (k_x[:, None] * x + k_y * y))
        derivatives += [
            image_derivative(wave, fft.ifft2(slope * shift), optics) for slope in slopes[atom % 2]
        ]
    return np.stack(derivatives)


def wave_derivative(
    structure: Structure, optics: AcquisitionSettings, atom: int, axis: int, step_A: float
) -> np.ndarray:
    """Derivative of the exit wave by one coordinate of one atom, to fourth order in the step.

    On the multislice grid, ``[x, y]`` [1/Å]; axis 0 is x, 1 is y.
    """
    derivative = 0
    for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
        positions = structure.positions.copy()
        positions[atom, axis] += steps * step_A
        wave = acquisition.exit_wave(replace(structure, positions=positions), optics)
        derivative = derivative + weight / (12 * step_A) * wave.array.astype(complex)
    return derivative


def image_derivative(
    wave: "abtem.Waves", slope: np.ndarray, optics: AcquisitionSettings
) -> np.ndarray:
    """Change of the image as the exit wave changes: exact, since the intensity is quadratic."""
    ahead, behind = (wave.copy() for _ in range(2))
    ahead.array[:] += _NUDGE_A * slope
    behind.array[:] -= _NUDGE_A * slope
    difference = acquisition.image_wave(ahead, optics) - acquisition.image_wave(behind, optics)
    return difference / (2 * _NUDGE_A)


def periodic_sheet(settings: BoundSettings) -> Structure:
    """Make a flat, perfect sheet of graphene, periodic in its box.

    The box holds the patch and its rim, in whole cells of four atoms; zigzag rows lie along x, as
    high above the lower face as the evaluation's sheets.
    """
    edges_A = BOND_A * np.array([np.sqrt(3), 3])
    min_size_A = np.asarray(settings.patch_A) + 2 * settings.margin_A
    counts = np.ceil(min_size_A / edges_A).astype(int)
    basis = np.array([[0, 0], [0, 1 / 3], [1 / 2, 1 / 2], [1 / 2, 5 / 6]])
    cells = np.stack(np.meshgrid(*map(np.arange, counts)), axis=-1).reshape(-1, 1, 2)
    offset = np.random.default_rng(settings.seed).uniform(0, 1, 2)
    sites = np.mod(cells + basis + offset, counts).reshape(-1, 2) * edges_A
    return Structure(
        positions=np.column_stack([sites, np.full(len(sites), _HEADROOM_A)]),
        numbers=np.full(len(sites), 6),
        cell_A=np.append(counts * edges_A, 2 * _HEADROOM_A),
        sites=sites,
        classes=np.ones(len(sites), dtype=int),
    )
