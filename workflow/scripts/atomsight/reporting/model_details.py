"""What was measured of one model, as tables of the metrics page."""

from collections.abc import Callable, Iterator

import pandas as pd

from atomsight.reporting import documents, paper_claims
from atomsight.reporting import figures_in_words as words
from atomsight.reporting.documents import Block, Paragraph, Table
from atomsight.reporting.evaluated_models import TRUSTED, EvaluatedModel

_OTHER_CAMERAS = "The same electrons on other cameras:"


def details(model: EvaluatedModel) -> Iterator[Block]:
    """Tables of all that was measured of a model, with a sentence in front of each."""
    return _DETAILS[model.finds](model)


def _details_of_atoms(model: EvaluatedModel) -> Iterator[Block]:
    table = model.tables["evaluation"]
    yield Paragraph("Against the dose, on polycrystalline graphene under favourable conditions:")
    yield documents.table(
        ("dose e/Å²", "precision", "recall", "F1", "F1 of peaks"),
        (
            (
                _dose(row),
                *(words.bracketed(row, name) for name in ("precision", "recall", "f1")),
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
    yield documents.table(
        ("dose e/Å²", "error", "bound", "error of peaks", *(f"recall, {one}" for one in regions)),
        (
            (
                _dose(row),
                *(words.picometres(row[f"{one}_A"]) for one in ("rms_error", "bound")),
                words.picometres(row["peaks_rms_error_A"]),
                *(words.bracketed(row, f"recall_{region}") for region in regions),
            )
            for row in _rows(model, table)
        ),
    )
    if len(cameras := model.tables.get("cameras", ())):
        yield Paragraph(_OTHER_CAMERAS)
        yield documents.table(
            ("camera", "dose e/Å²", "precision", "recall", "F1", "F1 of peaks"),
            (
                (
                    row["camera"],
                    _dose(row),
                    *(words.bracketed(row, name) for name in ("precision", "recall", "f1")),
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
        f" model was trained and among those beyond{words.BEYOND}:"
    )
    lines = []
    for (condition, dose), rows in table.groupby(["condition", "dose_e_per_A2"], sort=False):
        within = rows["in_range"].to_numpy(bool)
        ends = f"{rows['value'].min():g} to {rows['value'].max():g} {rows['unit'].iloc[0]}"
        cells = [_lowest(part) for part in (rows[within], rows[~within])]
        lines.append((condition, ends, words.dose(dose), *cells, _lowest(rows, "peaks_f1")))
    header = ("condition", "values", "dose e/Å²", "trained", f"beyond{words.BEYOND}", "peaks")
    yield documents.table(header, lines)


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
                beyond = "" if part["in_range"].astype(bool).all() else words.BEYOND
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
    yield documents.table(header, lines)


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

    def f1(row: dict) -> str:
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

    def exact(row: dict) -> str:
        return f"{words.percent(row['exact'])} / {words.percent(row['within_one'])}"

    yield Paragraph("Columns counted exactly / to one atom:")
    yield _by_dose(model, table, keys, exact)
    yield Paragraph(
        "Columns of 1 to 6 atoms counted exactly / mean of counted less true, all columns found:"
    )
    yield _by_dose(
        model,
        table,
        keys,
        lambda row: f"{words.percent(row['exact_1_6'])} / {words.difference(row['mean_error'])}",
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
    yield documents.table(
        ("thermal", "static", "columns", "exact", "exact, 1 to 6 atoms", "mean error"),
        (
            (
                *(f"{row[f'{kind}_displacement_A']:g} Å" for kind in ("thermal", "static")),
                f"{row['columns']:.0f}",
                *(words.percent(*words.ends(row, name)) for name in ("exact", "exact_1_6")),
                words.difference(*words.ends(row, "mean_error")),
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
    yield documents.table(
        (
            *("dose e/Å²", "right species", "missed", "invented", "calibration error"),
            *(f"F1 of {name}" for name in named),
        ),
        (
            (
                _dose(row),
                words.bracketed(row, "accuracy"),
                *(f"{row[name]:.0f} of {row['sites']:.0f}" for name in ("missed", "invented")),
                words.share(row["calibration_error"]),
                *(words.share(row[f"f1_{name}"]) for name in named),
            )
            for row in _rows(model, table)
        ),
    )
    if len(cameras := model.tables.get("cameras", ())):
        yield Paragraph(_OTHER_CAMERAS)
        yield documents.table(
            ("camera", "dose e/Å²", "right species", *(f"F1 of {name}" for name in named)),
            (
                (
                    row["camera"],
                    _dose(row),
                    words.bracketed(row, "accuracy"),
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
    cell: Callable[[dict], str],
) -> Table:
    """Make a table with one column per dose; keys give header and form of the first columns."""
    doses = sorted(table["dose_e_per_A2"].unique())
    lines = []
    for values, rows in table.groupby(list(keys), sort=False):
        cells = {row["dose_e_per_A2"]: cell(row) + _mark(row) for row in _rows(model, rows)}
        first = [form.format(value) for (_, form), value in zip(keys.values(), values, strict=True)]
        lines.append((*first, *(cells.get(dose, words.NONE) for dose in doses)))
    header = [header for header, _ in keys.values()]
    return documents.table((*header, *(f"{words.dose(dose)} e/Å²" for dose in doses)), lines)


def _rows(model: EvaluatedModel, table: pd.DataFrame) -> list[dict]:
    """Rows of a table with a mark whether the model was trained on such images."""
    return table.assign(_trained=model.trained(table)).to_dict("records")


def _dose(row: dict) -> str:
    return words.dose(row["dose_e_per_A2"]) + _mark(row)


def _mark(row: dict) -> str:
    return "" if row["_trained"] else words.BEYOND
