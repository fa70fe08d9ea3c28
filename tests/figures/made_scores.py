"""Tables of scores like those of a model, for tests of the figures that draw them."""

import numpy as np
import pandas as pd

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


def grid(**values):
    """A table of all combinations of values."""
    return pd.MultiIndex.from_product(values.values(), names=values).to_frame(index=False)


def with_ends(name, values, by=0.01):
    """The columns of a score and of the ends of its interval."""
    values = np.asarray(values)
    return {name: values, f"{name}_low": values - by, f"{name}_high": values + by}


def dose_scores():
    """As ``evaluate.py atoms`` writes it; the lowest doses are outside the trained range."""
    doses = 10 ** np.arange(1, 5.1, 0.5)
    quality = 1 / (1 + (180 / doses) ** 1.4)
    table = {
        "dose_e_per_A2": doses,
        "in_range": doses >= 90,
        "true_positives": np.round(2000 * quality),
        "false_positives": np.round(1200 * (1 - quality)),
        "false_negatives": np.round(2000 * (1 - quality)),
        "rms_error_A": 0.02 + 0.2 / (1 + (doses / 1000) ** 0.5),
        "bound_A": 6.6 / np.sqrt(doses),
        "peaks_f1": 1 / (1 + (900 / doses) ** 0.8),
        "peaks_rms_error_A": 0.06 + 0.2 / (1 + (doses / 3000) ** 0.5),
        "atoms_grain": 1500,
    }
    recalls = (f"recall_{region}" for region in ("grain", "boundary", "edge"))
    for number, name in enumerate(("precision", "recall", "f1", *recalls)):
        table |= with_ends(name, quality * 0.97**number)
    main = pd.DataFrame(table).assign(camera="main")
    others = [
        main[main["dose_e_per_A2"].between(300, 3500)].assign(camera=name, in_range=known, f1=0.8)
        for name, known in (("ideal", False), ("direct", True))
    ]
    return pd.concat([main, *others], ignore_index=True)


def condition_scores():
    """As ``evaluate.py conditions`` writes its first table."""
    sweeps = [
        grid(condition=[name], value=values, unit=[unit], dose_e_per_A2=[1000, 10000]).assign(
            trained_low=low, trained_high=high
        )
        for name, unit, values, (low, high) in SWEEPS
    ]
    table = pd.concat(sweeps, ignore_index=True)
    in_range = table["value"].between(table["trained_low"], table["trained_high"])
    f1 = np.where(table["dose_e_per_A2"] == 1000, 0.9, 0.99) * np.where(in_range, 1, 0.8)
    return table.assign(in_range=in_range, peaks_f1=0.7 * f1, **with_ends("f1", f1))


def setting_scores(count=30):
    """As ``evaluate.py conditions`` writes its second table; every fifth is untrained."""
    rng = np.random.default_rng(0)
    table = grid(dose_e_per_A2=[316, 1000, 3162, 10000], setting=range(count))
    table["information_limit_A"] = np.tile(rng.uniform(0.9, 1.55, count), 4)
    table["phase_contrast"] = np.tile(rng.uniform(0, 1, count), 4)
    f1 = np.repeat([0.85, 0.96, 0.98, 0.985], count) * table["phase_contrast"] ** 0.05
    resolves_bond, in_range = table["information_limit_A"] <= 1.42, table["setting"] % 5 > 0
    return table.assign(resolves_bond=resolves_bond, in_range=in_range, **with_ends("f1", f1))


def column_scores(zone_axes=("110", "111")):
    """As ``evaluate.py columns`` writes its second table."""
    table = grid(zone_axis=zone_axes, tilt_deg=TILTS, dose_e_per_A2=[1000, 100, 10000])
    aligned = table["dose_e_per_A2"].map({100: 0.5, 1000: 0.9, 10000: 0.98})
    known = {"particles": 20, "f1": aligned - table["tilt_deg"] / 50, "classical_f1": aligned / 2}
    errors = {"rms_error_pm": 30 - 10 * aligned, "classical_rms_error_pm": 60 - 10 * aligned}
    return table.assign(camera="main", **known, **errors)
