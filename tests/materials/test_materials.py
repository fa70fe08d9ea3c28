"""Every module of the folder of materials is a material, and complete."""

import numpy as np
import pytest

import make_structures
from atomsight import materials
from atomsight.errors import InputError
from atomsight.files import layout
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
    assert set(materials.phantom_keys(name)) <= module.Settings.model_fields.keys()
    honeycomb = getattr(module, "HONEYCOMB", None)
    classes = honeycomb.class_names if honeycomb else ("atom",)
    found = materials.purpose(name, classes)
    assert found in ("atoms", "columns", "heights", "species")
    phantoms = {"atoms": "sheet", "columns": "particle", "heights": "particle"}
    assert getattr(module, "PHANTOM", None) in (None, phantoms.get(found, "monolayer"))
    assert (found == "species") == (honeycomb is not None)
    assert materials.purpose(name, ("background", *classes)) == found


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_says_how_large_its_specimens_are_on_average(name):
    """The length of a job follows from it."""
    module, rng = MATERIALS[name], np.random.default_rng(1)
    chosen = module.Settings()
    made = [module.make_structure(chosen, rng) for _ in range(15)]
    atoms, heights_A = (
        [len(one.positions) for one in made],
        [one.cell_A[2] for one in made],
    )
    assert np.mean(atoms) == pytest.approx(module.atom_count(chosen), rel=0.5)
    assert np.mean(heights_A) == pytest.approx(module.thickness_A(chosen), rel=0.2)
    assert module.making_s(chosen) > 0


def test_numbers_are_counts_of_atoms():
    assert materials.purpose("nanoparticle", ("column",)) == "columns"
    assert materials.purpose("nanoparticle", ("1", "2", "3")) == "heights"
    with pytest.raises(InputError, match='"1", "2", "3"'):
        materials.purpose("nanoparticle", ("1", "3"))


def test_an_unknown_material_is_named_with_those_that_are_known():
    with pytest.raises(InputError, match=r"'unobtainium'.*graphene, .*mos2"):
        materials.purpose("unobtainium", ("atom",))


@pytest.mark.parametrize("name", MATERIALS)
def test_specimens_and_their_sites_lie_in_their_box(name):
    module = MATERIALS[name]
    for seed in range(2):
        structure = module.make_structure(module.Settings(), np.random.default_rng(seed))
        assert ((structure.positions >= 0) & (structure.positions <= structure.cell_A)).all()
        assert structure.positions[:, 2].min() > 0.2
        assert ((structure.sites >= 0) & (structure.sites <= structure.cell_A[:2])).all()
        assert np.ptp(structure.cell_A[:2]) == 0
        assert structure.cell_A[0] == module.Settings().size_A
        assert len(structure.sites) == len(structure.classes) <= len(structure.numbers)
        assert structure.classes.min() >= 1
        honeycomb = getattr(module, "HONEYCOMB", None)
        assert honeycomb is None or structure.classes.max() <= len(honeycomb.class_names)


@pytest.mark.parametrize("name", MATERIALS)
def test_shards_hold_what_one_file_would(name, tmp_path):
    def make(file, *more):
        path = tmp_path / file
        given = ["--material", name, "--count", "3", "--seed", "7", *more]
        assert make_structures.main([str(path), *given]) == 0
        return path

    whole = dict(layout.read_structures(make("whole.h5")))
    parts = {}
    for shard in range(2):
        part = make(f"{shard}.h5", "--shard", str(shard), "--shards", "2")
        parts |= dict(layout.read_structures(part))
    assert list(whole) == list(parts) == [0, 1, 2], "a training sees them in one order"
    for number, structure in whole.items():
        np.testing.assert_array_equal(structure.positions, parts[number].positions)
    assert len(np.unique([len(structure.positions) for structure in whole.values()])) > 1
