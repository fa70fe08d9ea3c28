"""Write a trained model as it ships: small weights, the card, the history, and a README.

MODEL is the folder of a trained model, SHIPPED the folder to write, such as data/models/graphene;
its last part becomes the name of the model. Weights are stored as float16 if the maps of test
images then differ by less than 0.01 in any pixel from those of the model, else as float32. The
test images are spots with noise, and those of --frames. README.md says what the model was trained
for, how good it is, its limits, and how to train it again. No file may have more than 20 MB.

Example:
    python ship_model.py results/models/mos2_laptop/model data/models/mos2 --time "15 min" \\
        --table species_summary.csv "Species named" dose_e_per_A2 accuracy f1_S
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.files import atomic

if TYPE_CHECKING:
    from atomsight.reporting.shipping import EvaluationTable


@command_line.script
def main(argv: list[str] | None = None) -> None:
    given = parse(argv)
    from atomsight.learning import models
    from atomsight.reporting import shipping
    from atomsight.reporting.shipping import Story

    tables = [read_table(words) for words in given.table]
    name = models.read_card(given.model).name
    story = Story(given.command or retraining(name), given.time, given.limit, tables)
    chosen = shipping.ship(given.model, given.shipped, story, given.frames)
    if given.detection_errors:
        with atomic.replacing(given.shipped / "detection_errors.csv") as partial:
            shutil.copyfile(given.detection_errors, partial)
    print(f"{given.shipped}: {shipping.in_words(chosen)}")


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("shipped", metavar="SHIPPED", type=Path, help="the folder to write")
    arguments.add_argument(
        "--table",
        metavar=("FILE.csv CAPTION", "COLUMN"),
        nargs="+",
        action="append",
        default=[],
        help="a table of the evaluation for the README, what it shows, and the columns to show; "
        "all without them (may be given several times)",
    )
    arguments.add_argument(
        "--limit", metavar="TEXT", action="append", default=[], help="a limit, as a sentence"
    )
    arguments.add_argument("--time", metavar="TEXT", default="", help="how long the training took")
    arguments.add_argument("--command", metavar="TEXT", help="the command that trains it again")
    arguments.add_argument(
        "--frames", metavar="FRAMES.h5", nargs="+", default=[], help="further test images"
    )
    arguments.add_argument(
        "--detection-errors",
        metavar="FILE.csv",
        help="table of evaluate.py detection_errors, to ship for the hop rates of series",
    )
    return arguments.parse_args(argv)


def retraining(name: str) -> str:
    """Command that trains a model of the configuration."""
    return f"snakemake --cores 8 results/models/{name}/model/model.json"


def read_table(words: list[str]) -> "EvaluationTable":
    """Read a table of the evaluation by its file, caption and the columns to show, if not all."""
    if len(words) < 2:
        raise InputError("--table: give a file, a caption and, if not all, columns")
    from atomsight.reporting import shipping

    path, caption, *columns = words
    return shipping.read_table(path, caption, columns)


if __name__ == "__main__":
    sys.exit(main())
