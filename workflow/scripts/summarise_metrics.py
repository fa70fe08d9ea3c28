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

from atomsight import command_line


@command_line.script
def main(argv: list[str] | None = None) -> None:
    given = parse(argv)
    from atomsight.reporting import documents, metrics_page, paper_claims
    from atomsight.reporting.evaluated_models import read_model

    evaluated = [read_model(folder, place) for folder, place in given.model]
    claims = paper_claims.read_claims(given.claims or paper_claims.CLAIMS_FILE)
    blocks = metrics_page.page(evaluated, claims)
    documents.write(given.summary, documents.to_markdown(blocks))
    if given.html:
        documents.write(given.html, documents.to_html(blocks))


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
        metavar="CLAIMS.tsv",
        help="what the paper claims; data/paper_claims.tsv without it",
    )
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
