"""Simulate the exit waves of a shard of structures by multislice.

Example:
    python simulate_waves.py structures.h5 waves.h5 --energy 80000 \\
        --settings '{"sampling_A": 0.12, "displacement_A": {"C": [0.06, 0.08]}}'
"""

import logging
import sys
from collections.abc import Iterator

import numpy as np

from atomsight import command_line
from atomsight.config.training import WaveSettings
from atomsight.errors import InputError
from atomsight.files import provenance


@command_line.script
def main(argv: list[str] | None = None) -> None:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("structures", metavar="STRUCTURES.h5", help="the structures")
    arguments.add_argument("output", metavar="WAVES.h5", help="the exit waves")
    arguments.add_argument("--energy", type=float, required=True, help="of the electrons [eV]")
    command_line.add_settings(arguments, "models.<name>.waves", WaveSettings)
    given = arguments.parse_args(argv)
    from atomsight.files import layout

    section = given.settings
    chosen = WaveSettings.parse(section, "waves")
    cells = [
        tuple(structure.cell_A[:2]) for _, structure in layout.read_structures(given.structures)
    ]
    if len(set(cells)) != 1:
        raise InputError(f"{given.structures}: the structures of a shard need boxes of one size")
    made_by = provenance.made_by("simulate_waves.py", section, energy_eV=given.energy)
    waves = simulate(given.structures, chosen, given.energy)
    layout.write_waves(given.output, waves, cells[0], given.energy, made_by)
    logging.info("%d exit waves", len(cells))


def simulate(
    structures: str, chosen: WaveSettings, energy_eV: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Simulate one structure after another; yields what :func:`layout.write_waves` takes."""
    from atomsight.files import layout
    from atomsight.imaging.waves import simulate_spectra

    for number, structure in layout.read_structures(structures):
        try:
            spectra = simulate_spectra(structure, chosen, energy_eV, seed=number)
        except ValueError as error:
            raise InputError(f"structure {number}: no exit wave: {error}") from error
        yield spectra, structure.sites, structure.classes


if __name__ == "__main__":
    sys.exit(main())
