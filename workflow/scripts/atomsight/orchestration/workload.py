"""How long structures take, roughly, to split them into jobs of a wanted length."""

import math
from collections.abc import Mapping

from atomsight import materials

#: Multislice on one core, for every point of the grid and slice [s].
POINT_S = 6e-8
#: Sums of structure factors on one core, for every point of the grid and atom [s].
PHASE_S = 1e-10


def seconds_per_structure(model: Mapping) -> float:
    """Estimate the time of a structure and its exit wave on one core [s].

    It is within a factor of 1.5 of what was measured for the models of config/config.yaml, which is
    enough for the number of jobs. ``model`` is its section of the configuration, complete.
    """
    material, waves = materials.material(model["material"]), model["waves"]
    specimens = material.Settings.parse(model[model["material"]])
    points = (specimens.size_A / waves["sampling_A"]) ** 2
    slices = max(1, material.thickness_A(specimens) / waves["slice_thickness_A"])
    wave_s = points * (POINT_S * slices + PHASE_S * material.atom_count(specimens))
    return material.making_s(specimens) + max(1, waves["frozen_phonons"]) * wave_s


def shard_count(model: Mapping, minutes: float) -> int:
    """Number of shards, each a job of a wanted length [min]; no more than there are structures."""
    count = model["structures"]["count"]
    wanted = math.ceil(count * seconds_per_structure(model) / (60 * minutes))
    return min(wanted, count)
