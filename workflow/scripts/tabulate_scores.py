"""Put the tables of scores on one page for a browser, as the report shows it.

Every table becomes a section of PAGE.html, under its path as it is given; then follow the commit of
the code, the versions of libraries and, with --settings, every key of the configuration.

Example:
    python tabulate_scores.py scores.html results/models/graphene/evaluation.csv \\
        results/series/simulated_pristine/scores.csv
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atomsight import command_line
from atomsight.files import provenance
from atomsight.reporting import documents

if TYPE_CHECKING:
    import pandas as pd


@command_line.script
def main(argv: list[str] | None = None) -> None:
    given = parse(argv)
    from atomsight.files import tables

    blocks = [documents.Heading("Scores", 1)]
    for path in given.tables:
        blocks += [documents.Heading(path), as_text(tables.read_csv(path, ()))]
    notes = provenance.notes()
    made_by = {"commit": notes["git"]} | notes["versions"]
    blocks += [documents.Heading("Code"), listed(made_by)]
    blocks += [documents.Heading("Configuration"), listed(command_line.read_json(given.settings))]
    documents.write(given.page, documents.to_html(blocks))


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("page", metavar="PAGE.html", help="the page to write")
    arguments.add_argument("tables", metavar="TABLE.csv", nargs="+", help="tables to show")
    arguments.add_argument(
        "--settings", default="{}", metavar="JSON", help="the whole configuration, or @FILE"
    )
    return arguments.parse_args(argv)


def as_text(table: "pd.DataFrame") -> documents.Table:
    """Write a table's numbers with four digits; what is missing stays empty."""
    rows = table.astype(object).where(table.notna(), "").itertuples(index=False)
    return documents.Table(
        tuple(map(str, table.columns)), tuple(tuple(map(_cell, row)) for row in rows)
    )


def listed(values: dict) -> documents.Table:
    """List every value under its key, those of a table inside as ``outer.inner``."""
    return documents.Table(("key", "value"), tuple(_rows(values, "")))


def _rows(values: dict, above: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _rows(value, f"{above}{key}.")
        else:
            yield above + key, json.dumps(value, ensure_ascii=False)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
