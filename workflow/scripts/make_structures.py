"""Make a shard of random structures to train on.

The same seed gives the same structures, byte by byte, however they are dealt out to shards.

Example:
    python make_structures.py structures.h5 --material graphene --count 8 --seed 1 \\
        --settings '{"size_A": 43.2, "max_holes": 2}'
"""

import logging
import sys

import numpy as np

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.materials import MATERIALS


@command_line.script
def main(argv: list[str] | None = None) -> None:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="STRUCTURES.h5", help="the structures")
    arguments.add_argument("--material", required=True, choices=sorted(MATERIALS))
    arguments.add_argument("--count", type=int, required=True, help="structures in all shards")
    arguments.add_argument("--shard", type=int, default=0, help="number of this shard, from 0")
    arguments.add_argument("--shards", type=int, default=1, help="number of shards")
    arguments.add_argument("--seed", type=int, required=True)
    command_line.add_settings(arguments, "models.<name>.<material>")
    given = arguments.parse_args(argv)
    from atomsight.files import layout

    if not 0 <= given.shard < given.shards <= given.count:
        raise InputError(
            f"shard {given.shard} of {given.shards} for {given.count} structures cannot be: shards "
            "count from 0, and each holds at least one structure"
        )
    material = MATERIALS[given.material]
    section = given.settings
    chosen = material.Settings.parse(section, given.material)
    seeds = np.random.SeedSequence(given.seed).spawn(given.count)
    # One after the other, so that the shards together are the same whatever their number.
    numbers = range(
        given.shard * given.count // given.shards, (given.shard + 1) * given.count // given.shards
    )
    structures = (
        (number, material.make_structure(chosen, np.random.default_rng(seeds[number])))
        for number in numbers
    )
    made_by = provenance.made_by("make_structures.py", section, given.seed, material=given.material)
    layout.write_structures(given.output, structures, made_by)
    logging.info("%d structures of %s", len(numbers), given.material)


if __name__ == "__main__":
    sys.exit(main())
