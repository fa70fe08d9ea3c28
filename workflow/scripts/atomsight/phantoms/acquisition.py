"""Take a simulated HRTEM image of a simulated specimen, and write down where its atoms are.

OUTPUT.tif is a calibrated TIFF of counts. TRUTH.h5 holds the table atoms: x_A, y_A from the centre
of the first pixel, region, and strain where it is known. The settings have the sections "specimen"
(its kind "pristine", "strained" or "polycrystal", and that kind's own keys) and "acquisition"
(microscope, exposure, camera). A specimen of "simulate.py specimen" can be taken instead of the
first.

Nothing here is shared with the microscope of the training. The exit wave keeps its full resolution,
the transfer function is abTEM's, intensities are added over the spread of defocus one by one, and
noise, transfer of the camera and digitisation are NumPy's.

The field of view lies in the middle of the specimen's box. The intensity is a finite Fourier series
over the box and is evaluated on the pixels exactly, by a chirp-z transform, so box and pixel size
need not fit each other. A pixel samples the intensity at its centre; what its area and the
scintillator blur is in the MTF. Defocus counts from the lower face of the box, where the beam
leaves it; a sheet's middle is 2 Å or a little more above.

An exit wave costs the most by far. It can be taken once and imaged in several views.

Examples:
    python simulate.py acquisition strained.tif truth.h5 --settings \\
        '{"specimen": {"kind": "strained", "seed": 3}, "acquisition": {"dose_e_per_A2": 5000}}'
    python simulate.py acquisition grains.tif truth.h5 --specimen grains.h5 --settings \\
        '{"acquisition": {"rows": 1024, "columns": 1024, "pixel_size_A": 0.1}}'
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ase
import numpy as np
import pandas as pd
import rsciio.tiff
import scipy  # whose signal only an image waits for
from scipy import fft

from atomsight import command_line
from atomsight.config.microscope import CameraSettings
from atomsight.config.phantoms import AcquisitionSettings, ImagingSettings
from atomsight.errors import InputError
from atomsight.files import atomic, provenance, sealed, tables
from atomsight.files.records import Structure
from atomsight.geometry import electron_wavelength_A
from atomsight.imaging.potentials import sliced_potential
from atomsight.phantoms import specimens
from atomsight.phantoms.specimens import SpecimenTruth, truth_table

if TYPE_CHECKING:
    import abtem

#: The objective aperture, far beyond the information limit [1/Å].
_APERTURE_PER_A = 2.4

#: Intensities are added over defocus up to so many 1/e half-widths of its distribution.
_SPREAD_REACH = 3.0

#: Atoms this far outside the field of view are still listed in the truth [Å].
_TRUTH_MARGIN_A = 2.0

#: Number of the TIFF tag that holds the name of what is shown.
_DOCUMENT_NAME = 269

_LARGEST_COUNT = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Truth:
    """The atoms of a simulated image, those up to 2 Å outside the field of view included.

    They have ``x_A, y_A`` from the centre of the first pixel, ``region``, ``e_xx, e_yy, e_xy,
    planar``. The field of view runs from the centre of the first pixel to that of the last.
    """

    atoms: pd.DataFrame
    field_of_view_A: tuple[float, float]


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("output", metavar="OUTPUT.tif", help="the image to write")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth to write")
    arguments.add_argument("--specimen", metavar="FILE.h5", help="a specimen made before")
    command_line.add_settings(arguments, "acquisitions.<name>", ImagingSettings)


def run(given: argparse.Namespace) -> None:
    chosen = ImagingSettings.parse(given.settings)
    if bool(chosen.specimen) == bool(given.specimen):
        raise InputError("give either --specimen or the key 'specimen' of --settings, one of them")
    optics = chosen.acquisition
    if given.specimen:
        structure, known = specimens.read_specimen(given.specimen)
    else:
        structure, known = specimens.make_specimen(chosen.specimen)
    image = record(structure, optics)
    truth = truth_in_view(structure, known, optics)

    inputs = {"specimen": Path(given.specimen).name} if given.specimen else {}
    section = ImagingSettings.complete(given.settings)
    made_by = provenance.made_by("simulate.py acquisition", section, seed=optics.seed, **inputs)
    write_truth(given.truth, truth, made_by)
    write_acquisition(given.output, image, optics.pixel_size_A)
    logging.info("a simulated image of %d × %d pixels and %d atoms", *image.shape, len(truth.atoms))


def record(structure: Structure, settings: AcquisitionSettings) -> np.ndarray:
    """Take a simulated image of a specimen: counts, shape (rows, columns), uint16.

    It is an error if the field of view is larger than the specimen's periodic box, or the camera
    saturates.
    """
    return expose(image_intensity(structure, settings), settings)


def image_intensity(
    structure: Structure,
    settings: AcquisitionSettings,
    offset_A: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Intensity of the image without noise, at the centres of its pixels; 1 is the incident beam.

    The field of view lies off the middle of the box by ``(x, y)`` [Å], and must lie inside it.
    """
    check_view(structure.cell_A[:2], settings, offset_A)
    return image_wave(exit_wave(structure, settings), settings, offset_A)


def image_wave(
    wave: "abtem.Waves",
    settings: AcquisitionSettings,
    offset_A: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Intensity of the image of an exit wave, as :func:`image_intensity`.

    The wave is one of :func:`exit_wave` for a microscope of the same energy.
    """
    cell_A = np.asarray(wave.extent)
    origin = check_view(cell_A, settings, offset_A)
    image = wave.apply_ctf(_transfer_function(settings)).array.astype(complex).T
    density = _mean_density(fft.fft2(image, norm="forward"), cell_A[::-1], settings)
    spectrum = fft.fft2(density, norm="forward")
    spectrum *= np.exp(
        -2 * (np.pi * settings.vibration_A) ** 2 * _square_k(density.shape, cell_A[::-1])
    )
    counts = (settings.rows, settings.columns)
    for axis, (count, period, start) in enumerate(
        zip(counts, cell_A[::-1], origin[::-1], strict=True)
    ):
        spectrum = _fourier_series(spectrum, period, start, settings.pixel_size_A, count, axis)
    return np.clip(spectrum.real, 0, None)


def _mean_density(
    spectrum: np.ndarray, edges_A: np.ndarray, settings: AcquisitionSettings
) -> np.ndarray:
    """Intensity of a wave, averaged over the spread of defocus, on a grid that carries it.

    ``spectrum`` of the wave is in FFT order and ends at the aperture; ``edges_A`` are the periods
    along its axes.
    """
    # Twice the orders of the wave on either side, for those of its squared modulus.
    orders = [int(_APERTURE_PER_A * edge) for edge in edges_A]
    grid = [fft.next_fast_len(4 * order + 1) for order in orders]
    kept = [np.arange(-order, order + 1) for order in orders]
    wave = np.zeros(grid, complex)
    wave[np.ix_(*kept)] = spectrum[np.ix_(*kept)]
    phase = np.pi * electron_wavelength_A(settings.energy_eV) * _square_k(grid, edges_A)
    places = _spread_places(settings.focal_spread_A, electron_wavelength_A(settings.energy_eV))
    weights = np.exp(-(places**2)) / np.exp(-(places**2)).sum()
    density = np.zeros(grid)
    for place, weight in zip(places, weights, strict=True):
        shifted = wave * np.exp(-1j * place * settings.focal_spread_A * phase)
        density += weight * np.abs(fft.ifft2(shifted, norm="forward", overwrite_x=True)) ** 2
    return density


def _spread_places(focal_spread_A: float, wavelength_A: float) -> np.ndarray:
    """Defocus over which intensities are added, in units of the spread, shape (N,).

    From one to the next, a beam at the aperture turns by half a turn at most against the direct
    one: so the sum is as good as the integral.
    """
    turns = wavelength_A * _APERTURE_PER_A**2 * focal_spread_A / 2
    count = int(np.ceil(2 * _SPREAD_REACH * max(1.0, turns)))
    return _SPREAD_REACH * np.arange(-count, count + 1) / count


def _square_k(shape: Sequence[int], edges_A: Sequence[float]) -> np.ndarray:
    """Square of the spatial frequency on the grid of an unshifted FFT [1/Å²]."""
    k_y, k_x = (
        fft.fftfreq(count, edge / count) for count, edge in zip(shape, edges_A, strict=True)
    )
    return k_y[:, None] ** 2 + k_x**2


def view_origin(
    structure: Structure,
    settings: AcquisitionSettings,
    offset_A: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Where in the box the centre of the first pixel lies, ``(x, y)`` [Å]."""
    return check_view(structure.cell_A[:2], settings, offset_A)


def check_view(
    cell_A: np.ndarray, settings: AcquisitionSettings, offset_A: tuple[float, float]
) -> np.ndarray:
    """Where in a box with edges ``(x, y)`` the centre of the first pixel lies [Å].

    It is an error if the field of view does not lie in the box.
    """
    view_A, offset = np.asarray(settings.field_of_view_A), np.asarray(offset_A)
    if (view_A + settings.pixel_size_A + 2 * np.abs(offset) > cell_A + 1e-6).any():
        shift = f", {offset[0]:.1f}, {offset[1]:.1f} Å off its middle," if offset.any() else ""
        raise InputError(
            f"the field of view of {view_A[0]:.1f} × {view_A[1]:.1f} Å{shift} does not fit into a "
            f"specimen of {cell_A[0]:.1f} × {cell_A[1]:.1f} Å; lower rows, columns or "
            "pixel_size_A, or make the specimen's size_A larger"
        )
    return (cell_A - view_A) / 2 + offset


def exit_wave(structure: Structure, settings: AcquisitionSettings) -> "abtem.Waves":
    """Exit wave of a plane wave where it leaves the box, at full resolution."""
    import abtem  # which takes seconds

    atoms = ase.Atoms(structure.numbers, structure.positions, cell=structure.cell_A, pbc=True)
    rms_A = dict.fromkeys(set(atoms.symbols), settings.thermal_displacement_A)
    potential = sliced_potential(atoms, rms_A, settings.sampling_A, settings.slice_thickness_A)
    return abtem.PlaneWave(energy=settings.energy_eV).multislice(potential, lazy=False)


def focused(settings: AcquisitionSettings, height_A: float) -> AcquisitionSettings:
    """Let defocus count from a plane so high above the face where the beam leaves the box [Å]."""
    return settings.but(defocus_A=settings.defocus_A + height_A)


def _transfer_function(settings: AcquisitionSettings) -> "abtem.CTF":
    """The transfer function without the spread of defocus."""
    import abtem

    return abtem.CTF(
        energy=settings.energy_eV,
        semiangle_cutoff=1e3 * _APERTURE_PER_A * electron_wavelength_A(settings.energy_eV),
        soft=False,
        aberration_coefficients={
            "C10": -settings.defocus_A,
            "C12": settings.astigmatism_A,
            "phi12": settings.astigmatism_angle_rad,
            "C30": settings.cs_um * 1e4,
            "C50": settings.c5_mm * 1e7,
        },
    )


def _fourier_series(
    coefficients: np.ndarray, period: float, start: float, step: float, count: int, axis: int
) -> np.ndarray:
    """Evaluate Fourier series along an axis at ``start + step · (0 … count − 1)``.

    The orders are shifted to 0, 1, 2 …, as the chirp-z transform wants them, and the phase of the
    shift is taken out again.
    """
    orders = coefficients.shape[axis]
    turn = 2j * np.pi / period
    values = scipy.signal.czt(
        fft.fftshift(coefficients, axes=axis),
        count,
        w=np.exp(turn * step),
        a=np.exp(-turn * start),
        axis=axis,
    )
    lowest = np.exp(-turn * (orders // 2) * (start + step * np.arange(count)))
    return values * np.expand_dims(lowest, 1 - axis)


def expose(
    intensity: np.ndarray,
    settings: AcquisitionSettings,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Expose the camera: electrons, scintillator, counts (uint16); an error if it saturates.

    The intensity of the incident beam is 1. Without a generator, one of the settings' seed is used.
    The signals of single electrons follow a gamma distribution, so that of N electrons does too:
    its mean is N and its variance N s², with the spread s of the gain.
    """
    electrons_per_pixel = settings.dose_e_per_A2 * settings.pixel_size_A**2
    rng = np.random.default_rng(settings.seed) if rng is None else rng
    signal_e = rng.poisson(electrons_per_pixel * intensity).astype(float)
    if settings.gain_spread:
        variance = settings.gain_spread**2
        signal_e = variance * rng.gamma(signal_e / variance)
    if settings.mtf is not None:
        transfer = modulation_transfer(signal_e.shape, settings.mtf)
        signal_e = fft.ifft2(fft.fft2(signal_e) * transfer).real
    if settings.readout_e:
        signal_e += rng.normal(0, settings.readout_e, signal_e.shape)
    counts = np.round(settings.gain * signal_e + settings.offset)
    if counts.max() > _LARGEST_COUNT:
        raise InputError(
            f"acquisition: the camera saturates, {counts.max():.0f} counts of {_LARGEST_COUNT} at "
            f"a gain of {settings.gain:g}; lower gain"
        )
    return np.clip(counts, 0, None).astype(np.uint16)


def modulation_transfer(shape: tuple[int, int], camera: CameraSettings) -> np.ndarray:
    """Modulation transfer function of a camera on the grid of an unshifted FFT; it is isotropic."""
    q = np.hypot(fft.fftfreq(shape[0])[:, None], fft.fftfreq(shape[1]))
    return transfer_at(2 * q, camera)


def transfer_at(fraction: np.ndarray, camera: CameraSettings) -> np.ndarray:
    """Modulation transfer function of a camera at frequencies in units of the Nyquist frequency.

    As measured, interpolated linearly and constant beyond the table; or the paper's equation 5,
    MTF(q) = (1 − c1) / (1 + (q / 2 c2 q_N)^c3) + c1.
    """
    if camera.table:
        return np.interp(fraction, *np.transpose(camera.table))
    return (1 - camera.c1) / (1 + (fraction / (2 * camera.c2)) ** camera.c3) + camera.c1


def truth_in_view(
    structure: Structure,
    truth: SpecimenTruth,
    settings: AcquisitionSettings,
    offset_A: tuple[float, float] = (0.0, 0.0),
) -> Truth:
    """List the atoms of a specimen that an image shows, in the image's own coordinates."""
    positions = structure.sites - view_origin(structure, settings, offset_A)
    atoms = pd.concat([pd.DataFrame(positions, columns=["x_A", "y_A"]), truth_table(truth)], axis=1)
    view_A = np.asarray(settings.field_of_view_A)
    in_view = (positions > -_TRUTH_MARGIN_A) & (positions < view_A + _TRUTH_MARGIN_A)
    return Truth(atoms[in_view.all(axis=1)].reset_index(drop=True), settings.field_of_view_A)


def write_acquisition(path: Path | str, images: np.ndarray, pixel_size_A: float) -> None:
    """Write a simulated image, or a stack of them, as a calibrated TIFF of counts.

    The tags are those of ImageJ and Digital Micrograph.
    """
    axes = [
        {
            "name": name,
            "size": size,
            "offset": 0.0,
            "scale": pixel_size_A / 10,
            "units": "nm",
            "navigate": False,
        }
        for name, size in zip("yx", images.shape[-2:], strict=True)
    ]
    if images.ndim == 3:
        frames = {"name": "frame", "size": len(images), "offset": 0.0, "scale": 1.0, "units": ""}
        axes.insert(0, frames | {"navigate": True})
    note = (_DOCUMENT_NAME, "s", 1, "simulated HRTEM image, made by atomsight", False)
    with atomic.replacing(path) as partial:
        simulated = {"data": images, "axes": axes, "metadata": {}}
        rsciio.tiff.file_writer(partial, simulated, extratags=[note])
    provenance.write_notes(path)


def write_truth(path: Path | str, truth: Truth, made_by: dict) -> None:
    """Write the truth about an image; ``made_by`` as in :mod:`atomsight.files.provenance`."""
    with sealed.create(path, made_by) as file:
        file.attrs.update(field_of_view=truth.field_of_view_A, field_of_view_units="angstrom")
        tables.write_table(file, "atoms", truth.atoms)


def read_truth(path: Path | str) -> Truth:
    """Read what :func:`write_truth` wrote."""
    with sealed.open_to_read(path) as file:
        view_A = tuple(float(edge) for edge in file.attrs["field_of_view"])
        return Truth(tables.read_table(file, "atoms"), view_A)
