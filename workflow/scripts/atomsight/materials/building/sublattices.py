"""What a sheet of two sublattices consists of: facts that generators and evaluations share."""

import math
from dataclasses import dataclass

from atomsight.errors import InputError


@dataclass(frozen=True)
class Sublattice:
    """One half of the sites of a honeycomb: columns of one or two atoms of an element.

    The shares are those of the specimens that models are evaluated on, unless their settings say
    otherwise.
    """

    symbol: str
    #: Names of its sites by the number of their atoms, from one on: ``("S", "S2")``.
    classes: tuple[str, ...]
    #: Heights of the atoms of a whole site from the middle of the sheet, rising [Å].
    heights_A: tuple[float, ...]
    #: Share of the sites that have lost one atom, two atoms.
    vacancy_shares: tuple[float, ...]
    #: Share of the whole sites at edges that have lost one atom besides.
    edge_vacancy_share: float = 0.0


@dataclass(frozen=True)
class Honeycomb:
    """A sheet that is a honeycomb when seen along the beam."""

    lattice_A: float
    sublattices: tuple[Sublattice, Sublattice]
    #: Holes are triangles whose zigzag edges end with this element; hexagons without it.
    hole_edges: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of all sites, the whole ones of a sublattice first; the order of the classes."""
        names = [name for one in self.sublattices for name in reversed(one.classes)]
        return tuple(dict.fromkeys(names))

    @property
    def atoms_per_A2(self) -> float:
        """Atoms of a whole sheet, per area [1/Å²]."""
        cell_A2 = self.lattice_A**2 * math.sqrt(3) / 2
        return sum(len(one.heights_A) for one in self.sublattices) / cell_A2


def purpose(honeycomb: Honeycomb, class_names: list[str]) -> str:
    """What a model of a honeycomb finds: species, and it has all of their classes in order."""
    if tuple(class_names) != honeycomb.class_names:
        raise InputError(
            f"the classes of this material are {', '.join(honeycomb.class_names)}, not "
            f"{', '.join(class_names)}"
        )
    return "species"
