"""Take a simulated focal series of a particle or a monolayer, and write down what its columns are.

STACK.tif is a calibrated stack of counts, one image for every focus, drifting from image to image:
to register them is for the import to do. TRUTH.h5 holds the tables columns (x_A, y_A where the
images lie on average, class: the number of atoms or the species, region) and shifts (frame, x_A,
y_A: how far every image has moved).

Settings: specimen (its kind "particle" or "monolayer", and that kind's own keys), acquisition
(microscope, field of view, camera, dose of all images together), focus_A, drift_A, seed. The focus
counts from the lower side of the specimen, underfocus positive.

Example:
    python simulate.py focal_series stack.tif truth.h5 --settings \\
        '{"specimen": {"kind": "particle", "seed": 3}, "acquisition": {"dose_e_per_A2": 30000}}'
"""

import argparse
import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atomsight import command_line, materials
from atomsight.config.phantoms import (
    AcquisitionSettings,
    ParticleSettings,
    RecordedMonolayer,
    RecordingSettings,
)
from atomsight.config.section import complete, parse
from atomsight.files import provenance
from atomsight.files.records import Structure
from atomsight.phantoms import acquisition, focal_series, focal_truth, monolayers, particles
from atomsight.phantoms.focal_truth import RecordingTruth

#: Width of the vacuum of a particle's box outside everything that is ever in view [Å].
_RIM_A = 3.0

#: Columns this far outside the images, where they lie on average, are still listed [Å].
_TRUTH_MARGIN_A = 2.0


@dataclass(frozen=True)
class ColumnSpecimen:
    """A specimen whose columns are known.

    ``columns`` has ``x_A, y_A`` in the box [Å], ``class`` (a text: the number of atoms, or the
    species) and ``region``. ``below_A`` is the distance of the specimen's lower side from the lower
    face of the box. ``class_names`` are all classes there are.
    """

    structure: Structure
    columns: pd.DataFrame
    below_A: float
    class_names: tuple[str, ...]


def _make_particle(settings: ParticleSettings, size_A: tuple[float, float]) -> ColumnSpecimen:
    specimen = particles.make_specimen(settings, size_A)
    columns = specimen.columns[["x_A", "y_A", "region"]].copy()
    columns.insert(2, "class", specimen.columns["atoms"].astype(str).astype(object))
    heights = tuple(str(height) for height in range(1, specimen.columns["atoms"].max() + 1))
    return ColumnSpecimen(specimen.structure, columns, specimen.below_A, heights)


def _make_monolayer(settings: RecordedMonolayer, _size_A: tuple[float, float]) -> ColumnSpecimen:
    """Make a sheet in a box of its own: its lattice decides the size."""
    honeycomb = materials.honeycomb(settings.material)
    specimen = monolayers.make_monolayer(honeycomb, settings)
    columns = specimen.sites.rename(columns={"species": "class"})
    columns = columns[["x_A", "y_A", "class", "region"]]
    return ColumnSpecimen(specimen.structure, columns, specimen.below_A, honeycomb.class_names)


#: Maker of every kind of specimen, from its section and the smallest size of its box.
KINDS = {"particle": _make_particle, "monolayer": _make_monolayer}


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("stack", metavar="STACK.tif", help="the images to write")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth to write")
    command_line.add_settings(arguments, "focal_series.<name>", RecordingSettings)


def run(given: argparse.Namespace) -> None:
    section = complete(RecordingSettings, given.settings, "focal_series")
    chosen = parse(RecordingSettings, section)
    stack, truth = record(chosen)
    made_by = provenance.made_by("simulate.py focal_series", section, seed=chosen.seed)
    focal_truth.write_truth(given.truth, truth, made_by)
    acquisition.write_acquisition(given.stack, stack, chosen.acquisition.pixel_size_A)
    logging.info(
        "a simulated focal series of %d images of %d × %d pixels and %d columns",
        *stack.shape,
        len(truth.columns),
    )


def record(chosen: RecordingSettings) -> tuple[np.ndarray, RecordingTruth]:
    """Record a focal series: counts, shape (F, rows, columns), uint16, and the truth.

    It is an error if the field of view does not lie in the specimen's box, a particle is larger
    than the field of view, or the camera saturates.
    """
    drift_rng, noise_rng = np.random.default_rng(chosen.seed).spawn(2)
    shifts = focal_series.draw_shifts(len(chosen.focus_A), chosen.drift_A, drift_rng)
    optics = chosen.acquisition.exposure()
    seen_A = np.array(optics.field_of_view_A) + optics.pixel_size_A + 2 * np.abs(shifts).max()
    specimen = KINDS[chosen.specimen.kind](chosen.specimen, tuple(seen_A + 2 * _RIM_A))
    optics = focal_series.focused_on(optics, specimen.below_A)
    for shift in shifts:  # before the exit wave, which takes its time
        acquisition.view_origin(specimen.structure, optics, tuple(-shift))
    wave = acquisition.exit_wave(specimen.structure, optics)
    intensities = focal_series.image_series(wave, optics, chosen.focus_A, shifts)
    stack = focal_series.expose_series(intensities, optics, noise_rng)
    return stack, RecordingTruth(
        columns=_in_view(specimen, optics),
        shifts_A=shifts,
        field_of_view_A=optics.field_of_view_A,
        focus_A=chosen.focus_A,
        dose_e_per_A2=optics.dose_e_per_A2,
        class_names=specimen.class_names,
    )


def _in_view(specimen: ColumnSpecimen, optics: AcquisitionSettings) -> pd.DataFrame:
    columns = specimen.columns.copy()
    columns[["x_A", "y_A"]] -= acquisition.view_origin(specimen.structure, optics)
    positions = columns[["x_A", "y_A"]].to_numpy()
    farthest = np.asarray(optics.field_of_view_A) + _TRUTH_MARGIN_A
    in_view = (positions > -_TRUTH_MARGIN_A) & (positions < farthest)
    return columns[in_view.all(axis=1)].reset_index(drop=True)
