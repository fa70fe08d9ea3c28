"""Every module of the folder of materials is a material, and complete."""

import pytest

from atomsight import materials
from atomsight.errors import InputError
from atomsight.materials import MATERIALS


def test_the_folder_is_the_registry():
    assert {"graphene", "mos2", "nanoparticle"} <= MATERIALS.keys()
    assert "building" not in MATERIALS


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_says_everything_about_itself(name):
    module = MATERIALS[name]
    assert module.__doc__
    assert module.IN_WORDS
    assert callable(module.make_structure)
    assert callable(module.thickness_A)
    assert set(materials.phantom_keys(name)) <= module.Settings.model_fields.keys()
    honeycomb = getattr(module, "HONEYCOMB", None)
    classes = honeycomb.class_names if honeycomb else ("atom",)
    found = materials.purpose(name, classes)
    assert found in ("atoms", "columns", "heights", "species")
    phantoms = {"atoms": "sheet", "columns": "particle", "heights": "particle"}
    assert getattr(module, "PHANTOM", None) in (None, phantoms.get(found, "monolayer"))
    assert (found == "species") == (honeycomb is not None)
    assert materials.purpose(name, ("background", *classes)) == found


def test_numbers_are_counts_of_atoms():
    assert materials.purpose("nanoparticle", ("column",)) == "columns"
    assert materials.purpose("nanoparticle", ("1", "2", "3")) == "heights"
    with pytest.raises(InputError, match='"1", "2", "3"'):
        materials.purpose("nanoparticle", ("1", "3"))


def test_an_unknown_material_is_named_with_those_that_are_known():
    with pytest.raises(InputError, match=r"'unobtainium'.*graphene, .*mos2"):
        materials.purpose("unobtainium", ("atom",))
