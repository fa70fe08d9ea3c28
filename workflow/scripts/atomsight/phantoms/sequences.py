"""Take a simulated sequence of a nanoparticle, drifting, some of its surface columns hopping.

STACK.tif is a calibrated stack of counts. TRUTH.h5 holds the tables sites (site, x_A, y_A in the
first frame, atoms, dynamic, p_appear, p_vanish, hop_rate, region, clear) and drift, and the data
set occupied, one row per site and one column per frame.

The same particle on the same support is imaged frame by frame while it drifts. A share of its
surface columns hop: all atoms of such a column leave together and come back together, at random
and independently of the other columns. So do a few columns at empty lattice sites beside the
surface. The rest stands still; with dynamic_share 0 nothing hops.

Whether a hopping column is there is a Markov chain of two states, with the probabilities per frame
p_appear (a) and p_vanish (b); it begins in its stationary state. Two successive frames
differ with the probability 2ab / (a + b), the hop rate.

Particle, support, hopping sites, and where in the ranges of a and b each site lies follow from
particle.seed alone; drift, hops and noise from seed. The same particle under two gases is thus two
sequences with other ranges and other seeds; with the same ranges and another seed, the rates of
every site are the same and only the events differ.

Example:
    python simulate.py sequence vacuum.tif vacuum.h5 \\
        --settings '{"frames": 40, "p_appear": [0.02, 0.1], "p_vanish": [0.02, 0.1], "seed": 1}'
"""

import argparse
import dataclasses
import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.config.phantoms import SequenceSettings
from atomsight.files import provenance
from atomsight.files.records import Structure
from atomsight.phantoms import acquisition, particles
from atomsight.phantoms.particles import ParticleSpecimen
from atomsight.phantoms.sequence_truth import SequenceTruth, write_truth

#: Width of the box outside everything that is ever in view [Å].
_RIM_A = 3.0

#: A column may hop only if this many of its six nearest columns stay.
_MIN_STATIC_NEIGHBOURS = 2

#: Fewest and most atoms of a column that hops at an empty lattice site.
_ADATOM_COLUMN = (2, 6)


@dataclass(frozen=True)
class _Columns:
    """All columns that are ever there: atoms, column of each (-1 for the support), table."""

    structure: Structure
    column: np.ndarray
    sites: pd.DataFrame


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("stack", metavar="STACK.tif", help="the images to write")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth to write")
    command_line.add_settings(arguments, "sequences.<name>", SequenceSettings)


def run(given: argparse.Namespace) -> None:
    section = SequenceSettings.complete(given.settings, "sequence")
    chosen = SequenceSettings.parse(section)
    stack, truth = simulate(chosen)
    made_by = provenance.made_by("simulate.py sequence", section, seed=chosen.seed)
    write_truth(given.truth, truth, chosen.acquisition, made_by)
    acquisition.write_acquisition(given.stack, stack, chosen.acquisition.pixel_size_A)
    logging.info(
        "a simulated sequence of %d frames of %d × %d pixels, %d columns, %d of them hopping",
        *stack.shape,
        len(truth.sites),
        truth.sites["dynamic"].sum(),
    )


def simulate(settings: SequenceSettings) -> tuple[np.ndarray, SequenceTruth]:
    """Take a simulated sequence: counts, shape (F, rows, columns), uint16, and the truth.

    It is an error if the particle does not fit into the field of view, or the camera saturates.
    """
    optics = settings.acquisition
    view_A = np.array(optics.field_of_view_A) + optics.pixel_size_A
    specimen = particles.make_specimen(
        settings.particle, view_A + settings.drift_limit_A + 2 * _RIM_A
    )
    everything = hopping_columns(specimen, settings)
    drift_rng, chain_rng, noise_rng = np.random.default_rng(settings.seed).spawn(3)
    drift = drift_path(settings, drift_rng)
    occupied = occupancy(everything.sites, settings.frames, chain_rng)

    # The middle of the path lies in the middle of the box, and the view moves against the drift.
    offsets = (drift.min(axis=0) + drift.max(axis=0)) / 2 - drift
    optics = acquisition.focused(optics, specimen.below_A)
    stack = np.empty((settings.frames, optics.rows, optics.columns), np.uint16)
    noise = noise_rng.spawn(settings.frames)
    configurations, shown = np.unique(occupied, axis=1, return_inverse=True)
    for number, configuration in enumerate(configurations.T):
        wave = acquisition.exit_wave(_occupied_structure(everything, configuration), optics)
        for frame in np.flatnonzero(shown == number):
            intensity = acquisition.image_wave(wave, optics, tuple(offsets[frame]))
            stack[frame] = acquisition.expose(intensity, optics, noise[frame])
    logging.info("%d exit waves for %d frames", configurations.shape[1], settings.frames)

    origin = acquisition.view_origin(everything.structure, optics, tuple(offsets[0]))
    sites = everything.sites.copy()
    sites[["x_A", "y_A"]] -= origin
    return stack, SequenceTruth(sites, occupied, drift, optics.field_of_view_A)


def drift_path(settings: SequenceSettings, rng: np.random.Generator) -> np.ndarray:
    """Draw a drift ``(x, y)``, a steady velocity and a random walk, zero in the first frame [Å]."""
    direction = rng.uniform(0, 2 * np.pi)
    velocity = settings.drift_A_per_frame * np.array([np.cos(direction), np.sin(direction)])
    steps = velocity + rng.normal(0, settings.drift_walk_A, (settings.frames - 1, 2))
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    widest = np.ptp(path, axis=0).max()
    return path * min(1.0, settings.drift_limit_A / max(widest, 1e-9))


def hopping_columns(specimen: ParticleSpecimen, settings: SequenceSettings) -> _Columns:
    """Choose the columns that hop, add those at empty sites, and draw their probabilities."""
    # Every quantity has a generator of its own, so that none shifts the draws of another.
    choice, outside, length, appear, vanish = np.random.default_rng(
        [settings.particle.seed, 1]
    ).spawn(5)
    columns = specimen.columns
    count = len(columns)
    hops = max(*settings.p_appear, *settings.p_vanish) > 0
    eligible = columns["clear"].to_numpy() & (columns["region"] == "surface").to_numpy()
    chosen = eligible & (choice.uniform(size=count) < settings.dynamic_share * hops)
    labels = specimen.particle.columns.labels
    static_neighbours = specimen.particle.near(labels, labels[~chosen])
    chosen &= static_neighbours >= _MIN_STATIC_NEIGHBOURS

    wanted = settings.adatom_columns if hops and settings.dynamic_share > 0 else 0
    cells, column = _adatom_columns(specimen, labels[~chosen], wanted, outside, length)
    added = _added_sites(specimen, cells, column)
    sites = pd.concat([columns, added], ignore_index=True)
    sites.insert(0, "site", np.arange(len(sites)))
    dynamic = np.concatenate([chosen, np.ones(len(added), bool)])
    a = np.where(dynamic, _between(settings.p_appear, appear, count, len(added)), 0.0)
    b = np.where(dynamic, _between(settings.p_vanish, vanish, count, len(added)), 0.0)
    sites = sites.assign(dynamic=dynamic, p_appear=a, p_vanish=b, hop_rate=hop_rate(a, b))
    names = "site x_A y_A atoms dynamic p_appear p_vanish hop_rate region clear"
    return _Columns(
        _with_atoms(specimen, cells),
        np.concatenate([specimen.column, count + column]),
        sites[names.split()],
    )


def _between(
    limits: tuple[float, float], rng: np.random.Generator, first: int, more: int
) -> np.ndarray:
    """Draw numbers in a range; the first ones do not depend on how many more there are."""
    return limits[0] + (limits[1] - limits[0]) * rng.uniform(size=first + more)


def _adatom_columns(
    specimen: ParticleSpecimen,
    static: np.ndarray,
    wanted: int,
    choice: np.random.Generator,
    length: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Lattice sites of columns at empty places beside the surface, and the column of each."""
    particle = specimen.particle
    cells, column = particles.outer_columns(particle)
    if wanted == 0 or len(cells) == 0:
        return cells[:0], column[:0]
    _, first, places = np.unique(column, return_index=True, return_counts=True)
    labels = particles.column_labels(cells[first], particle.zone_axis)
    centres = specimen.origin_A + particle.place(cells)
    clear = _all_true(particles.is_clear(centres[:, :2], specimen.support_in_profile), column)
    fits = (places >= _ADATOM_COLUMN[0]) & clear & ~_has_gap(particle, cells, column)
    fits &= particle.near(labels, static) >= _MIN_STATIC_NEIGHBOURS
    candidates = choice.permutation(len(places))
    taken = candidates[fits[candidates]][:wanted]
    longest = length.integers(*_ADATOM_COLUMN, size=len(places), endpoint=True)
    # Of the sites of a column, which are sorted along the beam, those about the middle.
    rank = np.arange(len(cells)) - first[column]
    start = np.maximum(0, (places - longest) // 2)[column]
    kept = np.isin(column, taken) & (rank >= start) & (rank < start + longest[column])
    _, renumbered = np.unique(column[kept], return_inverse=True)
    return cells[kept], renumbered


def _has_gap(particle: particles.Particle, cells: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Whether the sites of a column, sorted along the beam, leave one out between them."""
    along = cells @ np.array(particles.ZONE_AXES[particle.zone_axis].direction)
    steps = np.diff(along)[np.diff(column) == 0]
    if len(steps) == 0:
        return np.zeros(column.max() + 1, bool)
    wide = np.flatnonzero((np.diff(column) == 0) & (np.diff(along) > steps.min()))
    return np.isin(np.arange(column.max() + 1), column[wide])


def _all_true(values: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Whether all values of every column are true."""
    return np.bincount(column, ~values) == 0


def _added_sites(specimen: ParticleSpecimen, cells: np.ndarray, column: np.ndarray) -> pd.DataFrame:
    positions = (specimen.particle.place(cells) + specimen.origin_A)[:, :2]
    atoms = np.bincount(column).astype(int)
    x, y = (np.bincount(column, along) / atoms for along in positions.T)
    return pd.DataFrame({"x_A": x, "y_A": y, "atoms": atoms, "region": "outside", "clear": True})


def _with_atoms(specimen: ParticleSpecimen, cells: np.ndarray) -> Structure:
    """Add atoms at lattice sites to a specimen."""
    added = specimen.particle.place(cells) + specimen.origin_A
    structure = specimen.structure
    return dataclasses.replace(
        structure,
        positions=np.concatenate([structure.positions, added]),
        numbers=np.concatenate([structure.numbers, np.full(len(added), specimen.particle.number)]),
    )


def _occupied_structure(everything: _Columns, occupied: np.ndarray) -> Structure:
    """Take the atoms of a configuration, those of the support included."""
    there = np.append(occupied, True)[everything.column]  # the support's column is -1, the last
    structure = everything.structure
    return dataclasses.replace(
        structure, positions=structure.positions[there], numbers=structure.numbers[there]
    )


def hop_rate(p_appear: np.ndarray, p_vanish: np.ndarray) -> np.ndarray:
    """Probability that two successive frames differ, 2ab / (a + b); 0 where both are zero."""
    total = p_appear + p_vanish
    return 2 * p_appear * p_vanish / np.where(total > 0, total, 1)


def occupancy(sites: pd.DataFrame, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the chains of all sites, from their stationary state on: whether the column is there.

    From their ``dynamic, p_appear, p_vanish``, shape (S, F); always true where it is not dynamic.
    """
    a, b = sites["p_appear"].to_numpy(), sites["p_vanish"].to_numpy()
    draws = rng.uniform(size=(frames, len(sites)))
    occupied = np.empty((frames, len(sites)), bool)
    stationary = np.where(a + b > 0, a / np.where(a + b > 0, a + b, 1), 1.0)
    occupied[0] = draws[0] < stationary
    for frame in range(1, frames):
        # Empty: fills with probability a. Full: stays with probability 1 - b.
        occupied[frame] = draws[frame] < np.where(occupied[frame - 1], 1 - b, a)
    occupied[:, ~sites["dynamic"].to_numpy()] = True
    return occupied.T
