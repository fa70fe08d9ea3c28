"""Measure the order of the sheets that models are trained on, and of those they are evaluated on.

Prints a table of the correlation g6(r) of the directions of bonds, the mean of several sheets of a
kind: training sheets of the default settings, and simulated specimens of the evaluation.

Example:
    python benchmarks/sheet_order.py --sheets 40
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from atomsight.analysis.bonds import orientational_correlation
from atomsight.config.evaluation import DefaultPolycrystal
from atomsight.config.phantoms import MonolayerSettings
from atomsight.materials import graphene, hbn, mos2
from atomsight.phantoms import monolayers, specimens

DISTANCES_A = (3, 6, 10, 15)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--sheets", type=int, default=40, help="training sheets of a kind")
    arguments.add_argument("--specimens", type=int, default=6, help="monolayers of the evaluation")
    given = arguments.parse_args()
    print(f"| sheets | {' | '.join(f'{one} Å' for one in DISTANCES_A)} |")
    print("|---|" + len(DISTANCES_A) * "---|")
    for name, bond_A, made in kinds(given.sheets, given.specimens):
        each = [
            orientational_correlation(sheet.sites, DISTANCES_A, bond_A, box_A)
            for sheet, box_A in made
        ]
        values = " | ".join(f"{value:.2f}" for value in np.mean(each, axis=0))
        print(f"| {name} | {values} |", flush=True)


def kinds(sheets: int, count: int) -> Iterator[tuple[str, float, Iterator]]:
    """Name, bond length [Å], and sheets with the edge of their periodic box or None."""
    training = graphene.Settings()
    for name, share in (("disordered", 0), ("grains", 1), ("both", training.grain_share)):
        settings = training.but(grain_share=share)
        yield f"graphene, training: {name}", graphene.BOND_A, trained_on(graphene, settings, sheets)
    polycrystal = DefaultPolycrystal()
    specimen, _ = specimens.polycrystal(polycrystal)
    yield "graphene, evaluation", graphene.BOND_A, iter([(specimen, polycrystal.size_A[0])])
    for name, material in (("MoS₂", mos2), ("hBN", hbn)):
        bond_A = material.HONEYCOMB.lattice_A / np.sqrt(3)
        yield f"{name}, training", bond_A, trained_on(material, material.Settings(), sheets)
        evaluated = (
            monolayers.make_monolayer(material.HONEYCOMB, MonolayerSettings(seed=seed))
            for seed in range(count)
        )
        yield f"{name}, evaluation", bond_A, ((one.structure, None) for one in evaluated)


def trained_on(material: object, settings: object, sheets: int) -> Iterator[tuple]:
    """Training sheets of a material, and the edge of their box."""
    for seed in range(sheets):
        made = material.make_structure(settings, np.random.default_rng(seed))
        yield made, settings.size_A


if __name__ == "__main__":
    main()
