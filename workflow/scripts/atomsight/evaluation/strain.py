"""Evaluate how well bond lengths and strain of simulated graphene come out, against the dose.

Two sheets of which the training has none, a pristine one and one under a smooth known strain with a
hole, are imaged by abTEM's own microscope. The pristine sheet tells how broad the bond lengths
become by the errors of the positions, the strained one how far the strain is from the truth; all
positions go through the same measurement of strain. STRAIN.csv has one row per specimen, dose and
method (network, and peaks: classical peak finding, its filter and its threshold chosen with the
truth in hand): bonds, bond_mean_A and bond_std_A over all bonds found, true_bond_mean_A,
true_bond_std_A, strained_atoms (at which strain is measured), planar_rms and planar_bias (errors of
the planar strain), with 95 % intervals as _low and _high; in_range, whether the model was trained
on such images; bond_bound_A and planar_bound, the smallest standard deviation of a bond length and
of the planar strain that the electrons allow a method that knows nothing of graphene (Cramér–Rao).

Settings: pristine, strained, doses_e_per_A2, patch_A, resamples, seed, acquisition.

Example:
    python evaluate.py strain data/models/graphene strain.csv \\
        --settings '{"doses_e_per_A2": [1000, 10000]}'
"""

import argparse

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.analysis import strain
from atomsight.analysis.bonds import bond_lengths, find_bonds, find_rings
from atomsight.analysis.matching import match_atoms
from atomsight.config.analysis import StrainSettings
from atomsight.config.evaluation import StrainEvaluationSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation import lattice_bound, peaks, scores, trained_ranges
from atomsight.evaluation.readers import Finder, finder
from atomsight.files import tables
from atomsight.learning import models
from atomsight.phantoms import acquisition, specimens
from atomsight.phantoms.acquisition import Truth
from atomsight.phantoms.specimens import STRAIN_COMPONENTS

SECTION = "strain_evaluation"

POSITION = ["x_A", "y_A"]


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="STRAIN.csv", help="the table to write")
    command_line.add_settings(
        arguments,
        SECTION,
        StrainEvaluationSettings,
        inference=InferenceSettings,
        strain=StrainSettings,
    )


def run(given: argparse.Namespace) -> None:
    lattice = StrainSettings.parse(given.strain, "strain")
    chosen = StrainEvaluationSettings.parse(given.settings, SECTION)
    find = finder(given.model, chosen.acquisition, given.inference, "auto", SECTION)
    table = evaluate(chosen, lattice, find, models.read_card(given.model).microscope)
    tables.write_csv(given.output, table)
    command_line.print_table(table)


def evaluate(
    chosen: StrainEvaluationSettings, lattice: StrainSettings, find: Finder, trained: dict
) -> pd.DataFrame:
    """Image both sheets at every dose, measure bonds and strain, compare with the truth.

    ``trained`` are the ranges of the training of the network, from its card.
    """
    bounds = lattice_bound.lattice_bound(chosen.acquisition, chosen.doses_e_per_A2)
    rows = []
    for kind, (structure, known) in (
        ("pristine", specimens.pristine_sheet(chosen.pristine)),
        ("strained", specimens.strained_sheet(chosen.strained)),
    ):
        truth = acquisition.truth_in_view(structure, known, chosen.acquisition)
        intensity = acquisition.image_intensity(structure, chosen.acquisition)
        for number, dose in enumerate(chosen.doses_e_per_A2):
            optics = chosen.acquisition
            optics = optics.but(dose_e_per_A2=dose, seed=optics.seed + number)
            image = acquisition.expose(intensity, optics).astype("float32")
            for method, found in (
                ("network", find(image)),
                ("peaks", _best_peaks(image, optics.pixel_size_A, truth)),
            ):
                row = {"specimen": kind, "dose_e_per_A2": dose, "method": method}
                row["in_range"] = trained_ranges.in_range(trained, optics)
                row["bond_bound_A"], row["planar_bound"] = (float(one[number]) for one in bounds)
                rows.append(row | score(found, truth, chosen, lattice))
    return pd.DataFrame(rows)


def _best_peaks(image: np.ndarray, pixel_size_A: float, truth: Truth) -> np.ndarray:
    true = truth.atoms[POSITION].to_numpy(float)
    true = true[scores.inside(true, truth.field_of_view_A, 0.0)]
    return peaks.find_best_in_sheet(image, pixel_size_A, true, truth.field_of_view_A)[0]


def score(
    found: np.ndarray,
    truth: Truth,
    chosen: StrainEvaluationSettings,
    lattice: StrainSettings,
) -> dict[str, float]:
    """Bond lengths and errors of the strain of one image.

    ``bonds, bond_mean_A, bond_std_A`` over all bonds, those between atoms that do not exist
    included, and ``true_bond_mean_A, true_bond_std_A``; ``strained_atoms, planar_rms, planar_bias``
    as in :class:`atomsight.evaluation.scores.StrainScores`, of the atoms where strain is measured
    and known. ``_low`` and ``_high`` are limits of 95 % intervals.
    """
    template = strain.TEMPLATES[lattice.template](specimens.BOND_A)
    true = truth.atoms[POSITION].to_numpy(float)
    rng = np.random.default_rng(chosen.seed)
    places, lengths = bonds_inside(found, truth.field_of_view_A, template)
    _, true_lengths = bonds_inside(true, truth.field_of_view_A, template)
    counts, sums, squares = resampled_sums(places, lengths, chosen, rng)
    means = sums / counts
    row = {"bonds": len(lengths)}
    row |= _with_interval("bond_mean_A", _mean(lengths), means)
    row |= _with_interval("bond_std_A", _deviation(lengths), _root(squares / counts - means**2))
    row |= {"true_bond_mean_A": _mean(true_lengths), "true_bond_std_A": _deviation(true_lengths)}

    places, measured, known = _strain_beside_truth(found, truth, template, lattice)
    compared = scores.strain_scores(measured, known, lattice.reference == "relative")
    errors = _planar_errors(measured, known, lattice.reference == "relative")
    counts, _, squares = resampled_sums(places, errors, chosen, rng)
    row["strained_atoms"] = compared.strained_atoms
    row |= _with_interval("planar_rms", compared.planar_rms, _root(squares / counts))
    return row | {"planar_bias": compared.planar_bias}


def bonds_inside(
    positions: np.ndarray, field_of_view_A: tuple[float, float], template: strain.Template
) -> tuple[np.ndarray, np.ndarray]:
    """Middles [Å] and lengths [Å] of the bonds in the part of an image that counts."""
    bonds = find_bonds(positions, template.shells[0], template.reach)
    middles = positions[bonds].mean(axis=1)
    counts = scores.inside(middles, field_of_view_A)
    return middles[counts], bond_lengths(positions, bonds[counts])


def _strain_beside_truth(
    found: np.ndarray, truth: Truth, template: strain.Template, lattice: StrainSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give positions, measured and true strain of the atoms where both are known."""
    bonds = find_bonds(found, template.shells[0], template.reach)
    local = strain.fit_template(found, bonds, find_rings(found, bonds), template, lattice.max_rmsd)
    reference = strain.REFERENCES[lattice.reference](local.maps, template)
    table = strain.strain_table(local, reference, template.symmetry_rad)

    true = truth.atoms[POSITION].to_numpy(float)
    found_index, true_index = match_atoms(found, true, scores.MATCHING_RADIUS_A)
    measured = table[list(STRAIN_COMPONENTS)].to_numpy(float)[found_index]
    known = truth.atoms[list(STRAIN_COMPONENTS)].to_numpy(float)[true_index]
    kept = (
        scores.inside(true[true_index], truth.field_of_view_A)
        & np.isfinite(measured).all(axis=1)
        & np.isfinite(known).all(axis=1)
    )
    return true[true_index][kept], measured[kept], known[kept]


def _planar_errors(measured: np.ndarray, known: np.ndarray, relative: bool) -> np.ndarray:
    """Errors of the planar strain, referred to the mean size as in scores.strain_scores."""
    size = 1 + known[:, :2].mean() if relative and len(known) else 1.0
    return measured[:, :2].mean(axis=1) - ((known[:, :2].mean(axis=1) + 1) / size - 1)


def resampled_sums(
    places: np.ndarray,
    values: np.ndarray,
    chosen: StrainEvaluationSettings,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the patches of an image anew, many times, and sum over what lies in them.

    Neighbouring bonds share an atom, and neighbouring strains share most of theirs: patches are
    drawn, since they are nearly independent of each other and bonds are not. For every draw, the
    number of the values, their sum and that of their squares.
    """
    if len(values) == 0:
        return (np.full(chosen.resamples, np.nan),) * 3
    cells = np.floor(places / chosen.patch_A).astype(int)
    _, patch = np.unique(cells, axis=0, return_inverse=True)
    patch = patch.ravel()
    patches = patch.max() + 1
    moments = np.stack(
        [np.bincount(patch, weights, patches) for weights in (values**0, values, values**2)]
    )
    drawn = rng.multinomial(patches, np.full(patches, 1 / patches), size=chosen.resamples)
    counts, sums, squares = moments @ drawn.T
    return counts, sums, squares


def _with_interval(name: str, value: float, drawn: np.ndarray) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}


def _root(squares: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(squares, 0, None))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _deviation(values: np.ndarray) -> float:
    return float(values.std()) if len(values) else float("nan")
