"""Random sheets: the drawn stages are those of the drawn sheet, and everything is counted once."""

import made_graphene
import numpy as np
import pages
import pytest
from made_graphene import SETTINGS, make, seed_of
from numpy.testing import assert_allclose

from atomsight.figures import random_sheets
from atomsight.figures.parts import sheets
from atomsight.materials import graphene


def connected(number):
    return sheets.connect(make(number).sites, SETTINGS.size_A)


def test_the_drawn_stages_lead_to_the_drawn_sheet():
    structure = make(0)
    stages = sheets.construct(SETTINGS, seed_of(0), connected(0))
    atoms, bonds = graphene.dual_network(stages.relaxed, SETTINGS.size_A)
    relaxed = graphene.relax_springs(atoms, bonds, SETTINGS.size_A, np.random.default_rng(0))
    assert_allclose(relaxed, structure.sites, atol=0.01)
    assert len(stages.points) == len(stages.relaxed)
    assert not np.allclose(stages.points, stages.relaxed)


def test_of_a_mixture_the_disordered_sheets_are_known_by_their_seeds():
    mixed = SETTINGS.but(grain_share=0.5)
    known = []
    for number in range(8):
        stages = sheets.construct(mixed, seed_of(number), connected(0))
        # Lattices of grains are not relaxed by Lloyd steps.
        moved = not np.allclose(stages.points, stages.relaxed)
        known.append(sheets.is_disordered(mixed, seed_of(number)))
        assert moved == known[-1]
    assert 0 < sum(known) < 8


def test_a_sheet_without_holes_obeys_euler():
    many = [connected(number) for number in range(4)]
    atoms = sum(len(make(number).sites) for number in range(4))
    counted = sheets.gather_statistics(many)
    assert counted.sheets == 4
    assert (counted.coordination == 3).all()
    assert len(counted.coordination) == atoms
    assert len(counted.bond_lengths_A) == 1.5 * atoms
    assert len(counted.ring_sizes) == atoms / 2
    assert counted.ring_sizes.mean() == 6


def test_rings_fill_a_sheet_without_holes():
    sheet = connected(0)
    outlines = sheets.ring_outlines(sheet)
    assert [len(outline) for outline in outlines] == sheet.rings.sizes.tolist()
    assert sheets.hole_share(sheet) == pytest.approx(0, abs=1e-9)


def test_a_hole_is_as_large_as_what_was_cut_out():
    size = SETTINGS.size_A
    whole = make(0).sites
    apart = np.linalg.norm(whole - size / 2, axis=1)
    cut = sheets.connect(whole[apart > 6], size)
    between = np.pi * np.array([6, 8]) ** 2 / size**2
    assert between[0] < sheets.hole_share(cut) < between[1]


def test_figure_and_statistics_name_what_they_show():
    sheet = connected(0)
    statistics = sheets.gather_statistics([sheet])
    figure = random_sheets.draw(sheets.construct(SETTINGS, seed_of(0), sheet), statistics)
    median = f"median {np.median(statistics.bond_lengths_A):.3f} Å"
    labels = ("bond length (Å)", "atoms in a ring", "bonds of an atom", "1 sheets")
    pages.assert_shows(figure, median, *labels)


def test_all_shards_are_read_and_how_they_were_made(tmp_path):
    shards = made_graphene.write_structures(tmp_path)
    assert list(sheets.read(shards)) == [0, 1, 2, 3]
    settings, seed = sheets.read_making(shards[0])
    assert settings == SETTINGS.but(max_holes=4)
    assert seed == 5
