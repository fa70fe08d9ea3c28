"""Random sheets: the drawn stages are those of the drawn sheet, and everything is counted once."""

import numpy as np
import pytest
from matplotlib.text import Text
from numpy.testing import assert_allclose

import plot_random_sheets
from atomsight.figures import random_sheets
from atomsight.files import layout, provenance
from atomsight.materials import graphene

SETTINGS = graphene.Settings(
    size_A=24.0,
    lloyd_steps=(40, 50),
    density_variation=0.0,
    max_defects=0.0,
    max_holes=0,
    hole_radius_A=(4.0, 5.0),
    ripple_A=0.3,
)


def seed_of(number):
    return np.random.SeedSequence(5).spawn(number + 1)[number]


def make(number, **changes):
    settings = SETTINGS.but(**changes)
    return graphene.make_structure(settings, np.random.default_rng(seed_of(number)))


def connected(number):
    return random_sheets.connect(make(number).sites, SETTINGS.size_A)


def test_the_drawn_stages_lead_to_the_drawn_sheet():
    structure = make(0)
    stages = random_sheets.construct(SETTINGS, seed_of(0), connected(0))
    atoms, bonds = graphene.dual_network(stages.relaxed, SETTINGS.size_A)
    relaxed = graphene.relax_springs(atoms, bonds, SETTINGS.size_A)
    assert_allclose(relaxed, structure.sites, atol=0.01)
    assert len(stages.points) == len(stages.relaxed)
    assert not np.allclose(stages.points, stages.relaxed)


def test_a_sheet_without_holes_obeys_euler():
    sheets = [connected(number) for number in range(4)]
    atoms = sum(len(make(number).sites) for number in range(4))
    counted = random_sheets.gather_statistics(sheets)
    assert counted.sheets == 4
    assert (counted.coordination == 3).all()
    assert len(counted.coordination) == atoms
    assert len(counted.bond_lengths_A) == 1.5 * atoms
    assert len(counted.ring_sizes) == atoms / 2
    assert counted.ring_sizes.mean() == 6


def test_rings_fill_a_sheet_without_holes():
    sheet = connected(0)
    outlines = random_sheets.ring_outlines(sheet)
    assert [len(outline) for outline in outlines] == sheet.rings.sizes.tolist()
    assert random_sheets.hole_share(sheet) == pytest.approx(0, abs=1e-9)


def test_a_hole_is_as_large_as_what_was_cut_out():
    size = SETTINGS.size_A
    whole = make(0).sites
    apart = np.linalg.norm(whole - size / 2, axis=1)
    cut = random_sheets.connect(whole[apart > 6], size)
    between = np.pi * np.array([6, 8]) ** 2 / size**2
    assert between[0] < random_sheets.hole_share(cut) < between[1]


def test_figure_and_statistics_name_what_they_show():
    sheet = connected(0)
    statistics = random_sheets.gather_statistics([sheet])
    figure = random_sheets.draw(random_sheets.construct(SETTINGS, seed_of(0), sheet), statistics)
    words = "\n".join(text.get_text() for text in figure.findobj(Text))
    assert f"median {np.median(statistics.bond_lengths_A):.3f} Å" in words
    for label in ("bond length (Å)", "atoms in a ring", "bonds of an atom", "1 sheets"):
        assert label in words


@pytest.fixture
def shards(tmp_path):
    """Two shards of two structures, as make_structures.py writes them."""
    section = SETTINGS.but(max_holes=4).model_dump()
    paths = []
    for shard in (0, 1):
        numbered = ((n, make(n, max_holes=4)) for n in (shard, shard + 2))
        paths.append(str(tmp_path / f"{shard}.h5"))
        made_by = provenance.made_by("make_structures.py", section, 5, material="graphene")
        layout.write_structures(paths[-1], numbered, made_by)
    return paths


def test_the_script_reads_all_shards_and_how_they_were_made(shards):
    sheets = plot_random_sheets.read_sheets(shards)
    assert list(sheets) == [0, 1, 2, 3]
    settings, seed = plot_random_sheets.read_making(shards[0])
    assert settings == SETTINGS.but(max_holes=4)
    assert seed == 5


def test_the_script_draws_the_same_bytes_again(shards, tmp_path):
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_random_sheets.main([str(path), *shards]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_the_script_says_what_is_wrong(tmp_path, capsys):
    assert plot_random_sheets.main([str(tmp_path / "sheets.png"), "absent.h5"]) == 1
    said = capsys.readouterr().err
    assert "absent.h5: the file does not exist" in said
    assert said.count("\n") == 1
