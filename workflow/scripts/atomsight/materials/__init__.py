"""Generators of random specimens to train on: one module per material.

A module has a dataclass ``Settings``, whose keys stand in the configuration's section of the same
name, and a function ``make_structure(settings, rng)`` that returns a
:class:`atomsight.files.records.Structure`.
"""

from atomsight.materials import graphene, mos2, nanoparticle

#: Modules by the name of their material.
MATERIALS = {"graphene": graphene, "mos2": mos2, "nanoparticle": nanoparticle}
