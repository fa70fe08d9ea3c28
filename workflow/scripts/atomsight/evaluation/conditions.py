"""Evaluate how well a model finds atoms under other conditions of the microscope.

The specimen is one of "simulate.py specimen", of a kind that no training sees; its images come from
abTEM's own microscope, all from one exit wave; only a tilt of the sheet needs a wave of its own.
The field of view is the same in Å whatever the pixels, so that all images show about as many atoms.
CONDITIONS.csv varies one condition at a time: defocus, Cs, astigmatism, vibration, size of the
pixels, tilt of the sheet. SETTINGS.csv draws microscopes at random from all ranges of one; the dose
is not drawn. Both tell of every image what the model finds and what peak finding does, with 95 %
intervals; whether the model was trained on such images (in_range); and what the microscope passes:
the information limit, where focal spread and vibration leave exp(-2), and whether it reaches the
1.42 Å between neighbours (resolves_bond).

Images whose pixels the model has not learned are resampled, as the workflow does.

Settings: acquisition (the microscope from which conditions are varied), conditions, settings.

Example:
    python evaluate.py conditions data/models/graphene polycrystal.h5 conditions.csv \\
        settings.csv --settings '{"settings": {"count": 10}}'
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.config.evaluation import EvaluationSettings, RandomSettings, SweepSettings
from atomsight.config.microscope import CameraSettings, MicroscopeSettings
from atomsight.config.phantoms import AcquisitionSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation import atom_scores, trained_ranges, transfer
from atomsight.evaluation.readers import find_in_any_pixels
from atomsight.files import tables
from atomsight.files.records import Structure
from atomsight.learning import models
from atomsight.phantoms import acquisition, specimens, tilted_sheets
from atomsight.phantoms.specimens import BOND_A, SpecimenTruth

if TYPE_CHECKING:
    import abtem

#: From an image and the size of its pixels [Å] to the positions found in it, shape (N, 2) [Å].
Finder = Callable[[np.ndarray, float], np.ndarray]

#: Name and unit in the tables of the conditions that can be varied.
CONDITIONS = {
    "defocus_A": ("defocus", "Å"),
    "cs_um": ("cs", "µm"),
    "astigmatism_A": ("astigmatism", "Å"),
    "vibration_A": ("vibration", "Å"),
    "pixel_size_A": ("pixel size", "Å"),
    "tilt_deg": ("tilt", "°"),
}

#: Conditions that are drawn evenly from their range.
_DRAWN = (
    "defocus_A",
    "cs_um",
    "c5_mm",
    "astigmatism_A",
    "focal_spread_A",
    "vibration_A",
    "pixel_size_A",
)

#: Noise of the camera, drawn likewise.
_NOISE = ("gain_spread", "readout_e")

#: Coefficients of a camera that is not measured, eq 5 of the paper.
_COEFFICIENTS = ("c1", "c2", "c3")

#: Scores that are printed.
_SHOWN = ["dose_e_per_A2", "in_range", "f1", "rms_error_A", "peaks_f1"]

#: Counts per electron where the camera blurs, so that no fraction of an electron is rounded away.
_GAIN = 10.0

#: Counts without electrons over the noise of the readout, so that nothing is cut off at zero.
_OFFSET = 5.0

#: Images are a multiple of this wide [pixel].
_STEP_PX = 8


@dataclass(frozen=True)
class Specimen:
    """A sheet, what is known of its atoms, and its exit wave.

    ``lift_A`` says how much higher than the flat sheet's middle its middle stands over the lower
    face of the box [Å]; defocus counts from there, so a tilt changes the focus of the edges alone.
    """

    structure: Structure
    known: SpecimenTruth
    wave: "abtem.Waves"
    lift_A: float = 0.0


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("specimen", metavar="SPECIMEN.h5", help="the simulated specimen")
    arguments.add_argument("conditions", metavar="CONDITIONS.csv", help="conditions one by one")
    arguments.add_argument("random", metavar="SETTINGS.csv", help="microscopes at random")
    command_line.add_settings(
        arguments, "evaluation", EvaluationSettings, inference=InferenceSettings
    )


def run(given: argparse.Namespace) -> None:
    chosen = EvaluationSettings.parse(given.settings, "evaluation")
    reading = InferenceSettings.complete(given.inference, "inference")
    optics, drawn = chosen.acquisition, chosen.settings
    structure, known = specimens.read_specimen(given.specimen)
    network, card = models.load_reader(given.model)

    def find(image: np.ndarray, pixel_size_A: float) -> np.ndarray:
        return find_in_any_pixels(network, card, image, pixel_size_A, reading)

    specimen = make_specimen(structure, known, optics)
    table = evaluate_sweeps(chosen.conditions, optics, specimen, find, card.microscope)
    tables.write_csv(given.conditions, table)
    command_line.print_table(table[["condition", "value", "unit", *_SHOWN]])
    if drawn.microscope.energy_eV != optics.energy_eV:
        other = optics.but(energy_eV=drawn.microscope.energy_eV)
        specimen = make_specimen(structure, known, other)
    table = evaluate_settings(drawn, optics, specimen, find, card.microscope)
    tables.write_csv(given.random, table)
    command_line.print_table(table[["setting", "information_limit_A", *_SHOWN]])


def make_specimen(
    structure: Structure, known: SpecimenTruth, optics: AcquisitionSettings
) -> Specimen:
    """Simulate the exit wave of a sheet, for any number of images."""
    return Specimen(structure, known, acquisition.exit_wave(structure, optics))


def tilted_specimen(specimen: Specimen, tilt_deg: float, optics: AcquisitionSettings) -> Specimen:
    """Tilt a sheet, its atoms' projected positions being the truth, and simulate its exit wave."""
    if tilt_deg == 0:
        return specimen
    structure = tilted_sheets.tilt(specimen.structure, tilt_deg)
    made = make_specimen(structure, specimen.known, optics)
    lift_A = (structure.cell_A[2] - specimen.structure.cell_A[2]) / 2
    return dataclasses.replace(made, lift_A=float(lift_A))


def with_view(optics: AcquisitionSettings, view_A: float) -> AcquisitionSettings:
    """Give an image as many pixels as fit into a field of view, a multiple of eight."""
    pixels = max(1, int(view_A / optics.pixel_size_A / _STEP_PX + 1e-6)) * _STEP_PX
    return optics.but(rows=pixels, columns=pixels)


def evaluate_sweeps(
    chosen: SweepSettings,
    base: AcquisitionSettings,
    specimen: Specimen,
    find: Finder,
    trained: dict,
) -> pd.DataFrame:
    """Vary one condition of a microscope at a time and score what is found.

    One row per condition, value and dose: ``condition, value, unit``, the ends of the trained range
    of the condition (``trained_low, trained_high``, from the card of the model), and what
    :func:`score_doses` gives. The same noise at every value: what differs is the condition.
    """
    rows = []
    for key, values in chosen.sweeps:
        name, unit = CONDITIONS[key]
        low, high = trained_ranges.trained_range(trained, key)
        for value in values:
            about = {"condition": name, "value": value, "unit": unit}
            about |= {"trained_low": low, "trained_high": high}
            tilt_deg = value if key == "tilt_deg" else 0.0
            changed = {} if key == "tilt_deg" else {key: value}
            optics = with_view(base.but(**changed), chosen.view_A)
            sheet = tilted_specimen(specimen, tilt_deg, optics)
            scored = score_doses(
                sheet, optics, chosen.doses_e_per_A2, find, np.random.default_rng(base.seed)
            )
            for exposure, row in scored:
                within = trained_ranges.in_range(trained, exposure, tilt_deg)
                rows.append(about | {"in_range": within} | row)
    return pd.DataFrame(rows)


def evaluate_settings(
    chosen: RandomSettings,
    base: AcquisitionSettings,
    specimen: Specimen,
    find: Finder,
    trained: dict,
) -> pd.DataFrame:
    """Draw microscopes at random and score what is found in their images.

    The wave of the specimen is at the energy of the microscope. One row per microscope and dose:
    ``setting`` (from 0), all that is drawn, ``in_range``, and what :func:`score_doses` gives. A
    microscope with a lower number does not depend on how many there are.
    """
    rows = []
    for number in range(chosen.count):
        draw_rng, place_rng, noise_rng = np.random.default_rng([chosen.seed, number]).spawn(3)
        optics = with_view(draw_optics(chosen.microscope, base, draw_rng), chosen.view_A)
        room_A = specimen.structure.cell_A[:2] - optics.rows * optics.pixel_size_A
        offset_A = tuple(
            float(part) for part in np.maximum(room_A, 0) / 2 * place_rng.uniform(-1, 1, 2)
        )
        drawn = {
            name: getattr(optics, name) for name in (*_DRAWN, *_NOISE, "astigmatism_angle_rad")
        }
        measured = bool(optics.mtf.table)
        for name in _COEFFICIENTS:
            drawn[f"mtf_{name}"] = np.nan if measured else getattr(optics.mtf, name)
        for exposure, row in score_doses(
            specimen, optics, chosen.doses_e_per_A2, find, noise_rng, offset_A
        ):
            within = trained_ranges.in_range(trained, exposure)
            rows.append({"setting": number} | drawn | {"in_range": within} | row)
    return pd.DataFrame(rows)


def draw_optics(
    ranges: MicroscopeSettings, base: AcquisitionSettings, rng: np.random.Generator
) -> AcquisitionSettings:
    """Draw a microscope, its astigmatism at any azimuth, and a camera, as for the training."""
    drawn = {name: float(rng.uniform(*getattr(ranges, name))) for name in _DRAWN}
    azimuth = float(rng.uniform(0, np.pi))
    coefficients = {
        "c1": float(rng.uniform(*ranges.mtf.c1)),
        "c2": float(np.exp(rng.uniform(*np.log(ranges.mtf.c2)))),
        "c3": float(rng.uniform(*ranges.mtf.c3)),
    }
    other_rng = rng.spawn(1)[0]
    noise = {name: float(other_rng.uniform(*getattr(ranges, name))) for name in _NOISE}
    tables = ranges.mtf.tables if ranges.mtf.table else ((), *ranges.mtf.tables)
    table = tables[other_rng.integers(len(tables))]
    gain = max(base.gain, _GAIN)
    return base.but(
        energy_eV=ranges.energy_eV,
        astigmatism_angle_rad=azimuth,
        mtf=CameraSettings(**coefficients, table=table),
        gain=gain,
        offset=max(base.offset, _OFFSET * gain * noise["readout_e"]),
        **drawn,
        **noise,
    )


def score_doses(
    specimen: Specimen,
    optics: AcquisitionSettings,
    doses_e_per_A2: tuple[float, ...],
    find: Finder,
    rng: np.random.Generator,
    offset_A: tuple[float, float] = (0.0, 0.0),
) -> Iterator[tuple[AcquisitionSettings, dict]]:
    """Image a sheet at several doses, find its atoms, score them.

    The field of view lies off the middle of the sheet by ``(x, y)`` [Å]. Yields how each image was
    taken, and ``dose_e_per_A2``, what the microscope passes, and the scores of
    :func:`atomsight.evaluation.atom_scores.score_atoms` and ``score_peaks``.
    """
    focused = acquisition.focused(optics, specimen.lift_A)
    intensity = acquisition.image_wave(specimen.wave, focused, offset_A)
    truth = acquisition.truth_in_view(specimen.structure, specimen.known, optics, offset_A)
    for dose, noise in zip(doses_e_per_A2, rng.spawn(len(doses_e_per_A2)), strict=True):
        exposure = optics.but(dose_e_per_A2=dose)
        image = acquisition.expose(intensity, exposure, noise).astype("float32")
        row = {"dose_e_per_A2": dose} | passes(optics)
        row |= atom_scores.score_atoms(find(image, optics.pixel_size_A), truth)
        yield exposure, row | atom_scores.score_peaks(image, optics.pixel_size_A, truth)


def passes(optics: AcquisitionSettings) -> dict[str, float | bool]:
    """What a microscope passes of a sheet of graphene, see :mod:`atomsight.evaluation.transfer`.

    ``transfer`` is what its envelopes leave at the length of a bond; ``resolves_bond`` whether the
    information limit resolves one; ``phase_contrast`` that of the lattice planes.
    """
    limit_A = transfer.information_limit_A(optics)
    return {
        "transfer": float(transfer.envelope(1 / BOND_A, optics)),
        "information_limit_A": limit_A,
        "resolves_bond": limit_A <= BOND_A,
        "phase_contrast": transfer.phase_contrast(transfer.PLANES_A, optics),
    }
