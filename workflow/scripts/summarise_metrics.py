"""Say on one page how far models can be trusted, beside the paper, the bound and classical methods.

TABLES is the folder with what the evaluations of a model left: evaluation.csv, conditions.csv,
settings.csv and strain.csv of a model for graphene, columns.csv and background.csv of one for
particles, heights_summary.csv of one that counts, species_summary.csv of one that names. The first
of these must be there. SUMMARY.md is Markdown that reads well as plain text; --html writes the same
page for a browser.

Example:
    python summarise_metrics.py summary.md \\
        --model data/models/graphene results/metrics/graphene \\
        --model data/models/gold results/metrics/gold
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from atomsight import command_line, materials
from atomsight.errors import InputError
from atomsight.files import atomic, provenance, tables
from atomsight.learning import models
from atomsight.reporting import documents, metrics_page, paper_claims
from atomsight.reporting.evaluated_models import TABLES, EvaluatedModel


@command_line.script
def main(argv: list[str] | None = None) -> None:
    given = parse(argv)
    evaluated = [read_model(folder, place) for folder, place in given.model]
    claims = paper_claims.read_claims(given.claims)
    blocks = metrics_page.page(sorted(evaluated, key=order), claims)
    write_text(given.summary, documents.to_markdown(blocks))
    if given.html:
        write_text(given.html, documents.to_html(blocks))


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("summary", metavar="SUMMARY.md", help="the page to write")
    arguments.add_argument(
        "--model",
        nargs=2,
        action="append",
        required=True,
        metavar=("MODEL", "TABLES"),
        help="folder of a model, and folder of its tables; once for every model",
    )
    arguments.add_argument("--html", metavar="SUMMARY.html", help="the same page as HTML")
    arguments.add_argument(
        "--claims",
        default=paper_claims.CLAIMS_FILE,
        metavar="CLAIMS.tsv",
        help="what the paper claims; data/paper_claims.tsv without it",
    )
    return arguments.parse_args(argv)


def order(model: EvaluatedModel) -> tuple[int, str]:
    """Place of a model on the page: by what it finds, then by its name."""
    return list(TABLES).index(model.finds), model.name


def read_model(folder: str, place: str) -> EvaluatedModel:
    """Read the card of a model and the tables of what was measured of it, the first at least."""
    card = models.read_card(folder)
    finds = materials.purpose(card.material, card.class_names)
    first = Path(place) / f"{next(iter(TABLES[finds]))}.csv"
    if not first.is_file():
        raise InputError(f"{first}: this table of the model {card.name} is missing; evaluate it")
    found = {
        name: read_table(Path(place) / f"{name}.csv", columns)
        for name, columns in TABLES[finds].items()
        if (Path(place) / f"{name}.csv").is_file()
    }
    low, high = card.microscope["dose_e_per_A2"]
    specimens = materials.material(card.material).IN_WORDS
    return EvaluatedModel(card.name, finds, specimens, (float(low), float(high)), found)


def read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that has rows, and numbers in these columns."""
    table = tables.read_csv(path, columns)
    if table.empty:
        raise InputError(f"{path}: the table has no rows; make it again")
    return table


def write_text(path: str, text: str) -> None:
    """Write a text whole or not at all."""
    with atomic.replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    provenance.write_notes(path)


if __name__ == "__main__":
    sys.exit(main())
