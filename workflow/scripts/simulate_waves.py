"""Simulate the exit waves of a shard of structures by multislice.

Example:
    python simulate_waves.py structures.h5 waves.h5 --energy 80000 \\
        --settings '{"sampling_A": 0.12, "displacement_A": {"C": 0.07}}'
"""

import logging
import sys

import numpy as np

from atomsight import command_line, hdf5, settings
from atomsight.errors import InputError
from atomsight.records import Structure, Waves
from atomsight.waves import WaveSettings, simulate_spectrum


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Simulate one wave after another and write them."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("structures", metavar="STRUCTURES.h5", help="the structures")
    arguments.add_argument("output", metavar="WAVES.h5", help="the exit waves")
    arguments.add_argument("--energy", type=float, required=True, help="of the electrons [eV]")
    command_line.add_settings(arguments, "models.<name>.waves")
    given = arguments.parse_args(argv)
    section = command_line.read_json(given.settings)
    chosen = settings.load(section, "waves", WaveSettings)
    structures = dict(hdf5.read_structures(given.structures))
    cells = {tuple(structure.cell_A[:2]) for structure in structures.values()}
    if len(cells) != 1:
        raise InputError(f"{given.structures}: the structures of a shard need boxes of one size")
    spectra = np.stack(
        [
            _simulate(number, structure, chosen, given.energy)
            for number, structure in structures.items()
        ]
    )
    waves = Waves(
        spectra=spectra,
        cell_A=tuple(float(edge) for edge in cells.pop()),
        energy_eV=given.energy,
        sites=tuple(structure.sites for structure in structures.values()),
        classes=tuple(structure.classes for structure in structures.values()),
    )
    made_by = hdf5.provenance("simulate_waves.py", section, energy_eV=given.energy)
    hdf5.write_waves(given.output, waves, made_by)
    logging.info("%d exit waves of %d × %d beams", *spectra.shape)


def _simulate(
    number: int, structure: Structure, chosen: WaveSettings, energy_eV: float
) -> np.ndarray:
    try:
        return simulate_spectrum(structure, chosen, energy_eV)
    except ValueError as error:
        raise InputError(f"structure {number}: no exit wave: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
