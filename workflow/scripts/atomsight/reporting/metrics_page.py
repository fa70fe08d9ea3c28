"""The page that says how far the models can be trusted, and how they compare with the paper's."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from atomsight.reporting import documents, model_details, paper_claims
from atomsight.reporting import figures_in_words as words
from atomsight.reporting.documents import Block, Bullets, Heading, Paragraph
from atomsight.reporting.evaluated_models import TRUSTED, EvaluatedModel

_FINDS = {
    "atoms": "atoms of",
    "columns": "columns of",
    "heights": "atoms counted in columns of",
    "species": "species in",
}

_HOW_TO_READ = (
    "Everything here was measured on simulated images of specimens that no training sees, taken by"
    " another simulation of the microscope than that of the training. Real images have more: drift,"
    " contamination, damage, aberrations that nobody drew.",
    f"A dose or a figure marked{words.BEYOND} is of conditions outside of what the model was"
    " trained on; tilts of particles are not looked at, and in backgrounds only the dose.",
    "In brackets stand 95 % intervals, as if atoms were right or wrong one by one; those of bond"
    " lengths and strain come from drawing patches of the image anew.",
    "The bound is that of Cramér and Rao: what the electrons allow a method that knows nothing of"
    " the specimen. A network knows what graphene looks like and may be better at a low dose; and"
    " as only what lies within 0.48 Å of an atom counts as that atom, no error can be much larger"
    " than 0.2 Å, which says nothing where the bound is larger.",
    "Classical: for positions the best that peak finding can do, its filter and its threshold"
    " chosen with the truth in hand; for counting a mixture model of intensities and the most"
    " similar of simulated columns, both told where the columns are.",
    "Errors of positions are root mean squares along one axis. Doses of focal series are those of"
    " all images together.",
)


def page(models: Sequence[EvaluatedModel], claims: pd.DataFrame) -> list[Block]:
    """Make the page, its models by what they find, then by name."""
    models = sorted(models, key=lambda model: (list(_FINDS).index(model.finds), model.name))
    blocks = [
        Heading("How far the models can be trusted", 1),
        Bullets(tuple(_TRUST[model.finds](model) for model in models)),
        Heading("How to read this page"),
        Bullets(_HOW_TO_READ),
    ]
    for model in models:
        low, high = (words.dose(dose) for dose in model.doses_e_per_A2)
        blocks.append(Heading(f"{model.name}: {_FINDS[model.finds]} {model.specimens}"))
        blocks.append(Paragraph(f"Trained on doses from {low} to {high} e/Å²."))
        blocks += model_details.details(model)
    return blocks + list(_beside_the_paper(models, claims))


def trusted_from(doses: np.ndarray, shares: np.ndarray, trained: np.ndarray) -> float | None:
    """Find the lowest dose from which on all shares that are right reach :data:`TRUSTED`.

    Doses at which a model was not trained do not count. None if there is no such dose.
    """
    order = np.argsort(doses[trained])
    doses, shares = doses[trained][order], shares[trained][order]
    enough = np.logical_and.accumulate((shares >= TRUSTED)[::-1])[::-1]
    return float(doses[enough][0]) if enough.any() else None


def _limit_of(model: EvaluatedModel, table: pd.DataFrame, name: str) -> float | None:
    return trusted_from(
        table["dose_e_per_A2"].to_numpy(float), table[name].to_numpy(), model.trained(table)
    )


def _best(model: EvaluatedModel, table: pd.DataFrame, name: str) -> str:
    """Say how good it gets, where that is not good enough."""
    within = table[model.trained(table)]
    if within.empty:
        return "it was measured at no dose of its training"
    row = within.loc[within[name].fillna(0).idxmax()]
    return f"{words.share(row[name])} at best, at {words.dose(row['dose_e_per_A2'])} e/Å²"


def _trust_in_atoms(model: EvaluatedModel) -> str:
    table = model.tables["evaluation"]
    dose = _limit_of(model, table, "f1")
    if dose is None:
        best = _best(model, table, "f1")
        return f"{model.name}: F1 of the atoms never stays at {TRUSTED:g}; {best}."
    row = table[table["dose_e_per_A2"] == dose].iloc[0]
    text = (
        f"{model.name}: trust the atoms from {words.dose(dose)} e/Å² on, under favourable"
        f" conditions; F1 is {words.bracketed(row, 'f1')} there and stays at {TRUSTED:g} or above,"
        f" positions are right to {words.picometres(row['rms_error_A'])}"
    )
    drawn = model.tables.get("settings")
    if drawn is None:
        return f"{text}."
    return f"{text}; {_over_settings(drawn)}."


def _over_settings(drawn: pd.DataFrame) -> str:
    """Say from which dose on microscopes drawn at random do as well."""
    resolving = drawn[drawn["resolves_bond"].astype(bool)]
    total = drawn["setting"].nunique()
    if resolving.empty:
        return f"none of {total} microscopes drawn at random resolves a bond"
    enough = (resolving["f1"] >= TRUSTED).groupby(resolving["dose_e_per_A2"]).mean()
    dose = enough.idxmax()
    return (
        f"of {total} microscopes drawn at random {resolving['setting'].nunique()} resolve a bond,"
        f" and {enough[dose]:.0%} of these reach {TRUSTED:g} at {words.dose(dose)} e/Å²"
    ).replace("%", " %")


def _trust_in_columns(model: EvaluatedModel) -> str:
    parts = []
    for axis, of_axis in model.tables["columns"].groupby("zone_axis", sort=False):
        limits = {
            tilt: _limit_of(model, of_tilt, "f1") for tilt, of_tilt in of_axis.groupby("tilt_deg")
        }
        reached = {tilt: dose for tilt, dose in limits.items() if dose is not None}
        # Every tilt up to the largest must be within reach.
        while reached and not all(limits[tilt] for tilt in limits if tilt <= max(reached)):
            del reached[max(reached)]
        if reached:
            parts.append(
                f"along ⟨{axis}⟩ from {words.dose(max(reached.values()))} e/Å² on at tilts up to"
                f" {max(reached):g}°"
            )
        else:
            parts.append(f"along ⟨{axis}⟩ nowhere ({_best(model, of_axis, 'f1')})")
    return f"{model.name}: trust the columns (F1 at least {TRUSTED:g}) " + "; ".join(parts) + "."


def _trust_in_heights(model: EvaluatedModel) -> str:
    table = model.tables["heights_summary"]
    parts = []
    for tilt, rows in table[table["method"] == "network"].groupby("tilt_high_deg"):
        dose = _limit_of(model, rows, "within_one")
        within = rows[model.trained(rows)]
        exact = words.percent(within["exact"].max()) if len(within) else words.NONE
        reach = (
            f"from {words.dose(dose)} e/Å² on"
            if dose
            else f"nowhere ({_best(model, rows, 'within_one')})"
        )
        parts.append(f"at tilts ≤ {tilt:g}° {reach}, and exactly right in {exact} at best")
    right = f"{TRUSTED:.0%}".replace("%", " %")
    return f"{model.name}: trust a count to one atom (right in {right}) {'; '.join(parts)}."


def _trust_in_species(model: EvaluatedModel) -> str:
    table = model.tables["species_summary"]
    dose = _limit_of(model, table, "accuracy")
    if dose is None:
        best = _best(model, table, "accuracy")
        return f"{model.name}: the share of right species never stays at {TRUSTED:g}; {best}."
    row = table[table["dose_e_per_A2"] == dose].iloc[0]
    return (
        f"{model.name}: trust the species from {words.dose(dose)} e/Å² on; a share of"
        f" {words.bracketed(row, 'accuracy')} is right there."
    )


_TRUST: dict[str, Callable[[EvaluatedModel], str]] = {
    "atoms": _trust_in_atoms,
    "columns": _trust_in_columns,
    "heights": _trust_in_heights,
    "species": _trust_in_species,
}


def _beside_the_paper(models: Sequence[EvaluatedModel], claims: pd.DataFrame) -> Iterator[Block]:
    yield Heading("Beside the paper")
    yield Paragraph(
        "Madsen et al., Adv. Theory Simul. 1, 1800037 (2018). Where a figure of the paper is not"
        " known from its text this is said; nothing is read off its curves. Its specimens and its"
        " noise are its own: the figures stand side by side, this is no contest."
    )
    for where, rows in claims.groupby("where", sort=False):
        quantities = rows["quantity"].unique()
        places = dict.fromkeys(paper_claims.MEASURED_ON[name] for name in quantities)
        yield Heading(where, 3)
        yield Paragraph(
            f"{' '.join(rows['claim'].unique())} Ours was measured on {' and '.join(places)}."
        )
        yield documents.table(
            ("quantity", "dose e/Å²", "tilt", "model", "ours", "the paper", "bound", "classical"),
            (line for _, claim in rows.iterrows() for line in _claim_lines(claim, models)),
        )


def _claim_lines(claim: pd.Series, models: Sequence[EvaluatedModel]) -> Iterator[tuple[str, ...]]:
    name = paper_claims.QUANTITIES[claim["quantity"]][0]
    dose = words.dose(claim["dose_e_per_A2"])
    found = paper_claims.answers(claim, models)
    for one in found or [paper_claims.Answer(words.NONE, "no such model")]:
        yield (
            *(name, dose + ("" if one.trained else words.BEYOND), one.conditions),
            *(one.model, one.ours),
            *(claim["figure"], one.bound, one.classical),
        )
