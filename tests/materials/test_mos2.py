"""The distribution of random sheets of MoS2, and what their sites are."""

import itertools

import numpy as np
import pytest
from made_inputs import neighbours_A, order, pairs_within
from numpy.testing import assert_allclose
from scipy.spatial import cKDTree

from atomsight.materials import mos2
from atomsight.materials.building import holes, honeycombs
from atomsight.materials.building.periodic_waves import PeriodicWaves

SIZE_A = 43.2
SETTINGS = mos2.Settings()
WHOLE = SETTINGS.but(
    grains=(1, 1),
    max_single_vacancies=0.0,
    max_double_vacancies=0.0,
    max_mo_vacancies=0.0,
    max_holes=0,
    edge_share=0.0,
)
FLAT = {"ripple_A": 0.0, "tilt_deg": (0.0, 0.0)}
MO, S2, S = 1, 2, 3


def make(settings, seed=0):
    return mos2.make_structure(settings, np.random.default_rng(seed))


def bonds(sheet):
    pairs, lengths_A = pairs_within(sheet.sites, 2.44, SIZE_A)
    unlike = (sheet.classes[pairs] == MO).sum(axis=1) == 1
    return pairs[unlike], lengths_A[unlike]


def bond_counts(sheet):
    return np.bincount(bonds(sheet)[0].ravel(), minlength=len(sheet.sites))


@pytest.fixture(scope="module")
def sheets():
    return [make(SETTINGS, seed) for seed in range(16)]


@pytest.mark.parametrize("seed", range(6))
def test_a_crystal_without_vacancies_is_a_honeycomb_across_the_border_of_its_box(seed):
    crystal = make(WHOLE, seed)
    assert (bond_counts(crystal) == 3).all()
    assert (crystal.classes == MO).sum() == (crystal.classes == S2).sum()
    assert not (crystal.classes == S).any()
    # a / √3, strained by 2.5 % at most to fit the box, and rough by 0.03 Å.
    assert_allclose(bonds(crystal)[1].mean(), 3.165 / np.sqrt(3), rtol=0.03)


def test_lattice_constant_and_orientation_vary():
    counts, azimuths = [], []
    for seed in range(20):
        sites, is_mo = honeycombs.single_crystal(SIZE_A, 3.165, np.random.default_rng(seed))
        counts.append(len(sites))
        _, near = cKDTree(sites[is_mo], boxsize=SIZE_A).query(sites[is_mo][0], k=2)
        apart = sites[is_mo][near[1]] - sites[is_mo][0]
        apart -= SIZE_A * np.round(apart / SIZE_A)
        azimuths.append(np.rad2deg(np.arctan2(*apart[::-1])) % 60)
    assert len(set(counts)) > 1
    assert np.ptp(azimuths) > 40


def test_the_atoms_of_a_site_are_what_its_class_says(sheets):
    for sheet in sheets:
        counts = np.bincount(sheet.classes, minlength=4)
        assert counts[0] == 0
        assert (sheet.numbers == 42).sum() == counts[MO]
        assert (sheet.numbers == 16).sum() == 2 * counts[S2] + counts[S]


def test_a_site_is_the_mean_projected_position_of_its_atoms(sheets):
    for sheet in sheets:
        tree = cKDTree(sheet.sites, boxsize=SIZE_A)
        _, site = tree.query(sheet.positions[:, :2] % SIZE_A)
        offsets = sheet.positions[:, :2] - sheet.sites[site]
        offsets -= SIZE_A * np.round(offsets / SIZE_A)
        atoms = np.bincount(site, minlength=len(sheet.sites))
        assert (atoms == np.where(sheet.classes == S2, 2, 1)).all()
        for axis in offsets.T:
            assert_allclose(np.bincount(site, axis), 0, atol=1e-9)


def test_sulfur_lies_in_two_layers_and_a_single_atom_in_either():
    sheet = make(WHOLE.but(max_single_vacancies=0.6, **FLAT), 1)
    heights = sheet.positions[:, 2] - mos2.BOX_HEIGHT_A / 2
    assert_allclose(heights[sheet.numbers == 42], 0, atol=1e-9)
    assert_allclose(np.abs(heights[sheet.numbers == 16]), 1.56)
    singles = heights[-(sheet.classes == S).sum() :]
    assert 0.25 < (singles > 0).mean() < 0.75


def test_a_tilt_takes_the_sulfur_of_a_pair_apart():
    tilted = WHOLE.but(ripple_A=0.0, tilt_deg=(3.0, 3.0))
    sheet = make(tilted, 2)
    lower, upper = np.split(sheet.positions[sheet.numbers == 16, :2], 2)
    apart = upper - lower
    apart -= SIZE_A * np.round(apart / SIZE_A)
    assert_allclose(np.linalg.norm(apart, axis=1), 3.12 * np.sin(np.deg2rad(3)), rtol=1e-6)


def test_no_two_sites_are_so_close_that_they_would_be_one(sheets):
    for sheet in sheets:
        nearest = neighbours_A(sheet.sites, box_A=SIZE_A)
        # Single atoms are seen up to 0.15 Å off their column.
        assert nearest.min() > 1.2
        assert np.percentile(nearest, 1) > 1.5


def test_bonds_are_those_of_the_material(sheets):
    lengths = np.concatenate([bonds(sheet)[1] for sheet in sheets])
    assert 1.79 < np.median(lengths) < 1.86
    assert np.mean((lengths > 1.65) & (lengths < 2.0)) > 0.93


def test_every_site_is_held_by_two_bonds():
    assert min(bond_counts(make(SETTINGS.but(**FLAT), seed)).min() for seed in range(8)) >= 2


def test_vacancies_are_as_many_as_asked():
    drawn = [make(WHOLE.but(max_single_vacancies=0.15), seed).classes for seed in range(12)]
    shares = [np.mean(classes[classes > MO] == S) for classes in drawn]
    assert max(shares) < 0.22
    assert 0.04 < np.mean(shares) < 0.11
    full = len(make(WHOLE, 5).sites)
    doubles, without_mo = (
        make(WHOLE.but(**{key: 0.1}), 5).classes
        for key in ("max_double_vacancies", "max_mo_vacancies")
    )
    assert len(doubles) < full
    assert (doubles == MO).sum() > (doubles > MO).sum()
    assert (without_mo == MO).sum() < (without_mo > MO).sum()


def test_edges_lose_sulfur_more_readily():
    at_edge, elsewhere = [], []
    for seed in range(12):
        sheet = make(WHOLE.but(edge_share=1.0, **FLAT), seed)
        held = bond_counts(sheet)
        sulfur = sheet.classes > MO
        at_edge += list(sheet.classes[sulfur & (held < 3)] == S)
        elsewhere += list(sheet.classes[sulfur & (held >= 3)] == S)
    assert 0.1 < np.mean(at_edge) < 0.5
    assert not any(elsewhere)


def test_grains_differ_in_orientation_and_meet_closely():
    for seed in range(4):
        several = make(WHOLE.but(grains=(3, 3)), seed)
        assert 0.7 < np.mean(bond_counts(several) == 3) < 0.99
        # The boundaries cost less than a tenth of the sites.
        area = SIZE_A**2 / (3.165**2 * np.sqrt(3) / 2) * 2
        assert len(several.sites) > 0.9 * area


def test_sheets_are_single_crystals_to_many_grains_and_few_more_often():
    counts = [
        honeycombs.grain_count(SETTINGS.grains, np.random.default_rng(seed)) for seed in range(800)
    ]
    shares = np.bincount(counts) / len(counts)
    assert min(counts) == 1
    assert max(counts) >= 6
    assert shares[1] > shares[2] > shares[5] > 0.03
    assert 0.4 < shares[1:3].sum() < 0.6


def test_directions_of_bonds_are_those_of_crystals_and_of_small_grains():
    one, many = (
        order([make(WHOLE.but(grains=count), seed) for seed in range(6)], (6, 15), 1.83)
        for count in ((1, 1), (8, 8))
    )
    assert (one > 0.9).all()
    assert 0.2 < many[0] < 0.7
    assert many[1] < 0.3


def test_holes_and_strips_of_vacuum_end_the_sheet(monkeypatch):
    full = len(make(WHOLE, 3).sites)
    holed = len(make(WHOLE.but(max_holes=6, hole_radius_A=(8.0, 9.0)), 3).sites)
    monkeypatch.setattr(holes, "_STRIP_WIDTH_A", (16.0, 16.0))
    cut = make(WHOLE.but(edge_share=1.0), 3)
    assert holed < 0.95 * full
    assert len(cut.sites) < 0.8 * full
    # A wide strip runs through the whole box: across it something is free everywhere.
    cells, _, _ = np.histogram2d(*cut.sites.T, bins=12, range=[[0, SIZE_A]] * 2)
    empty = cells == 0
    assert empty.any(axis=0).all() or empty.any(axis=1).all()


def test_of_crowded_sites_the_first_stays_and_frees_those_behind():
    sites = np.array([[5.0, 5.0], [6.0, 5.0], [7.0, 5.0], [20.0, 5.0]])
    is_mo = np.array([True, False, True, False])
    stays = honeycombs.uncrowded(sites, is_mo, SIZE_A, (1.5, 1.5))
    assert stays.tolist() == [True, False, True, True]


def test_waves_are_periodic_and_their_slopes_are_their_derivatives():
    waves = PeriodicWaves.draw(SIZE_A, 2, np.random.default_rng(0))
    places = np.random.default_rng(1).uniform(0, SIZE_A, (50, 2))
    for shift in itertools.product((-SIZE_A, 0, SIZE_A), repeat=2):
        assert_allclose(waves.values(places + shift), waves.values(places), atol=1e-9)
    for axis in range(2):
        step = 1e-5 * np.eye(2)[axis]
        numeric = (waves.values(places + step) - waves.values(places - step)) / 2e-5
        assert_allclose(waves.slopes(places)[..., axis], numeric, atol=1e-6)
    grid = np.stack(np.meshgrid(*[np.linspace(0, SIZE_A, 60, endpoint=False)] * 2), -1)
    assert_allclose(waves.values(grid.reshape(-1, 2)).std(axis=0), 1, rtol=1e-3)
