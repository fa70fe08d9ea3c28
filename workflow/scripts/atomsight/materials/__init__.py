"""The materials. Every module of this folder is one, complete; none is named anywhere else.

``materials/<name>.py`` is the material ``<name>`` of the configuration and has

``Settings``
    What random specimens look like: the section ``<name>`` of a model. ``size_A`` is the edge of
    their square box.
``make_structure(settings, rng)``
    A random specimen to train on, a :class:`atomsight.files.records.Structure`.
``IN_WORDS``
    What the specimens are, in a sentence: "monolayers of MoS₂".
``purpose(class_names)``
    What a model with these classes, the background left out, finds: ``atoms``, ``columns``,
    ``heights`` (of columns, in atoms) or ``species``. ``InputError`` says which classes there can
    be.
``atom_count(settings)``, ``thickness_A(settings)``, ``making_s(settings)``
    What specimens have on average, within a factor of 1.5: atoms, height of their box along the
    beam [Å], and time to make one on one core [s]. Jobs get their length from it.
``BOND_A``
    Bond length without strain, of materials that are a honeycomb of atoms; strain is measured from
    it.
``PHANTOM``
    What its models are evaluated on, made by another generator than ``make_structure``: ``sheet``
    (of graphene), ``particle`` (of an fcc metal) or ``monolayer`` (of ``HONEYCOMB``). Without it
    they are not evaluated. ``PHANTOM_KEYS`` are the keys of ``Settings`` that hold for the
    specimens of the evaluation too.
``HONEYCOMB``
    Of materials whose species are told apart: the
    :class:`atomsight.materials.building.sublattices.Honeycomb` that the monolayers are made from.

What several materials are made with is in ``materials/building/``. Snakemake and the scripts import
all modules whenever they start: ``import scipy`` loads only what is then used, such as
``scipy.spatial``.
"""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from atomsight.errors import InputError
from atomsight.materials.building.sublattices import Honeycomb

#: Modules by the name of their material.
MATERIALS: dict[str, ModuleType] = {
    found.name: import_module(f"{__name__}.{found.name}")
    for found in pkgutil.iter_modules(__path__)
    if not found.ispkg
}


def material(name: str) -> ModuleType:
    """Module of a material; ``InputError`` if there is none."""
    if name not in MATERIALS:
        raise InputError(f"there is no material {name!r}; known are {', '.join(MATERIALS)}")
    return MATERIALS[name]


def purpose(name: str, class_names: Iterable[str]) -> str:
    """What a model of a material finds: ``atoms``, ``columns``, ``heights`` or ``species``.

    The background may be among the classes. ``InputError`` if they are not of the material.
    """
    return material(name).purpose([one for one in class_names if one != "background"])


def honeycomb(name: str) -> Honeycomb:
    """The sheet of a material whose species are told apart; ``InputError`` if it has none."""
    found = getattr(material(name), "HONEYCOMB", None)
    if found is None:
        known = [one for one, module in MATERIALS.items() if hasattr(module, "HONEYCOMB")]
        raise InputError(
            f"{name} is not a monolayer whose species are told apart; these are {', '.join(known)}"
        )
    return found


def bond_A(name: str) -> float:
    """Bond length of a material without strain; ``InputError`` if it says none."""
    found = getattr(material(name), "BOND_A", None)
    if found is None:
        raise InputError(f"the material {name} has no bond length; set strain.bond_A")
    return found


def is_evaluated(name: str) -> bool:
    """Whether there are specimens to evaluate the models of a material on."""
    return getattr(material(name), "PHANTOM", None) is not None


def phantom_keys(name: str) -> tuple[str, ...]:
    """The keys of a material's section that hold for the specimens of the evaluation too."""
    return getattr(material(name), "PHANTOM_KEYS", ())


def is_counting(class_names: Iterable[str]) -> bool:
    """Whether all classes are numbers of atoms."""
    names = list(class_names)
    return bool(names) and all(name.isdigit() for name in names)
