"""The page that says how far the models can be trusted, and how they compare with the paper's."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from atomsight.reporting import figures_in_words as words
from atomsight.reporting import paper_claims
from atomsight.reporting.documents import Block, Bullets, Heading, Paragraph, Table
from atomsight.reporting.evaluated_models import EvaluatedModel

#: An answer is trusted where this share of it is right.
TRUSTED = 0.99

#: Marks what a model was not trained on.
_BEYOND = " †"

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
    f"A dose marked{_BEYOND} is, or the conditions with it are, outside of what the model was"
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
        blocks += _DETAILS[model.finds](model)
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
        f" conditions; F1 is {_bracketed(row, 'f1')} there and stays at {TRUSTED:g} or above,"
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
        f" {_bracketed(row, 'accuracy')} is right there."
    )


_TRUST: dict[str, Callable[[EvaluatedModel], str]] = {
    "atoms": _trust_in_atoms,
    "columns": _trust_in_columns,
    "heights": _trust_in_heights,
    "species": _trust_in_species,
}


_OTHER_CAMERAS = "The same electrons on other cameras:"


def _details_of_atoms(model: EvaluatedModel) -> Iterator[Block]:
    table = model.tables["evaluation"]
    yield Paragraph("Against the dose, on polycrystalline graphene under favourable conditions:")
    yield _table(
        ("dose e/Å²", "precision", "recall", "F1", "F1 of peaks"),
        (
            (
                _dose(row),
                *(_bracketed(row, name) for name in ("precision", "recall", "f1")),
                words.share(row["peaks_f1"]),
            )
            for row in _rows(model, table)
        ),
    )
    regions = [
        name.removeprefix("recall_")
        for name in table
        if name.startswith("recall_") and not name.endswith(("_low", "_high"))
    ]
    yield Paragraph("Errors of the positions, and recall by region of the specimen:")
    yield _table(
        ("dose e/Å²", "error", "bound", "error of peaks", *(f"recall, {one}" for one in regions)),
        (
            (
                _dose(row),
                *(words.picometres(row[f"{one}_A"]) for one in ("rms_error", "bound")),
                words.picometres(row["peaks_rms_error_A"]),
                *(_bracketed(row, f"recall_{region}") for region in regions),
            )
            for row in _rows(model, table)
        ),
    )
    if len(cameras := model.tables.get("cameras", ())):
        yield Paragraph(_OTHER_CAMERAS)
        yield _table(
            ("camera", "dose e/Å²", "precision", "recall", "F1", "F1 of peaks"),
            (
                (
                    row["camera"],
                    _dose(row),
                    *(_bracketed(row, name) for name in ("precision", "recall", "f1")),
                    words.share(row["peaks_f1"]),
                )
                for row in _rows(model, cameras)
            ),
        )
    if "conditions" in model.tables:
        yield from _conditions(model.tables["conditions"])
    if "settings" in model.tables:
        yield from _settings(model.tables["settings"])


def _conditions(table: pd.DataFrame) -> Iterator[Block]:
    yield Paragraph(
        "One condition varied at a time: the lowest F1, and where, among the values on which the"
        f" model was trained and among those beyond{_BEYOND}:"
    )
    lines = []
    for (condition, dose), rows in table.groupby(["condition", "dose_e_per_A2"], sort=False):
        within = rows["in_range"].to_numpy(bool)
        ends = f"{rows['value'].min():g} to {rows['value'].max():g} {rows['unit'].iloc[0]}"
        cells = [_lowest(part) for part in (rows[within], rows[~within])]
        lines.append((condition, ends, words.dose(dose), *cells, _lowest(rows, "peaks_f1")))
    header = ("condition", "values", "dose e/Å²", "trained", f"beyond{_BEYOND}", "peaks")
    yield _table(header, lines)


def _lowest(rows: pd.DataFrame, name: str = "f1") -> str:
    if rows.empty:
        return words.NONE
    row = rows.loc[rows[name].fillna(0).idxmin()]
    return f"{words.share(row[name])} at {row['value']:g} {row['unit']}"


def _settings(table: pd.DataFrame) -> Iterator[Block]:
    resolving = table["resolves_bond"].astype(bool)
    yield Paragraph(
        f"Microscopes drawn at random, {table['setting'].nunique()} of them;"
        f" {table.loc[resolving, 'setting'].nunique()} have an information limit that reaches the"
        " 1.42 Å of a bond. F1 of these and of the others, and how many reach 0.99:"
    )
    lines = []
    for dose, rows in table.groupby("dose_e_per_A2"):
        yes = resolving[rows.index]
        for name, part in (("resolved", rows[yes]), ("not resolved", rows[~yes])):
            if len(part):
                beyond = "" if part["in_range"].astype(bool).all() else _BEYOND
                lines.append((words.dose(dose) + beyond, name, str(len(part)), *_spread(part)))
    header = (
        "dose e/Å²",
        "bond",
        "microscopes",
        "mean",
        "worst tenth",
        "lowest",
        "≥ 0.99",
        "peaks",
    )
    yield _table(header, lines)


def _spread(part: pd.DataFrame) -> tuple[str, ...]:
    f1 = part["f1"]
    return (
        words.share(f1.mean()),
        words.share(f1.quantile(0.1)),
        words.share(f1.min()),
        str(int((f1 >= TRUSTED).sum())),
        words.share(part["peaks_f1"].mean()),
    )


def _details_of_columns(model: EvaluatedModel) -> Iterator[Block]:
    keys = {"zone_axis": ("zone axis", "⟨{}⟩"), "tilt_deg": ("tilt", "{:g}°")}

    def f1(row: pd.Series) -> str:
        return f"{words.share(row['f1'])} ({words.share(row['classical_f1'])})"

    yield Paragraph("F1 against tilt and dose, and in brackets that of peak finding:")
    yield _by_dose(model, model.tables["columns"], keys, f1)
    if len(cameras := model.tables.get("cameras", ())):
        yield Paragraph(_OTHER_CAMERAS)
        yield _by_dose(model, cameras, {"camera": ("camera", "{}")} | keys, f1)
    yield Paragraph("Errors of the positions, likewise:")
    yield _by_dose(
        model,
        model.tables["columns"],
        keys,
        lambda row: (
            f"{words.picometres(row['rms_error_pm'] / 100)}"
            f" ({words.picometres(row['classical_rms_error_pm'] / 100)})"
        ),
    )
    if "background" in model.tables:
        yield Paragraph("Columns per nm² found where there are none:")
        yield _by_dose(
            model,
            model.tables["background"],
            {"background": ("background", "{}")},
            lambda row: (
                f"{row['per_nm2']:.2g} ({row['per_nm2_low']:.2g}–{row['per_nm2_high']:.2g})"
            ),
        )


def _details_of_heights(model: EvaluatedModel) -> Iterator[Block]:
    table = model.tables["heights_summary"].replace({"method": paper_claims.COUNTING})
    keys = {"tilt_high_deg": ("tilt", "≤ {:g}°"), "method": ("method", "{}")}

    def exact(row: pd.Series) -> str:
        return f"{100 * row['exact']:.1f} / {100 * row['within_one']:.1f}"

    yield Paragraph("Columns counted exactly / to one atom, in percent:")
    yield _by_dose(model, table, keys, exact)
    yield Paragraph(
        "Columns of 1 to 6 atoms counted exactly, in percent / mean of counted less true, all"
        " columns found:"
    )
    yield _by_dose(
        model,
        table,
        keys,
        lambda row: f"{100 * row['exact_1_6']:.1f} / {row['mean_error']:+.2f}",
    )
    if len(cameras := model.tables.get("cameras", ())):
        yield Paragraph(f"{_OTHER_CAMERAS[:-1]}, exactly / to one atom, counted by the network:")
        tilt = {"tilt_high_deg": ("tilt", "≤ {:g}°")}
        yield _by_dose(model, cameras, {"camera": ("camera", "{}")} | tilt, exact)
    if "heights_displacements" in model.tables:
        yield from _displacements(model.tables["heights_displacements"])


def _displacements(table: pd.DataFrame) -> Iterator[Block]:
    first = table.iloc[0]
    yield Paragraph(
        "Against the displacements of the atoms, root mean square along one axis, at"
        f" {words.dose(first['dose_e_per_A2'])} e/Å² and tilts ≤ {first['tilt_high_deg']:g}°:"
        " columns counted exactly, of all and of those of 1 to 6 atoms, and the mean of counted"
        " less true:"
    )
    yield _table(
        ("thermal", "static", "columns", "exact", "exact, 1 to 6 atoms", "mean error"),
        (
            (
                *(f"{row[f'{kind}_displacement_A']:g} Å" for kind in ("thermal", "static")),
                f"{row['columns']:.0f}",
                *(words.percent(*_ends(row, name)) for name in ("exact", "exact_1_6")),
                words.difference(*_ends(row, "mean_error")),
            )
            for row in table.to_dict("records")
        ),
    )


def _details_of_species(model: EvaluatedModel) -> Iterator[Block]:
    table = model.tables["species_summary"]
    named = [name.removeprefix("f1_") for name in table if name.startswith("f1_")]
    frames = table["frames"].iloc[0]
    together = "one image" if frames == 1 else f"{frames} images together"
    yield Paragraph(f"Sites with the right species, from {together}:")
    yield _table(
        (
            *("dose e/Å²", "right species", "missed", "invented", "calibration error"),
            *(f"F1 of {name}" for name in named),
        ),
        (
            (
                _dose(row),
                _bracketed(row, "accuracy"),
                *(f"{row[name]:.0f} of {row['sites']:.0f}" for name in ("missed", "invented")),
                words.share(row["calibration_error"]),
                *(words.share(row[f"f1_{name}"]) for name in named),
            )
            for row in _rows(model, table)
        ),
    )
    if len(cameras := model.tables.get("cameras", ())):
        yield Paragraph(_OTHER_CAMERAS)
        yield _table(
            ("camera", "dose e/Å²", "right species", *(f"F1 of {name}" for name in named)),
            (
                (
                    row["camera"],
                    _dose(row),
                    _bracketed(row, "accuracy"),
                    *(words.share(row[f"f1_{name}"]) for name in named),
                )
                for row in _rows(model, cameras)
            ),
        )


_DETAILS: dict[str, Callable[[EvaluatedModel], Iterator[Block]]] = {
    "atoms": _details_of_atoms,
    "columns": _details_of_columns,
    "heights": _details_of_heights,
    "species": _details_of_species,
}


def _by_dose(
    model: EvaluatedModel,
    table: pd.DataFrame,
    keys: dict[str, tuple[str, str]],
    cell: Callable[[pd.Series], str],
) -> Table:
    """Make a table with one column per dose; keys give header and form of the first columns."""
    marked = table.assign(dose_text=[_dose(row) for row in _rows(model, table)])
    doses = list(marked.sort_values("dose_e_per_A2")["dose_text"].unique())
    lines = []
    for values, rows in marked.groupby(list(keys), sort=False):
        cells = {row["dose_text"]: cell(row) for _, row in rows.iterrows()}
        first = [form.format(value) for (_, form), value in zip(keys.values(), values, strict=True)]
        lines.append((*first, *(cells.get(dose, words.NONE) for dose in doses)))
    header = [header for header, _ in keys.values()]
    return _table((*header, *(f"{dose} e/Å²" for dose in doses)), lines)


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
        yield _table(
            ("quantity", "dose e/Å²", "tilt", "model", "ours", "the paper", "bound", "classical"),
            (line for _, claim in rows.iterrows() for line in _claim_lines(claim, models)),
        )


def _claim_lines(claim: pd.Series, models: Sequence[EvaluatedModel]) -> Iterator[tuple[str, ...]]:
    name = paper_claims.QUANTITIES[claim["quantity"]][0]
    dose = words.dose(claim["dose_e_per_A2"])
    found = paper_claims.answers(claim, models)
    for one in found or [paper_claims.Answer(words.NONE, "no such model")]:
        yield (
            *(name, dose + ("" if one.trained else _BEYOND), one.conditions, one.model, one.ours),
            *(claim["figure"], one.bound, one.classical),
        )


def _rows(model: EvaluatedModel, table: pd.DataFrame) -> list[dict]:
    """Rows of a table with a mark whether the model was trained on such images."""
    return table.assign(_trained=model.trained(table)).to_dict("records")


def _dose(row: dict) -> str:
    return words.dose(row["dose_e_per_A2"]) + ("" if row["_trained"] else _BEYOND)


def _bracketed(row: dict | pd.Series, name: str) -> str:
    return words.share(*_ends(row, name))


def _ends(row: dict | pd.Series, name: str) -> tuple[float, float, float]:
    """A value and the ends of its interval, NaN where they are not known."""
    return row[name], *(row.get(f"{name}{end}", float("nan")) for end in ("_low", "_high"))


def _table(columns: Sequence[str], rows: Iterator[Sequence[str]] | Sequence) -> Table:
    return Table(tuple(columns), tuple(map(tuple, rows)))
