"""Simulated monolayers of MoS2: their lattice, their grains, what is missing, how they lie."""

from dataclasses import replace

import numpy as np
import pytest
from made_inputs import neighbours_A
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime
from scipy.spatial import cKDTree

from atomsight.config.phantoms import MonolayerSettings
from atomsight.errors import InputError
from atomsight.materials import mos2
from atomsight.materials.building.sublattices import Honeycomb, Sublattice
from atomsight.phantoms import coincidence_grains, honeycomb_forces, monolayers

LATTICE_A = 3.165
SMALL = MonolayerSettings(size_A=(48.0, 44.0), hole_radius_A=5.0)
NONE = {"Mo": 0.0, "S": 0.0, "S2": 0.0}
PERFECT = SMALL.but(
    grain_count=1,
    vacancy_shares=NONE,
    edge_vacancy_shares={"S": 0.0},
    hole_radius_A=0.0,
    ripple_A=0.0,
    tilt_deg=0.0,
)


def make(settings, rng=None, material=mos2.HONEYCOMB):
    return monolayers.make_monolayer(material, settings, rng)


def places(specimen):
    return specimen.sites[["x_A", "y_A"]].to_numpy()


def bonds(specimen, reach=2.44):
    is_mo = (specimen.sites["species"] == "Mo").to_numpy()
    pairs = cKDTree(places(specimen)).query_pairs(reach, output_type="ndarray")
    return pairs[is_mo[pairs[:, 0]] != is_mo[pairs[:, 1]]]


def bonds_of_sites(specimen):
    return np.bincount(bonds(specimen).ravel(), minlength=len(specimen.sites))


def is_in(region, specimen):
    return (specimen.sites["region"] == region).to_numpy()


def test_a_perfect_sheet_is_the_lattice_of_the_material():
    specimen = make(PERFECT)
    lengths = np.linalg.norm(np.diff(places(specimen)[bonds(specimen)], axis=1)[:, 0], axis=1)
    assert_allclose(lengths, LATTICE_A / np.sqrt(3), atol=1e-6)
    assert (bonds_of_sites(specimen)[is_in("bulk", specimen)] == 3).all()
    assert set(specimen.sites["species"]) == {"Mo", "S2"}
    assert specimen.vacancies.empty


def test_sulfur_lies_on_both_sides_of_the_metal():
    specimen = make(PERFECT)
    height = specimen.structure.positions[:, 2]
    mo = specimen.structure.numbers == 42
    assert_allclose(np.abs(height[~mo] - height[mo].mean()), 1.56)
    # Mo–S is 2.41 Å.
    nearest = cKDTree(specimen.structure.positions[mo]).query(specimen.structure.positions[~mo])[0]
    assert_allclose(nearest, np.hypot(LATTICE_A / np.sqrt(3), 1.56), atol=1e-6)


def test_sites_and_structure_say_the_same():
    specimen = make(SMALL)
    structure, sites = specimen.structure, specimen.sites
    assert list(sites.columns) == ["x_A", "y_A", "species", "region"]
    assert_array_equal(structure.sites, places(specimen))
    names = np.array(mos2.HONEYCOMB.class_names)
    assert_array_equal(names[structure.classes - 1], sites["species"])
    counts = sites["species"].value_counts()
    assert (structure.numbers == 42).sum() == counts["Mo"]
    assert (structure.numbers == 16).sum() == 2 * counts["S2"] + counts["S"]
    assert set(sites["region"]) == set(monolayers.REGIONS)


def test_a_site_is_the_mean_projected_position_of_its_atoms():
    specimen = make(SMALL.but(tilt_deg=4.0))
    atoms = specimen.structure.positions[:, :2]
    _, site = cKDTree(places(specimen)).query(atoms)
    count = np.bincount(site, minlength=len(specimen.sites))
    assert_array_equal(count, np.where(specimen.sites["species"] == "S2", 2, 1))
    for axis in (atoms - places(specimen)[site]).T:
        assert_allclose(np.bincount(site, axis), 0, atol=1e-9)


def test_vacancies_are_exactly_as_many_as_asked_and_listed():
    full = make(PERFECT).sites["species"].value_counts()
    specimen = make(PERFECT.but(vacancy_shares={"S": 0.1, "S2": 0.02, "Mo": 0.01}))
    species = specimen.sites["species"].value_counts()
    missing = specimen.vacancies["missing"].value_counts()
    assert missing["S"] == species["S"] == round(0.1 * full["S2"])
    assert missing["S2"] == round(0.02 * full["S2"])
    assert missing["Mo"] == round(0.01 * full["Mo"]) == full["Mo"] - species["Mo"]
    assert species["S2"] == full["S2"] - missing["S"] - missing["S2"]


def test_where_all_atoms_of_a_site_are_missing_there_is_no_site():
    specimen = make(SMALL.but(vacancy_shares={"S2": 0.05}))
    single = specimen.vacancies["missing"] == "S"
    distance, site = cKDTree(places(specimen)).query(specimen.vacancies[["x_A", "y_A"]])
    assert distance[~single].min() > 1.3
    assert distance[single].max() < 0.3
    assert (specimen.sites["species"].iloc[site[single]] == "S").all()


def test_neighbours_of_a_vacancy_are_told_apart_from_the_bulk():
    specimen = make(PERFECT.but(vacancy_shares=NONE | {"S": 0.03}))
    singles, pairs = (specimen.sites["species"] == "S").to_numpy(), bonds(specimen)
    touching = np.isin(np.arange(len(singles)), pairs[singles[pairs].any(axis=1)]) & ~singles
    inner = ~is_in("edge", specimen)
    assert_array_equal(is_in("beside_vacancy", specimen)[inner], touching[inner])


def test_a_hole_has_an_edge_whose_sulfur_may_be_single():
    holed = make(PERFECT.but(hole_radius_A=7.0, edge_vacancy_shares={"S": 0.5}, seed=2))
    whole = make(PERFECT.but(seed=2))
    area = (len(whole.sites) - len(holed.sites)) / 2 * LATTICE_A**2 * np.sqrt(3) / 2
    assert 0.5 < area / (np.pi * 7.0**2) < 2
    assert set(holed.sites.loc[holed.sites["species"] == "S", "region"]) == {"edge"}
    sulfur = (holed.sites["species"] != "Mo") & (holed.sites["region"] == "edge")
    assert_allclose((holed.sites["species"] == "S").sum(), 0.5 * sulfur.sum(), atol=1)
    assert is_in("edge", holed)[bonds_of_sites(holed) < 3].all()


@pytest.mark.parametrize("grains", [2, 3])
def test_grains_meet_in_a_boundary_that_is_closed_and_not_crowded(grains):
    specimen = make(PERFECT.but(grain_count=grains, seed=grains))
    boundary = is_in("boundary", specimen)
    assert 0.03 < boundary.mean() < 0.4
    assert 0.5 < (bonds_of_sites(specimen)[boundary] == 3).mean() < 1
    assert neighbours_A(places(specimen)).min() > 1.6


def test_two_grains_are_mirrored_in_their_boundary():
    for seed in range(10):
        grains = coincidence_grains.draw_grains(2, (60.0, 60.0), np.random.default_rng(seed))
        first, second = grains.turns_rad
        mirrored = 2 * grains.rays_rad[0] - first
        # The lattice has sixfold symmetry; the sublattices, which stand at 30° to it, threefold.
        mirrored_sulfur = 2 * grains.rays_rad[0] - (first + np.pi / 6)
        assert_allclose(np.exp(6j * mirrored), np.exp(6j * second), atol=1e-9)
        assert_allclose(np.exp(3j * mirrored_sulfur), np.exp(3j * (second + np.pi / 6)), atol=1e-9)
        assert_allclose(np.diff(grains.rays_rad), np.pi)


def test_every_point_is_in_the_sector_whose_rays_enclose_it():
    junction, rays = np.array([10.0, 10.0]), np.array([0.0, 2.0, 4.0])
    grains = coincidence_grains.Grains(junction, rays, np.zeros(3))
    azimuths = np.array([0.1, 1.9, 2.1, 3.9, 4.1, 6.2])
    points = junction + 5 * np.stack([np.cos(azimuths), np.sin(azimuths)], axis=1)
    assert grains.sector(points).tolist() == [0, 0, 1, 1, 2, 2]
    assert_allclose(grains.distance_A(points)[[0, 2, 4]], 5 * np.sin(0.1), rtol=1e-9)


def test_tilt_foreshortens_and_gives_the_sheet_a_slope():
    flat, tilted = (make(PERFECT.but(tilt_deg=tilt)) for tilt in (0, 5))
    for specimen, angle in ((flat, 0), (tilted, 5)):
        mo = specimen.structure.positions[specimen.structure.numbers == 42]
        normal = np.linalg.svd(mo - mo.mean(axis=0))[2][2]
        assert_allclose(np.rad2deg(np.arccos(min(abs(normal[2]), 1))), angle, atol=1e-3)
    assert tilted.structure.cell_A[2] > flat.structure.cell_A[2]


def test_ripples_are_as_high_as_asked():
    heights = []
    for seed in range(20):
        sheet = make(PERFECT.but(ripple_A=0.4, seed=seed)).structure
        heights.append(sheet.positions[sheet.numbers == 42, 2].std())
    assert 0.25 < np.sqrt(np.mean(np.square(heights))) < 0.5


def test_defocus_counts_from_the_last_layer_of_atoms():
    specimen = make(SMALL)
    structure = specimen.structure
    assert_allclose(structure.cell_A[2] - structure.positions[:, 2].max(), specimen.below_A)
    assert specimen.below_A >= 2
    assert_allclose(structure.cell_A[:2], SMALL.size_A)
    assert (structure.positions >= 0).all()
    assert (structure.positions <= structure.cell_A).all()


def test_the_same_seed_gives_the_same_sheet_and_a_generator_goes_first():
    one, again = (make(SMALL.but(seed=7)) for _ in range(2))
    assert one.sites.equals(again.sites)
    drawn = make(SMALL, np.random.default_rng(7))
    assert one.sites.equals(drawn.sites)
    assert not one.sites.equals(make(SMALL).sites)


ROOM = "make size_A larger or hole_radius_A smaller"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("size_A", (3.0, 3.0), ROOM),
        ("size_A", (1.0, 50.0), ROOM),
        ("hole_radius_A", 200.0, ROOM),
        ("vacancy_shares", {"B": 0.1}, "vacancy_shares.*'B'.*S"),
        ("edge_vacancy_shares", {"B": 0.1}, "edge_vacancy_shares.*'B'.*S"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(key, value, told):
    with pytest.raises(InputError, match=told):
        make(SMALL.but(**{key: value}))


#: A flat, light sheet whose holes end with its second element.
NITRIDE = Honeycomb(
    lattice_A=2.5,
    sublattices=(
        Sublattice("B", ("B",), (0.0,), vacancy_shares=(0.02,)),
        Sublattice("N", ("N",), (0.0,), vacancy_shares=(0.01,)),
    ),
    hole_edges="N",
)
FLAT = PERFECT.but(vacancy_shares={"B": 0.0, "N": 0.0}, edge_vacancy_shares={})


def test_a_material_is_made_from_its_own_facts():
    sheet = make(FLAT.but(vacancy_shares={}), material=NITRIDE)
    counts, gone = (
        one.value_counts() for one in (sheet.sites["species"], sheet.vacancies["missing"])
    )
    assert set(counts.index) == set(gone.index) == {"B", "N"}
    whole = counts + gone
    assert (gone["B"], gone["N"]) == (round(0.02 * whole["B"]), round(0.01 * whole["N"]))
    assert_array_equal(np.unique(sheet.structure.numbers), [5, 7])
    assert_allclose(np.median(neighbours_A(places(sheet))), 2.5 / np.sqrt(3), rtol=1e-3)


@pytest.mark.parametrize("element", ["B", "N"])
def test_holes_end_with_the_element_that_the_material_says(element):
    chosen = FLAT.but(size_A=(80.0, 80.0), hole_radius_A=6.0, seed=4)
    sheet = make(chosen, material=replace(NITRIDE, hole_edges=element))
    inner = np.abs(places(sheet) - 40).max(axis=1) < 36
    is_b = (sheet.sites["species"] == "B").to_numpy()
    pairs = cKDTree(places(sheet)).query_pairs(1.9, output_type="ndarray")
    bonds = np.bincount(pairs.ravel(), minlength=len(is_b))
    # Of the other element there is one at a corner at most.
    assert (sheet.sites["species"][inner & (bonds < 3)] == element).mean() > 0.85


def test_grains_of_a_light_material_are_as_closed_as_those_of_a_heavy_one():
    sheet = make(FLAT.but(grain_count=2, seed=2), material=NITRIDE)
    nearest, _, third = neighbours_A(places(sheet), 3).T
    assert nearest.min() > 1.2
    assert np.mean(third[is_in("boundary", sheet)] < 1.9) > 0.5
    assert np.mean(third[is_in("bulk", sheet)] < 1.6) > 0.95


# The forces that close the boundaries


def honeycomb(size_A=30.0, disturbed_A=0.0):
    rng = np.random.default_rng(0)
    sites, is_mo = coincidence_grains._lattice((size_A, size_A), LATTICE_A, 0.2, rng)
    return sites + rng.normal(0, disturbed_A, sites.shape), is_mo


def test_forces_are_the_derivative_of_the_energy():
    sites, is_mo = honeycomb(16.0, disturbed_A=0.15)
    pairs = honeycomb_forces.near_pairs(sites, LATTICE_A)

    def energy(flat):
        return honeycomb_forces.pair_energy(flat.reshape(-1, 2), is_mo, LATTICE_A, pairs)[0]

    numeric = approx_fprime(sites.ravel(), energy, 1e-6).reshape(-1, 2)
    _, gradient = honeycomb_forces.pair_energy(sites, is_mo, LATTICE_A, pairs)
    assert_allclose(gradient, numeric, atol=1e-3)


def test_the_energy_is_that_of_the_same_sheet_of_another_lattice_constant():
    sites, is_first = honeycomb(16.0, disturbed_A=0.15)
    energy, gradient = honeycomb_forces.pair_energy(sites, is_first, LATTICE_A)
    small, steep = honeycomb_forces.pair_energy(0.8 * sites, is_first, 0.8 * LATTICE_A)
    assert_allclose(small, energy, rtol=1e-9)
    assert_allclose(0.8 * steep, gradient, atol=1e-9)


def test_the_perfect_sheet_is_at_rest_and_any_disturbance_heals():
    sites, is_mo = honeycomb()
    energy, gradient = honeycomb_forces.pair_energy(sites, is_mo, LATTICE_A)
    assert_allclose(gradient, 0, atol=1e-9)
    rough, _ = honeycomb(disturbed_A=0.1)
    healed = honeycomb_forces.relax(rough, is_mo, LATTICE_A, 400)
    assert_allclose(honeycomb_forces.pair_energy(healed, is_mo, LATTICE_A)[0], energy, rtol=1e-3)


def test_an_inner_site_has_the_energy_of_the_bulk():
    # The energy of a site is half of that which goes when it is taken out.
    sites, is_mo = honeycomb()
    whole, _ = honeycomb_forces.pair_energy(sites, is_mo, LATTICE_A)
    inner = np.argmin(np.linalg.norm(sites - 15.0, axis=1))
    rest = np.delete(np.arange(len(sites)), inner)
    without, _ = honeycomb_forces.pair_energy(sites[rest], is_mo[rest], LATTICE_A)
    assert_allclose((whole - without) / 2, honeycomb_forces.BULK_ENERGY, rtol=1e-9)
