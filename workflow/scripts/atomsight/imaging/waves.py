"""Exit waves by the multislice method of abTEM, cropped to the information limit.

No microscope passes anything beyond its information limit, so a wave is kept as the part of its
spectrum below ``k_max``: a tenth of the numbers, and every later step is that much cheaper.
"""

import ase
import numpy as np

from atomsight.config.training import WaveSettings
from atomsight.files.records import Structure
from atomsight.geometry import beam_orders
from atomsight.imaging.potentials import sliced_potential


def simulate_spectra(
    structure: Structure, settings: WaveSettings, energy_eV: float, seed: int = 0
) -> np.ndarray:
    """Band-limited spectra of the exit waves of a plane wave, one per frozen-phonon snapshot.

    Fourier coefficients of shape (snapshots, orders_y, orders_x), complex64, with the zeroth order
    in the middle; vacuum is one there and zero elsewhere. One snapshot where the potential is
    blurred. ``seed`` is that of the displacements: how hot the specimen is, and the snapshots.
    Raises ``ValueError`` if the grid is too coarse for the band limit.
    """
    import abtem  # which takes seconds

    atoms = ase.Atoms(
        structure.numbers, structure.positions, cell=structure.cell_A, pbc=(True, True, False)
    )
    rms_A = thermal_displacements_A(atoms, settings, seed)
    moments = [atoms]
    if settings.frozen_phonons:
        snapshots = abtem.FrozenPhonons(atoms, settings.frozen_phonons, rms_A, seed=seed)
        moments, rms_A = snapshots.to_atoms_ensemble().trajectory, {}
    return np.stack([_spectrum(moment, rms_A, settings, energy_eV) for moment in moments])


def thermal_displacements_A(
    atoms: ase.Atoms, settings: WaveSettings, seed: int
) -> dict[str, float]:
    """Root mean square displacement of the elements of one specimen along one axis [Å], by symbol.

    Of the range of every element the same part is taken, as all share the temperature.
    """
    part = np.random.default_rng([seed, _THERMAL]).random()
    ranges = {symbol: settings.displacement_range_A(symbol) for symbol in set(atoms.symbols)}
    return {symbol: low + part * (high - low) for symbol, (low, high) in ranges.items()}


#: What tells the seed of the temperature from others of the same specimen.
_THERMAL = 1


def _spectrum(
    atoms: ase.Atoms, rms_A: dict[str, float], settings: WaveSettings, energy_eV: float
) -> np.ndarray:
    """Spectrum of one exit wave; ``rms_A`` blurs the potential."""
    import abtem

    potential = sliced_potential(atoms, rms_A, settings.sampling_A, settings.slice_thickness_A)
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
            f"{k_max_per_A:g} 1/Å: beams beyond 2/3 of its Nyquist frequency are cut off; "
            "lower sampling_A or k_max_per_A"
        )
    k_y, k_x = beam_orders(height) / cell_A[1], beam_orders(width) / cell_A[0]
    spectrum = np.fft.fft2(wave, norm="forward")[np.ix_(beam_orders(height), beam_orders(width))]
    spectrum[np.hypot(*np.meshgrid(k_y, k_x, indexing="ij")) > k_max_per_A] = 0
    return spectrum.astype(np.complex64)
