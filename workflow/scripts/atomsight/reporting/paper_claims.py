"""Our figures beside what the paper claims.

J. Madsen et al., *Adv. Theory Simul.* 1, 1800037 (2018). What it claims is in
``data/paper_claims.tsv``; a figure that its text does not give is not made up here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight.errors import InputError
from atomsight.evaluation.classification import wilson_interval
from atomsight.files import tables
from atomsight.reporting import figures_in_words as words
from atomsight.reporting.evaluated_models import EvaluatedModel

CLAIMS_FILE = Path(__file__).resolve().parents[4] / "data" / "paper_claims.tsv"
COLUMNS = ("where", "quantity", "dose_e_per_A2", "tilt_deg", "figure", "claim")

#: What the quantities are called, and what a model that has them finds.
QUANTITIES = {
    "bond_length": ("bond length", "atoms"),
    "precision": ("precision", "atoms"),
    "recall": ("recall", "atoms"),
    "strain": ("error of planar strain, rms", "atoms"),
    "counted_exactly": ("columns counted exactly", "heights"),
    "errors_by_one": ("share of the wrong counts that are wrong by 1", "heights"),
    "off_by_1": ("columns wrong by 1", "heights"),
    "off_by_2": ("columns wrong by 2", "heights"),
    "off_by_3plus": ("columns wrong by 3 or more", "heights"),
}

#: On what they are measured, all simulated.
MEASURED_ON = {
    "bond_length": "a simulated pristine sheet (section strain_evaluation of the configuration)",
    "precision": "simulated polycrystalline graphene (section evaluation)",
    "recall": "simulated polycrystalline graphene (section evaluation)",
    "strain": "a simulated sheet under a smooth known strain (section strain_evaluation)",
} | dict.fromkeys(
    ("counted_exactly", "errors_by_one", "off_by_1", "off_by_2", "off_by_3plus"),
    "focal series of simulated gold particles along ⟨110⟩ (section height_evaluation)",
)

#: Doses that differ by less are the same.
_SAME_DOSE = 0.02

#: What classical methods of counting are called on the page.
COUNTING = {"intensity_mixture": "mixture", "column_library": "library"}


@dataclass(frozen=True)
class Answer:
    """Our figures for one claim, as text.

    ``ours`` has the 95 % interval, ``bound`` is the Cramér–Rao bound, ``conditions`` the tilt of
    the specimen, where that matters; ``trained`` says whether the model was trained on such images.
    """

    model: str
    ours: str
    bound: str = words.NONE
    classical: str = words.NONE
    conditions: str = words.NONE
    trained: bool = True


def read_claims(path: Path | str = CLAIMS_FILE) -> pd.DataFrame:
    """Read what the paper claims, a row per figure; ``tilt_deg`` is NaN where it has no meaning."""
    table = tables.read_list(path, COLUMNS, "table of claims")
    for number, quantity in enumerate(table["quantity"], start=1):
        if quantity not in QUANTITIES:
            raise InputError(
                f"{path}, row {number}: the quantity {quantity!r} is unknown; known are "
                f"{', '.join(QUANTITIES)}"
            )
    return table


def answers(claim: pd.Series, models: Sequence[EvaluatedModel]) -> list[Answer]:
    """Our figures for one claim, of every model that finds what it is about."""
    quantity = claim["quantity"]
    finds = QUANTITIES[quantity][1]
    give = _GIVE.get(quantity, _count)
    found = (give(model, claim) for model in models if model.finds == finds)
    return list(found)


def _at_dose(table: pd.DataFrame | None, dose_e_per_A2: float) -> pd.DataFrame:
    """Rows at a dose; none if there is no table."""
    if table is None:
        return pd.DataFrame()
    return table[np.isclose(table["dose_e_per_A2"], dose_e_per_A2, rtol=_SAME_DOSE, atol=0)]


def _detection(model: EvaluatedModel, claim: pd.Series) -> Answer:
    rows = _at_dose(model.tables["evaluation"], claim["dose_e_per_A2"])
    if rows.empty:
        return _not_measured(model)
    row, name = rows.iloc[0], claim["quantity"]
    return Answer(
        model.name,
        words.share(*(row[f"{name}{end}"] for end in ("", "_low", "_high"))),
        classical=words.share(row[f"peaks_{name}"]),
        trained=bool(model.trained(rows)[0]),
    )


def _bond_length(model: EvaluatedModel, claim: pd.Series) -> Answer:
    ours, peaks = _lattice_rows(model, claim, "pristine")
    if ours is None:
        return _not_measured(model)
    return Answer(
        model.name,
        _lengths(ours, f" ({ours['bond_std_A_low']:.3f}–{ours['bond_std_A_high']:.3f})"),
        bound=_spread(ours["bond_bound_A"]),
        classical=_lengths(peaks),
        trained=bool(ours["in_range"]),
    )


def _lengths(row: pd.Series, interval: str = "") -> str:
    if np.isnan(row["bond_mean_A"]):
        return "no bonds"
    return f"{row['bond_mean_A']:.3f} ± {row['bond_std_A']:.3f}{interval} Å"


def _spread(deviation_A: float) -> str:
    return f"± {deviation_A:.3f} Å" if np.isfinite(deviation_A) else words.NONE


def _strain(model: EvaluatedModel, claim: pd.Series) -> Answer:
    ours, peaks = _lattice_rows(model, claim, "strained")
    if ours is None:
        return _not_measured(model)
    bound = ours["planar_bound"]
    return Answer(
        model.name,
        _at_atoms(ours, *(ours[f"planar_rms{end}"] for end in ("_low", "_high"))),
        bound=_small_percent(bound) if np.isfinite(bound) else words.NONE,
        classical=_at_atoms(peaks),
        trained=bool(ours["in_range"]),
    )


def _at_atoms(row: pd.Series, low: float = np.nan, high: float = np.nan) -> str:
    """Tell an error and at how many atoms: few have a neighbourhood where positions are poor."""
    return f"{_small_percent(row['planar_rms'], low, high)} at {row['strained_atoms']:.0f} atoms"


def _small_percent(value: float, low: float = np.nan, high: float = np.nan) -> str:
    if np.isnan(value):
        return words.NONE
    ends = f" ({100 * low:.2f}–{100 * high:.2f})" if np.isfinite([low, high]).all() else ""
    return f"{100 * value:.2f} %{ends}"


def _lattice_rows(
    model: EvaluatedModel, claim: pd.Series, specimen: str
) -> tuple[pd.Series | None, pd.Series | None]:
    """Rows of network and peaks for a sheet at a dose."""
    rows = _at_dose(model.tables.get("strain"), claim["dose_e_per_A2"])
    if rows.empty:
        return None, None
    rows = rows[rows["specimen"] == specimen].set_index("method")
    return (rows.loc["network"], rows.loc["peaks"]) if len(rows) else (None, None)


def _count(model: EvaluatedModel, claim: pd.Series) -> Answer:
    rows = _at_dose(model.tables["heights_summary"], claim["dose_e_per_A2"])
    if not rows.empty:
        tilts = rows["tilt_high_deg"]
        rows = rows[tilts == (tilts.min() if claim["tilt_deg"] == 0 else claim["tilt_deg"])]
    if rows.empty:
        return _not_measured(model)
    by_method = rows.set_index("method")
    shares = {
        method: _counted_share(by_method.loc[method], claim["quantity"])
        for method in by_method.index
    }
    if "network" not in shares:
        return _not_measured(model)
    wrong, of = shares.pop("network")
    interval = wilson_interval(wrong, of)
    others = [
        f"{COUNTING.get(method, method)} {words.percent(part / whole)}" if whole else ""
        for method, (part, whole) in shares.items()
    ]
    return Answer(
        model.name,
        words.percent(wrong / of, *interval) if of else "no wrong count",
        classical=", ".join(filter(None, others)) or words.NONE,
        conditions=f"≤ {rows['tilt_high_deg'].iloc[0]:g}°",
        trained=bool(model.trained(rows)[0]),
    )


def _counted_share(row: pd.Series, quantity: str) -> tuple[int, int]:
    """Number of columns of which something is true, and of those among which they are counted."""
    columns = row["columns"]
    if quantity == "errors_by_one":
        return round(row["off_by_1"] * columns), round((1 - row["exact"]) * columns)
    name = "exact" if quantity == "counted_exactly" else quantity
    return round(row[name] * columns), round(columns)


def _not_measured(model: EvaluatedModel) -> Answer:
    return Answer(model.name, "not measured")


_GIVE = {
    "bond_length": _bond_length,
    "precision": _detection,
    "recall": _detection,
    "strain": _strain,
}
