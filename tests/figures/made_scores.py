"""Tables of scores like those of a model, for tests of the figures that draw them."""

import numpy as np
import pandas as pd

from atomsight.evaluation import atom_scores
from atomsight.evaluation.classification import wilson_interval
from atomsight.figures import column_performance

ATOMS = 2000
TILTS = (0.0, 2.0, 5.0)

#: Condition, unit, values and trained range.
SWEEPS = (
    ("defocus", "Å", (-240, -160, -83, 0, 120, 240), (-200, 200)),
    ("cs", "µm", (-25, -11.5, 0, 20), (-20, 20)),
    ("astigmatism", "Å", (0, 50, 100, 130), (0, 100)),
    ("vibration", "Å", (0, 0.2, 0.4), (0, 0.25)),
    ("pixel size", "Å", (0.07, 0.12, 0.2), (0.08, 0.2)),
    ("tilt", "°", (0, 10, 20), (0, 0)),
)


def scored(f1):
    """Counts, scores and intervals of images with about this F1."""
    hits = np.round(ATOMS * np.asarray(f1, float))
    misses, inventions = ATOMS - hits, np.round(0.6 * (ATOMS - hits))
    table = pd.DataFrame(
        {
            "true_positives": hits,
            "false_positives": inventions,
            "false_negatives": misses,
            "precision": hits / np.maximum(hits + inventions, 1),
            "recall": hits / ATOMS,
            "f1": 2 * hits / (2 * hits + misses + inventions),
        }
    )
    ends = {
        "precision": wilson_interval(hits, hits + inventions),
        "recall": wilson_interval(hits, hits + misses),
        "f1": atom_scores.f1_interval(hits, inventions, misses),
    }
    for name, (low, high) in ends.items():
        table[f"{name}_low"], table[f"{name}_high"] = low, high
    return table


def dose_scores():
    """As ``evaluate.py atoms`` writes it; the lowest doses are outside the trained range."""
    doses = 10 ** np.arange(1, 5.1, 0.5)
    quality = 1 / (1 + (180 / doses) ** 1.4)
    table = scored(quality).assign(dose_e_per_A2=doses, in_range=doses >= 90)
    table["rms_error_A"] = 0.02 + 0.2 / (1 + (doses / 1000) ** 0.5)
    table["bound_A"] = 6.6 / np.sqrt(doses)
    table["peaks_f1"] = 1 / (1 + (900 / doses) ** 0.8)
    table["peaks_rms_error_A"] = 0.06 + 0.2 / (1 + (doses / 3000) ** 0.5)
    for region, atoms, worse in (("grain", 1500, 1.0), ("boundary", 460, 0.97), ("edge", 40, 0.9)):
        hits = np.round(atoms * quality * worse)
        low, high = wilson_interval(hits, np.full(len(hits), atoms))
        name = f"recall_{region}"
        table = table.assign(**{name: hits / atoms, f"{name}_low": low, f"{name}_high": high})
        table[f"atoms_{region}"] = atoms
    return table


def condition_scores():
    """As ``evaluate.py conditions`` writes its first table."""
    rows = [
        (name, value, unit, dose, *trained, trained[0] <= value <= trained[1])
        for name, unit, values, trained in SWEEPS
        for value in values
        for dose in (1000, 10000)
    ]
    names = [
        "condition",
        "value",
        "unit",
        "dose_e_per_A2",
        "trained_low",
        "trained_high",
        "in_range",
    ]
    table = pd.DataFrame(rows, columns=names)
    rng = np.random.default_rng(0)
    best = np.where(table["dose_e_per_A2"] == 1000, 0.9, 0.99)
    f1 = best * np.where(table["in_range"], 1, 0.8) - 0.03 * rng.uniform(size=len(table))
    return table.join(scored(f1)).assign(peaks_f1=0.7 * f1)


def setting_scores(count=30):
    """As ``evaluate.py conditions`` writes its second table; every fifth is untrained."""
    rng = np.random.default_rng(0)
    limits, contrast = rng.uniform(0.9, 1.55, count), rng.uniform(0, 1, count)
    parts = []
    for dose, best in ((316, 0.85), (1000, 0.96), (3162, 0.99), (10000, 0.995)):
        part = scored(best * (1 - 0.25 * np.maximum(limits - 1.3, 0)) * contrast**0.05)
        part = part.assign(setting=np.arange(count), dose_e_per_A2=dose)
        part["information_limit_A"], part["phase_contrast"] = limits, contrast
        part["resolves_bond"] = limits <= 1.42
        parts.append(part.assign(in_range=np.arange(count) % 5 > 0))
    return pd.concat(parts, ignore_index=True)


def column_scores(zone_axes=("110", "111"), tilts=TILTS):
    """As ``evaluate.py columns`` writes its second table."""
    rows = [
        (axis, tilt, dose, 20, f1 - tilt / 50, 30 - 10 * f1, f1 / 2, 60 - 10 * f1)
        for axis in zone_axes
        for tilt in tilts
        for dose, f1 in ((1000, 0.9), (100, 0.5), (10000, 0.98))
    ]
    return pd.DataFrame(rows, columns=column_performance.COLUMNS)
