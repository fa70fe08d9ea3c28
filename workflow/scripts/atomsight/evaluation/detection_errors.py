"""Evaluate how often a model errs at the surface of simulated particles on which nothing moves.

A series of a static particle shows which apparent hops are the model's own. Some sites are harder
than others, so each probability of an error has a Beta distribution over the sites.

ERRORS.csv has one row per dose: miss_rate, the share of frames in which a surface column is not
found, and miss_alpha, miss_beta, the Beta distribution of it over the columns; false_rate,
false_alpha, false_beta likewise for something found at an empty lattice site beside the surface;
occupied_sites, empty_sites and frames. follow_sites.py tells hops from these errors.

Settings: doses_e_per_A2, particles, frames, radius_A, contrast, seed, particle, acquisition.

Example:
    python evaluate.py detection_errors data/models/gold errors.csv \\
        --settings '{"doses_e_per_A2": [300], "particles": 2, "frames": 12}'
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from atomsight import command_line
from atomsight.analysis.dynamics.detection_errors import fit_beta
from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ErrorSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation.readers import Finder, finder
from atomsight.files import tables
from atomsight.phantoms import acquisition, particles
from atomsight.phantoms.particles import ZONE_AXES, ParticleSpecimen

SECTION = "detection_errors"

#: The view of every frame is shifted by up to this, so that columns meet the pixels anew [Å].
_SHIFT_A = 1.0

#: Width of the box outside everything that is ever in view [Å].
_RIM_A = 3.0

#: An empty site is at least this far from every true column [Å].
EMPTY_DISTANCE_A = 1.2


@dataclass(frozen=True)
class SiteCounts:
    """In how many frames something was found at surface columns and at empty sites, by dose."""

    surface: np.ndarray
    empty: np.ndarray


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("errors", metavar="ERRORS.csv", help="the table to write")
    command_line.add_settings(arguments, SECTION, ErrorSettings, inference=InferenceSettings)


def run(given: argparse.Namespace) -> None:
    chosen = ErrorSettings.parse(given.settings, SECTION)
    find = finder(given.model, chosen.acquisition, given.inference, chosen.contrast, SECTION)
    table = evaluate(chosen, find)
    tables.write_csv(given.errors, table)
    command_line.print_table(table)


def evaluate(settings: ErrorSettings, find: Finder) -> pd.DataFrame:
    """Image static particles and fit the errors, one row per dose."""
    counts = [
        count_errors(specimen, settings, find, rng) for specimen, rng in make_specimens(settings)
    ]
    surface = np.concatenate([one.surface for one in counts], axis=1)
    empty = np.concatenate([one.empty for one in counts], axis=1)
    return pd.DataFrame(
        {"dose_e_per_A2": dose} | fit_errors(seen, false, settings.frames)
        for dose, seen, false in zip(settings.doses_e_per_A2, surface, empty, strict=True)
    )


def fit_errors(surface: np.ndarray, empty: np.ndarray, frames: int) -> dict[str, float]:
    """Error rates and their distributions over the sites.

    From the number of frames in which something was found at every surface column and empty site.
    """
    missed = frames - surface
    miss_alpha, miss_beta = fit_beta(missed, np.full(len(missed), frames))
    false_alpha, false_beta = fit_beta(empty, np.full(len(empty), frames))
    return {
        "miss_rate": missed.mean() / frames,
        "miss_alpha": miss_alpha,
        "miss_beta": miss_beta,
        "false_rate": empty.mean() / frames,
        "false_alpha": false_alpha,
        "false_beta": false_beta,
        "occupied_sites": len(surface),
        "empty_sites": len(empty),
        "frames": frames,
    }


def make_specimens(
    settings: ErrorSettings,
) -> Iterator[tuple[ParticleSpecimen, np.random.Generator]]:
    """Make the particles one by one, each with the generator of its frames."""
    optics = settings.acquisition.exposure()
    view_A = np.array(optics.field_of_view_A) + optics.pixel_size_A
    size_A = tuple(view_A + 2 * (_SHIFT_A + _RIM_A))
    either = settings.particle.zone_axis == "either"
    axes = list(ZONE_AXES) if either else [settings.particle.zone_axis]
    for number in range(settings.particles):
        chosen = settings.particle.but(zone_axis=axes[number % len(axes)])
        rng, support_rng, frames_rng = np.random.default_rng([settings.seed, number]).spawn(3)
        particle = particles.make_particle(chosen, rng)
        yield particles.put_into_box(particle, chosen, size_A, support_rng), frames_rng


def empty_sites(specimen: ParticleSpecimen) -> np.ndarray:
    """Lattice sites of the next columns outward, seen apart from columns and support.

    Positions in the box, where a column of atoms at their free sites would be seen [Å].
    """
    particle = specimen.particle
    cells, column = particles.outer_columns(particle)
    positions = (particle.place(cells) + specimen.origin_A)[:, :2]
    counts = np.bincount(column)
    means = np.stack([np.bincount(column, along) for along in positions.T], axis=1)
    means /= counts[:, None]
    true = specimen.columns[["x_A", "y_A"]].to_numpy()
    apart = cKDTree(true).query(means)[0] >= EMPTY_DISTANCE_A
    return means[apart & particles.is_clear(means, specimen.support_in_profile)]


def count_errors(
    specimen: ParticleSpecimen, settings: ErrorSettings, find: Finder, rng: np.random.Generator
) -> SiteCounts:
    """Take all frames of one particle and count what is found at its sites.

    Sites are the surface columns that are clear of the support, and the empty ones.
    """
    optics = acquisition.focused(settings.acquisition.exposure(), specimen.below_A)
    wave = acquisition.exit_wave(specimen.structure, optics)
    columns = specimen.columns
    true, empty = columns[["x_A", "y_A"]].to_numpy(), empty_sites(specimen)
    sites = np.concatenate([true, empty])
    found = np.zeros((len(settings.doses_e_per_A2), len(sites)), int)
    for _ in range(settings.frames):
        offset = tuple(rng.uniform(-_SHIFT_A, _SHIFT_A, 2))
        intensity = acquisition.image_wave(wave, optics, offset)
        origin = acquisition.view_origin(specimen.structure, optics, offset)
        for index, dose in enumerate(settings.doses_e_per_A2):
            exposure = optics.but(dose_e_per_A2=dose)
            image = acquisition.expose(intensity, exposure, rng).astype("float32")
            _, matched = match_atoms(find(image) + origin, sites, settings.radius_A)
            found[index, matched] += 1
    surface = (columns["region"] == "surface").to_numpy() & columns["clear"].to_numpy()
    return SiteCounts(found[:, : len(true)][:, surface], found[:, len(true) :])
