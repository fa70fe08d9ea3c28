"""Cases of simulation: structures, exit waves and images, beside abTEM's own way to each."""

import itertools
from collections.abc import Callable

import abtem
import ase
import numpy as np
from scipy import fft

from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.training import WaveSettings
from atomsight.imaging.waves import simulate_spectra
from atomsight.materials import MATERIALS

abtem.config.set({"device": "cpu", "dask.lazy": False, "local_diagnostics.progress_bar": False})


def structures(section: dict) -> Callable:
    """One random structure, each time another."""
    material = MATERIALS[section["material"]]
    settings = material.Settings.parse(section[section["material"]], "timed")
    seeds = itertools.count()
    return lambda: material.make_structure(settings, np.random.default_rng(next(seeds)))


def waves(section: dict) -> Callable:
    """The exit wave of one structure."""
    structure, settings, energy_eV = specimen(section)
    return lambda: simulate_spectra(structure, settings, energy_eV)


def transforms(section: dict) -> Callable:
    """The Fourier transforms of a multislice alone: two for every slice."""
    structure, settings, _ = specimen(section)
    points = fft.next_fast_len(int(np.ceil(structure.cell_A[0] / settings.sampling_A)))
    slices = int(np.ceil(structure.cell_A[2] / settings.slice_thickness_A))
    wave = np.ones((points, points), "complex64")
    return lambda: [fft.ifft2(fft.fft2(wave)) for _ in range(slices)]


def abtem_waves(section: dict) -> Callable:
    """The same wave with abTEM's own potential."""
    structure, settings, energy_eV = specimen(section)
    atoms = ase.Atoms(structure.numbers, structure.positions, cell=structure.cell_A, pbc=True)

    def call() -> None:
        potential = abtem.Potential(
            atoms, sampling=settings.sampling_A, slice_thickness=settings.slice_thickness_A
        )
        abtem.PlaneWave(energy=energy_eV).multislice(potential, lazy=False)

    return call


def abtem_images(section: dict, batch: int, px: int) -> Callable:
    """A batch of images by abTEM, one by one: transfer function, noise of the dose, MTF.

    The middle of every range is taken; the image is that of the grid of the wave, cut to ``px``².
    """
    structure, settings, energy_eV = specimen(section)
    atoms = ase.Atoms(structure.numbers, structure.positions, cell=structure.cell_A, pbc=True)
    potential = abtem.Potential(atoms, sampling=settings.sampling_A, slice_thickness=2.0)
    wave = abtem.PlaneWave(energy=energy_eV).multislice(potential, lazy=False)
    optics = MicroscopeSettings.parse(section["microscope"], "timed")
    defocus_A, cs_A = np.mean(optics.defocus_A), 1e4 * np.mean(optics.cs_um)

    def image(seed: int) -> np.ndarray:
        transfer = abtem.CTF(
            energy=energy_eV,
            defocus=defocus_A,
            Cs=cs_A,
            focal_spread=np.mean(optics.focal_spread_A),
        )
        seen = wave.apply_ctf(transfer).intensity()
        counts = seen.poisson_noise(dose_per_area=1000.0, seed=seed).array[:px, :px]
        fraction = 2 * np.hypot(*np.meshgrid(*map(fft.fftfreq, counts.shape), indexing="ij"))
        return fft.ifft2(fft.fft2(counts) / (1 + fraction**2.5)).real

    return lambda: [image(seed) for seed in range(batch)]


def specimen(section: dict) -> tuple:
    """A structure, the settings of its wave, and the energy of the electrons [eV]."""
    material = MATERIALS[section["material"]]
    settings = material.Settings.parse(section[section["material"]], "timed")
    structure = material.make_structure(settings, np.random.default_rng(0))
    microscope = MicroscopeSettings.parse(section["microscope"], "timed")
    return structure, WaveSettings.parse(section["waves"], "waves"), microscope.energy_eV
