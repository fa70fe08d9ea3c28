"""Exit waves by the multislice method of abTEM, cropped to the information limit.

No microscope passes anything beyond its information limit, so a wave is kept as the part of its
spectrum below ``k_max``: a tenth of the numbers, and every later step is that much cheaper.
"""

import abtem
import ase
import numpy as np
from ase.data import chemical_symbols

from atomsight.config.training import WaveSettings
from atomsight.files.records import Structure
from atomsight.geometry import beam_orders


def simulate_spectra(
    structure: Structure, settings: WaveSettings, energy_eV: float, seed: int = 0
) -> np.ndarray:
    """Band-limited spectra of the exit waves of a plane wave, one per frozen-phonon snapshot.

    Fourier coefficients of shape (snapshots, orders_y, orders_x), complex64, with the zeroth order
    in the middle; vacuum is one there and zero elsewhere. One snapshot where the potential is
    blurred. ``seed`` is that of the snapshots' displacements. Raises ``ValueError`` if the grid is
    too coarse for the band limit.
    """
    symbols = {chemical_symbols[number] for number in np.unique(structure.numbers)}
    atoms = ase.Atoms(
        structure.numbers, structure.positions, cell=structure.cell_A, pbc=(True, True, False)
    )
    sigmas = {symbol: settings.displacement_of(symbol) for symbol in symbols}
    if settings.frozen_phonons:
        snapshots = abtem.FrozenPhonons(atoms, settings.frozen_phonons, sigmas, seed=seed)
        moments, sigmas = snapshots.to_atoms_ensemble().trajectory, None
    else:
        moments = [atoms]
    return np.stack([_spectrum(moment, sigmas, settings, energy_eV) for moment in moments])


def _spectrum(
    atoms: ase.Atoms, sigmas: dict[str, float] | None, settings: WaveSettings, energy_eV: float
) -> np.ndarray:
    """Spectrum of one exit wave; ``sigmas`` blur the potential."""
    potential = abtem.Potential(
        atoms,
        sampling=settings.sampling_A,
        slice_thickness=settings.slice_thickness_A,
        parametrization=abtem.parametrizations.LobatoParametrization(sigmas=sigmas),
    )
    wave = abtem.PlaneWave(energy=energy_eV).multislice(potential, lazy=False)
    return band_limited(wave.array.T, atoms.cell.lengths()[:2], settings.k_max_per_A)


def band_limited(wave: np.ndarray, cell_A: np.ndarray, k_max_per_A: float) -> np.ndarray:
    """Fourier coefficients of a periodic wave ``[y, x]`` up to a band limit.

    The zeroth order is in the middle, and coefficients beyond the limit are zero. Raises
    ``ValueError`` if the grid does not reach it.
    """
    width, height = (2 * int(k_max_per_A * edge) + 1 for edge in cell_A)
    if height > wave.shape[0] * 2 / 3 or width > wave.shape[1] * 2 / 3:
        raise ValueError(
            f"a grid of {wave.shape[1]} × {wave.shape[0]} points does not carry "
            f"{k_max_per_A:g} 1/Å: beams beyond 2/3 of its Nyquist frequency are cut off"
        )
    k_y, k_x = beam_orders(height) / cell_A[1], beam_orders(width) / cell_A[0]
    spectrum = np.fft.fft2(wave, norm="forward")[np.ix_(beam_orders(height), beam_orders(width))]
    spectrum[np.hypot(*np.meshgrid(k_y, k_x, indexing="ij")) > k_max_per_A] = 0
    return spectrum.astype(np.complex64)
