"""How well atoms were found, and how well their strain was measured, against the truth.

Positions are ``(x, y)`` in Å. A field of view runs from the centre of the first pixel to that of
the last. True positions are also those in the rim and just outside the image.
"""

from dataclasses import dataclass

import numpy as np

from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ScoreSettings

#: Farther than this from the true position, an atom is not the one meant [Å].
MATCHING_RADIUS_A = ScoreSettings().radius_A

#: Atoms this near the rim of the image are not counted [Å].
BORDER_A = ScoreSettings().border_A


@dataclass(frozen=True)
class DetectionScores:
    """Atoms found, found where there is none, and missed; and what follows from these numbers.

    Precision, recall and their harmonic mean are 0 where nothing is counted. ``rms_error_A`` is
    along one axis, √⟨(dx² + dy²) / 2⟩; NaN if no atom was found.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    precision: float
    recall: float
    f1: float
    rms_error_A: float


@dataclass(frozen=True)
class StrainScores:
    """Root mean square and mean errors of the strain at the atoms that have one; else NaN."""

    strained_atoms: int
    planar_rms: float
    planar_bias: float
    e_xx_rms: float
    e_yy_rms: float
    e_xy_rms: float


def inside(
    positions: np.ndarray, field_of_view_A: tuple[float, float], border_A: float = BORDER_A
) -> np.ndarray:
    """Whether atoms lie in the part of an image that counts, without its rim."""
    farthest = np.asarray(field_of_view_A) - border_A
    return ((positions >= border_A) & (positions <= farthest)).all(axis=1)


def detection_scores(
    found: np.ndarray,
    true: np.ndarray,
    field_of_view_A: tuple[float, float],
    border_A: float = BORDER_A,
    radius_A: float = MATCHING_RADIUS_A,
) -> DetectionScores:
    """Count hits, misses and inventions.

    All atoms are paired before the rim is left out, and a pair counts where its true atom lies. An
    atom at the cut whose two positions lie on either side of it is thus never an error.
    """
    found_index, true_index = match_atoms(found, true, radius_A)
    true_counts = inside(true, field_of_view_A, border_A)
    alone = np.ones(len(found), bool)
    alone[found_index] = False

    hit = true_counts[true_index]
    hits = int(hit.sum())
    inventions = int((alone & inside(found, field_of_view_A, border_A)).sum())
    misses = int(true_counts.sum()) - hits
    errors = (found[found_index] - true[true_index])[hit]
    return DetectionScores(
        true_positives=hits,
        false_positives=inventions,
        false_negatives=misses,
        precision=_share(hits, hits + inventions),
        recall=_share(hits, hits + misses),
        f1=_share(2 * hits, 2 * hits + inventions + misses),
        rms_error_A=_root_mean_square(errors),
    )


def recall_by_region(
    found: np.ndarray,
    true: np.ndarray,
    region: np.ndarray,
    field_of_view_A: tuple[float, float],
    border_A: float = BORDER_A,
    radius_A: float = MATCHING_RADIUS_A,
) -> dict[str, float]:
    """Share of the atoms found in every region; ``region`` names that of every true atom."""
    _, true_index = match_atoms(found, true, radius_A)
    hit = np.zeros(len(true), bool)
    hit[true_index] = True
    counts = inside(true, field_of_view_A, border_A)
    return {str(name): float(hit[counts & (region == name)].mean()) for name in set(region[counts])}


def strain_scores(measured: np.ndarray, true: np.ndarray, relative: bool = True) -> StrainScores:
    """Compare measured and true strain ``e_xx, e_yy, e_xy``, shape (M, 3), NaN where not known.

    A relative measurement is relative to a lattice of the mean size; then the truth is made so too,
    over the same atoms: those where both are known.
    """
    known = np.isfinite(measured).all(axis=1) & np.isfinite(true).all(axis=1)
    measured, true = measured[known], true[known]
    if not known.any():
        return StrainScores(0, *(float("nan"),) * 5)
    errors = measured - (_relative_to_mean_size(true) if relative else true)
    planar = errors[:, :2].mean(axis=1)
    return StrainScores(
        int(known.sum()),
        _root_mean_square(planar),
        float(planar.mean()),
        *(_root_mean_square(component) for component in errors.T),
    )


def _relative_to_mean_size(strain: np.ndarray) -> np.ndarray:
    """Refer strain to a perfect lattice of the mean size."""
    unit = np.array([1, 1, 0])
    return (strain + unit) / (1 + strain[:, :2].mean()) - unit


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _root_mean_square(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")
