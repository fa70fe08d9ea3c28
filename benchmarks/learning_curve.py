"""How well columns are counted after trainings of several lengths and sizes.

Every training is one of its own, its learning rate brought to zero at its end. CURVE.csv has one
row per training: features, steps, minutes, val_loss, and the row of the network of
"evaluate.py heights" for the tilts and the dose of --evaluation: exact, within_one and more. A
training that is done already (its row stands in CURVE.csv) is not repeated.

The configuration's model is given by its name; its waves must have been made:
    snakemake --cores 8 results/models/gold_heights_laptop/waves/{0,1,2,3}.h5

Example:
    python benchmarks/learning_curve.py curve.csv results/models/gold_heights_laptop/waves/*.h5 \\
        --model gold_heights_laptop --steps 750 1500 3000 --features 10
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import evaluate
import train_network
from atomsight import command_line
from atomsight.config.configuration import check_configuration
from atomsight.errors import InputError
from atomsight.files import tables

ROOT = Path(__file__).resolve().parents[1]
#: Other particles than those on which the models that ship are evaluated: here one may choose.
EVALUATION = (
    '{"seed": 62, "tilts_deg": [[0, 0.5]], "doses_e_per_A2": [30000], "methods": ["network"]}'
)


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Train and evaluate one network after another; the table grows with each."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("curve", metavar="CURVE.csv", type=Path, help="the table")
    arguments.add_argument("waves", metavar="WAVES.h5", nargs="+", help="shards of exit waves")
    arguments.add_argument("--model", default="gold_heights_laptop", help="a model of config.yaml")
    arguments.add_argument("--steps", type=int, nargs="+", required=True)
    arguments.add_argument("--features", type=int, nargs="+", required=True)
    arguments.add_argument("--work", type=Path, default=Path("learning_curve"), help="its folder")
    arguments.add_argument("--evaluation", default=EVALUATION, metavar="JSON")
    given = arguments.parse_args(argv)
    section = read_model(given.model)
    table = pd.read_csv(given.curve) if given.curve.exists() else pd.DataFrame()
    for features in given.features:
        for steps in given.steps:
            if len(table) and ((table["features"] == features) & (table["steps"] == steps)).any():
                continue
            section["network"]["features"] = features
            section["training"]["steps"] = steps
            row = train_and_evaluate(section, given, f"{features}_{steps}")
            row = {"features": features, "steps": steps} | row
            table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
            tables.write_csv(given.curve, table)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def read_model(name: str) -> dict:
    """The section of a model in the configuration that ships."""
    configuration = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    for model in configuration["models"].values():
        model["microscope"] = str(ROOT / model["microscope"])
    section = check_configuration(configuration)["models"].get(name)
    if section is None:
        raise InputError(f"--model {name}: config/config.yaml has no such model")
    return section


def train_and_evaluate(section: dict, given: object, tag: str) -> dict:
    """Train a network by the workflow's own script, and let another of its scripts measure it."""
    folder = given.work / tag
    began = time.monotonic()
    trained = train_network.main(
        [
            str(folder / "model"),
            *given.waves,
            *("--work", str(folder / "training"), "--seed", "2018", "--name", given.model),
            *("--settings", json.dumps(section)),
        ]
    )
    minutes = (time.monotonic() - began) / 60
    summary = folder / "summary.csv"
    measured = evaluate.main(
        ["heights", str(folder / "model"), str(summary), "--settings", given.evaluation]
    )
    if trained or measured:
        raise InputError(f"{folder}: the training or its evaluation failed; see above")
    history = pd.read_csv(folder / "model" / "history.csv")
    result = pd.read_csv(summary).query("method == 'network'").iloc[0]
    return {"minutes": minutes, "val_loss": history["val_loss"].iloc[-1]} | result.to_dict()


if __name__ == "__main__":
    sys.exit(main())
