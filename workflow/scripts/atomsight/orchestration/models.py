"""Where models come from, what they read and what they find: trained here, or shipped."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atomsight import materials
from atomsight.errors import InputError, did_you_mean
from atomsight.learning.models import CARD, WEIGHTS, ModelCard, read_card
from atomsight.orchestration.folders import Folders


@dataclass(frozen=True)
class Models:
    """The models of a run.

    Attributes
    ----------
    sections : Mapping
        The models that the configuration trains: their sections by name, complete.
    cards : Mapping
        The models that ship in ``data/models``, of the working folder or the repository: their
        cards by name. One that the configuration trains under the same name goes first.
    folders : Folders
        Where to look for them.
    replacements : Mapping
        Models of the configuration that stand for others, by the names of these.
    """

    sections: Mapping[str, Mapping]
    cards: Mapping[str, ModelCard]
    folders: Folders
    replacements: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, configuration: Mapping, folders: Folders, replacements: Mapping[str, str]
    ) -> "Models":
        """Find the models that ship; a broken one raises :class:`InputError`."""
        found = {
            card.parent.name
            for folder in (folders.working, folders.repository)
            for card in folder.glob(f"data/models/*/{CARD}")
        }
        cards = {name: read_card(_shipped_folder(name, folders)) for name in sorted(found)}
        return cls(configuration["models"], cards, folders, replacements)

    def current(self, name: str) -> str:
        """Name of a model, or of the one that the configuration trains instead of it."""
        return self.replacements.get(name, name)

    def check(self, name: str, where: str) -> None:
        """Refuse a name that no model has with :class:`InputError`; ``where`` it stands."""
        if name not in self.sections and name not in self.cards:
            if Path(self.shipped_folder(name)).is_dir():
                read_card(self.shipped_folder(name))  # tells what is missing
            known = dict.fromkeys([*self.cards, *self.sections])
            raise InputError(
                f"{where}: there is no model {name}, neither in data/models nor in the"
                f" configuration; {did_you_mean(name, known)}"
            )

    def folder(self, name: str) -> str:
        """Folder of a model: made here, or shipped if the configuration does not train it."""
        return (
            f"results/models/{name}/model" if name in self.sections else self.shipped_folder(name)
        )

    def shipped_folder(self, name: str) -> str:
        """Folder of a model that ships; it need not exist."""
        return _shipped_folder(name, self.folders)

    def files(self, name: str) -> list[str]:
        """The files of a model that its users read."""
        return model_files(self.folder(name))

    def facts(self, name: str) -> Mapping:
        """What a model reads and finds: its section, or the card of one that ships."""
        return self.sections[name] if name in self.sections else vars(self.cards[name])

    def finds(self, name: str) -> str:
        """What a model finds: atoms, columns, heights (of columns) or species."""
        return _finds(self.facts(name))

    def pixel_size_A(self, name: str) -> list[float]:
        """Range of the pixel sizes that a model reads [Å]."""
        if name not in self.sections:
            return list(self.cards[name].pixel_size_A)
        section = self.sections[name]
        return section["read_pixel_size_A"] or section["microscope"]["pixel_size_A"]

    def trained(self, kind: str) -> list[str]:
        """The models of the configuration that find atoms, columns, heights or species."""
        return [name for name, section in self.sections.items() if _finds(section) == kind]

    def shipping(self, kind: str | None = None) -> list[str]:
        """The models that ship and can be evaluated, or those that find one kind of thing."""
        return [
            name
            for name, card in self.cards.items()
            if kind in (None, _finds(vars(card))) and materials.is_evaluated(card.material)
        ]

    def of_phantom(self, name: str) -> dict[str, object]:
        """What the specimens that a model of the configuration is evaluated on share with it."""
        section = self.sections[name]
        material = section["material"]
        return {key: section[material][key] for key in materials.phantom_keys(material)}

    def all(self, kind: str) -> list[str]:
        """The models of the configuration or shipped that find one kind of thing."""
        shipped = [name for name, card in self.cards.items() if _finds(vars(card)) == kind]
        return list(dict.fromkeys([*self.trained(kind), *shipped]))

    def evaluated(self, kind: str) -> list[str]:
        """The models that an evaluation of one kind knows, of the configuration or shipped.

        There must be specimens of their material to evaluate them on.
        """
        return [
            name for name in self.all(kind) if materials.is_evaluated(self.facts(name)["material"])
        ]

    def evaluated_folder(self, name: str, of: str) -> str:
        """Folder of a model that is evaluated: ``results/metrics`` is about those that ship.

        ``of`` is ``models`` or ``metrics``, the folder of the tables.
        """
        if of == "models":
            return self.folder(name)
        if name not in self.cards:
            raise InputError(
                f"results/metrics/{name}: no model ships under this name, there is no folder"
                f" data/models/{name}; the tables of a model that is trained here are in"
                f" results/models/{name}"
            )
        return self.shipped_folder(name)

    def evaluated_files(self, name: str, of: str) -> list[str]:
        """The files of a model that is evaluated; ``InputError`` if it cannot be."""
        material = self.facts(name)["material"]
        if not materials.is_evaluated(material):
            raise InputError(
                f"results/{of}/{name}: models of the material {material} are not evaluated, as"
                f" there are no specimens for it: materials/{material}.py has no PHANTOM"
            )
        return model_files(self.evaluated_folder(name, of))

    def contrast(self, name: str, of: str) -> str:
        """How atoms look in the training images of the model that is evaluated."""
        if of == "metrics" or name not in self.sections:
            return self.cards[name].contrast
        return self.sections[name]["microscope"]["contrast"]

    def shards(self, name: str, kind: str) -> list[str]:
        """The files of a model's structures or waves."""
        count = self.sections[name]["structures"]["shards"]
        return [f"results/models/{name}/{kind}/{shard}.h5" for shard in range(count)]

    def start_files(self, name: str) -> list[str]:
        """The files of the model that a training starts from, if it does from any."""
        folder = self._start_folder(name)
        return model_files(folder) if folder else []

    def start_option(self, name: str) -> str:
        """What tells a training to start from a model."""
        folder = self._start_folder(name)
        return f"--start-from {shlex.quote(folder)}" if folder else ""

    def _start_folder(self, name: str) -> str | None:
        start = self.sections[name]["start_from"]
        if not start:
            return None
        # A model of the same name is the one that ships: none starts from itself.
        return self.shipped_folder(start) if start == name else self.folder(start)


def model_files(folder: str) -> list[str]:
    """The files of a model that its users read."""
    return [f"{folder}/{part}" for part in (CARD, WEIGHTS)]


def _shipped_folder(name: str, folders: Folders) -> str:
    return folders.located(f"data/models/{name}")


def _finds(facts: Mapping) -> str:
    return materials.purpose(facts["material"], facts["class_names"])
