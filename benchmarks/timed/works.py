"""The works that are measured, and who does each: ours, its limit, its peers."""

import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from timed import processes

#: The network that all were trained with before, to compare with.
FUSION = {"kind": "fusion", "features": 8}

#: Steps of a training that are timed together: images of one are made while another learns.
STEPS = 10

#: What maps and images are kept as.
SUFFIX = {"map": ".npy", "image": ".tif"}

#: Bond of graphene in the maps [pixel].
_BOND_PX = 1.42 / 0.12


@dataclass(frozen=True)
class Sizes:
    """How large the works are; ``section`` is merged over the model's."""

    image_px: int = 1024
    map_px: int = 4096
    atoms: int = 60_000
    frames: int = 100
    sites: int = 100
    images_px: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    series: tuple[int, ...] = (1, 10, 100, 1000)
    series_px: int = 256
    sheets: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    section: dict = field(default_factory=dict)


TINY = Sizes(
    *(64, 128, 400, 3, 9, (64, 128), (1, 2), 64, (200, 800)),
    section={
        "graphene": {"size_A": 24.0, "lloyd_steps": [5, 5]},
        "training": {"batch": 1, "image_px": 32, "window_A": 3.0},
        "network": {"kind": "subpixel", "features": 2},
    },
)


@dataclass(frozen=True)
class Case:
    """Who does a work how: a function of a module beside this one, and what it is given."""

    who: str
    kind: str  # measured, part, limit, other, peer
    name: str
    given: Mapping
    python: str = sys.executable


@dataclass(frozen=True)
class Work:
    """What is done; the first case is what is measured, the others are compared with it.

    A call does ``count`` units. Works of one name grow ``along`` a size. ``map_px`` is the edge of
    the map that is read.
    """

    name: str
    size: str
    count: float
    unit: str
    cases: Sequence[Case]
    along: float | None = None
    map_px: int | None = None


@dataclass(frozen=True)
class Bench:
    """What the works are made of."""

    section: dict  # of the model
    sizes: Sizes
    scratch: Path
    peer: str = ""  # Python of the peers' environment

    def works(self, only: Container[str] = ()) -> Iterator[Work]:
        """All works, or those with these names."""
        for part in (self.simulating, self.training, self.reading, self.analysing, self.growing):
            yield from (work for work in part() if not only or work.name in only)

    def simulating(self) -> Iterator[Work]:
        size, given = f"{self.section['graphene']['size_A']:g} Å", {"section": self.section}
        ours = Case("atomsight", "measured", "simulation.structures", given)
        yield Work("structure", size, 1, "structure", [ours])
        cases = [
            Case("atomsight", "measured", "simulation.waves", given),
            Case("its Fourier transforms", "limit", "simulation.transforms", given),
            Case("abTEM, its own potential", "peer", "simulation.abtem_waves", given),
        ]
        yield Work("exit wave", size, 1, "wave", cases)

    def training(self) -> Iterator[Work]:
        batch, px = (self.section["training"][key] for key in ("batch", "image_px"))
        given = {"section": self.section, "count": STEPS}
        images = {"batch": batch, "px": px}
        size = (f"{STEPS} × {batch} × {px}²", STEPS * batch, "example")
        cases = [
            Case(self.network, "measured", "learning.steps", given),
            Case("imaging", "part", "learning.imaging", given),
            Case("forward, backward, optimizer", "part", "learning.on_examples", given),
            Case("optimizer", "part", "learning.optimizer", given),
            Case("its convolutions", "limit", "learning.convolutions", given),
            Case("as many products", "limit", "learning.matrix_products", given),
            *self._fusion("learning.steps", count=STEPS),
            *self._peers("AtomAI", "atomai_steps", count=STEPS, **images),
        ]
        yield Work("training steps", *size, cases)
        cases = [
            Case("atomsight", "measured", "learning.imaging", given | {"count": 1}),
            Case("abTEM", "peer", "simulation.abtem_images", {"section": self.section} | images),
        ]
        yield Work("training images", f"{batch} × {px}²", batch, "example", cases)

    def reading(self) -> Iterator[Work]:
        px = self.sizes.image_px
        given = {"section": self.section, "px": px}
        size = (f"{px}²", px**2 / 1e6, "Mpixel")
        cases = [
            Case(self.network, "measured", "reading.forward", given),
            Case("its convolutions", "limit", "networks.convolutions", given),
            Case("as many products", "limit", "networks.matrix_products", given),
            *self._fusion("reading.forward", px=px),
            *self._peers("AtomAI", "atomai_predict", px=px),
        ]
        yield Work("forward pass", *size, cases)
        cases = [
            Case("normalised, 4 orientations", "measured", "reading.maps", given),
            Case("forward pass, once", "limit", "reading.forward", given),
        ]
        yield Work("class maps", *size, cases)

    def analysing(self) -> Iterator[Work]:
        px, atoms = self.sizes.map_px, self.sizes.atoms
        given, bond = {"path": self.path("map", px)}, {"bond_px": _BOND_PX}
        cases = [
            Case("atomsight", "measured", "reading.locate", given),
            Case("reading the map", "limit", "reading.load", given),
            Case("scikit-image", "peer", "reading.peaks", given),
            *self._peers("trackpy", "trackpy", **given, **bond),
            *self._peers("atomap", "atomap", **given, **bond),
        ]
        in_map = (px * 0.12) ** 2 / 2.62
        yield Work("atoms of a map", f"{px}²", in_map, "atom", cases, map_px=px)
        cases = [
            Case("atomsight", "measured", "reading.strain", {"atoms": atoms}),
            Case("nearest neighbours", "limit", "reading.neighbours", {"atoms": atoms}),
        ]
        yield Work("strain", f"{atoms} atoms", atoms, "atom", cases)
        frames, sites = self.sizes.frames, self.sizes.sites
        given = {"frames": frames, "count": sites}
        cases = [
            Case("atomsight", "measured", "reading.sites", given),
            Case("nearest sites", "limit", "reading.nearest_sites", given),
        ]
        yield Work("sites", f"{frames} frames of {sites}", frames * sites, "column", cases)

    def growing(self) -> Iterator[Work]:
        """Works of growing sizes."""
        for px in self.sizes.images_px:
            given = {"section": self.section, "px": px, "orientations": 1}
            ours = Case(self.network, "measured", "reading.maps", given)
            yield Work("maps, by image", f"{px}²", px**2 / 1e6, "Mpixel", [ours], px**2)
        for px in self.sizes.images_px:
            given = {"path": self.path("map", px)}
            ours = Case("atomsight", "measured", "reading.locate", given)
            yield Work("atoms, by image", f"{px}²", px**2 / 1e6, "Mpixel", [ours], px**2, px)
        for frames in self.sizes.series:
            px = self.sizes.series_px
            given = {"section": self.section, "frames": frames, "px": px}
            ours = Case(self.network, "measured", "reading.series", given)
            size = f"{frames} × {px}²"
            yield Work("maps, by frames", size, frames, "frame", [ours], frames)
        for frames in self.sizes.series:
            given = {"frames": frames, "count": self.sizes.sites}
            ours = Case("atomsight", "measured", "reading.sites", given)
            size = f"{frames} of {self.sizes.sites}"
            yield Work("sites, by frames", size, frames, "frame", [ours], frames)
        for atoms in self.sizes.sheets:
            ours = Case("atomsight", "measured", "reading.strain", {"atoms": atoms})
            yield Work("strain, by atoms", f"{atoms}", atoms, "atom", [ours], atoms)

    def path(self, what: str, px: int) -> str:
        return str(self.scratch / f"{what}_{px}{SUFFIX[what]}")

    def write(self, what: str, px: int) -> str:
        """Write a map or an image of ``px``², in a process of its own; gives its path."""
        path = self.path(what, px)
        if not Path(path).exists():
            given = {"path": path, "px": px}
            processes.in_turns([(sys.executable, f"reading.write_{what}", given)], 0)
        return path

    @property
    def network(self) -> str:
        chosen = self.section["network"]
        return f"{chosen['kind']}, {chosen['features']} features"

    @cached_property
    def weights(self) -> int:
        worker = processes.Worker(sys.executable, "networks.weights", {"section": self.section})
        worker.end()
        return worker.first["gives"]

    def _fusion(self, name: str, **given: object) -> list[Case]:
        """The same with the other network, unless that is what is measured."""
        if self.section["network"] == FUSION:
            return []
        section = self.section | {"network": FUSION}
        return [Case("fusion, 8 features", "other", name, {"section": section} | given)]

    def _peers(self, who: str, name: str, **given: object) -> list[Case]:
        if not self.peer:
            return []
        if who == "AtomAI":
            given["weights"] = self.weights
        return [Case(who, "peer", f"peers.{name}", given, self.peer)]
