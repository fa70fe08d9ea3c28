"""Simulated particles: their lattice, their columns, their box, what they lie on."""

import numpy as np
import pytest
from made_inputs import neighbours_A
from numpy.testing import assert_allclose
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import cKDTree

from atomsight.config.phantoms import ParticleSettings
from atomsight.errors import InputError
from atomsight.phantoms import films, particles

DEFAULTS = ParticleSettings.parse({}, "particle_specimen")
PERFECT = DEFAULTS.but(atoms=(250, 400), tilt_deg=(0, 0), displacement_A=0.0, scale_variation=0.0)
GOLD_A = 4.08


def make(seed=0, **changes):
    return particles.make_particle(PERFECT.but(**changes), np.random.default_rng(seed))


def boxed(seed=0, size_A=(48.0, 52.0), **changes):
    return particles.make_specimen(PERFECT.but(seed=seed, **changes), size_A)


def means(of, positions):
    """The mean projected position of every group of atoms."""
    sums = np.stack([np.bincount(of, one) for one in positions[:, :2].T], axis=1)
    return sums / np.bincount(of)[:, None]


@pytest.mark.parametrize("seed", range(5))
def test_atoms_stand_on_an_fcc_lattice_none_of_them_loose(seed):
    particle = make(seed, atoms=(300, 1500))
    assert (particle.cells.sum(axis=1) % 2 == 0).all()
    assert_allclose(neighbours_A(particle.positions, 3), GOLD_A / np.sqrt(2), rtol=1e-9)
    assert 180 < len(particle.cells) < 1800


@pytest.mark.parametrize(
    ("axis", "spacing_A"), [("110", GOLD_A * 0.612372), ("111", GOLD_A / 6**0.5)]
)
def test_columns_of_an_untilted_particle_are_lattice_positions(axis, spacing_A):
    particle = make(3, zone_axis=axis)
    columns = particle.columns
    # Every atom of a column is seen at one place.
    assert_allclose(particle.positions[:, :2], columns.positions[columns.of_atom], atol=1e-9)
    assert_allclose(neighbours_A(columns.positions)[:, 0], spacing_A, rtol=1e-5)
    assert columns.atoms.sum() == len(particle.cells)


@pytest.mark.parametrize("axis", ["110", "111"])
def test_columns_are_what_single_linkage_at_one_angstrom_finds(axis):
    particle = make(4, zone_axis=axis)
    clusters = fcluster(linkage(particle.positions[:, :2], "single"), 1.0, "distance")
    pairs = np.unique(np.stack([clusters, particle.columns.of_atom]), axis=1)
    assert pairs.shape[1] == clusters.max() == len(particle.columns.atoms)


def test_inner_columns_have_six_neighbours_and_those_at_the_rim_fewer():
    columns = make(5, zone_axis="111").columns
    near = (neighbours_A(columns.positions, 6) < 1.1 * GOLD_A / 6**0.5).all(axis=1)
    assert (near == (columns.region == "interior")).all()
    assert 0.1 < (columns.region == "surface").mean() < 0.7


def test_tilt_moves_a_column_to_the_mean_of_its_atoms_and_keeps_its_number():
    upright, tilted = (make(6, tilt_deg=(angle, angle)) for angle in (0, 4))
    assert (upright.columns.atoms == tilted.columns.atoms).all()
    axis = np.array(particles.ZONE_AXES[tilted.zone_axis].direction)
    along = tilted.orientation @ axis / np.linalg.norm(axis)
    assert_allclose(np.arccos(along[2]), np.deg2rad(4))
    longest = tilted.columns.atoms.argmax()
    atoms = tilted.positions[tilted.columns.of_atom == longest]
    assert_allclose(atoms[:, :2].mean(axis=0), tilted.columns.positions[longest])
    # The column is seen lengthwise now: height times the sine of the tilt.
    length = np.linalg.norm(np.ptp(atoms[:, :2], axis=0))
    assert_allclose(length, np.ptp(atoms[:, 2]) * np.tan(np.deg2rad(4)), rtol=1e-6)


def test_displacements_and_scale_are_as_asked():
    particle = make(7, displacement_A=0.03, scale_variation=0.01, atoms=(1200, 1500))
    assert_allclose(particle.displacements.std(), 0.03, rtol=0.1)
    assert 0.99 <= particle.lattice_A / GOLD_A <= 1.01
    assert particle.lattice_A != GOLD_A


def test_etching_takes_atoms_from_edges_and_makes_the_surface_rough():
    smooth = make(8, etched_share=(0, 0), adatom_share=0.0)
    rough = make(8, etched_share=(0.4, 0.4), adatom_share=0.0)
    assert len(rough.cells) < len(smooth.cells)
    assert particles.is_among(rough.cells, smooth.cells).all()
    full = particles.coordination(smooth.cells, smooth.cells) == 12
    assert particles.is_among(smooth.cells[full], rough.cells).mean() > 0.97


def test_outer_columns_are_the_next_lattice_columns_and_hold_no_atom():
    particle = make(9, zone_axis="110")
    cells, column = particles.outer_columns(particle)
    labels = particles.column_labels(cells, "110")
    assert not particles.is_among(labels, particle.columns.labels).any()
    assert (particles.coordination(cells, particle.cells) >= 3).all()
    outer = means(column, particle.place(cells))
    nearest, _ = cKDTree(particle.columns.positions).query(outer)
    assert_allclose(nearest, np.where(nearest > 2.7, GOLD_A / 2**0.5, GOLD_A * 0.612372), rtol=1e-5)


@pytest.mark.parametrize("support", ["none", "amorphous", "crystalline"])
@pytest.mark.parametrize("view", ["profile", "plan"])
def test_everything_lies_in_the_box_and_the_particle_within_its_margin(support, view):
    specimen = boxed(2, support=support, support_view=view, displacement_A=0.03)
    structure, gold = specimen.structure, specimen.column >= 0
    assert (structure.positions >= 0).all()
    assert (structure.positions <= structure.cell_A).all()
    inner = structure.positions[gold, :2]
    assert inner.min() >= 6
    assert (inner <= structure.cell_A[:2] - 6).all()
    assert structure.positions[:, 2].min() > 2
    assert structure.positions[:, 2].max() < structure.cell_A[2] - 2
    assert (structure.numbers[gold] == 79).all()
    assert structure.classes.sum() == gold.sum()
    sites = specimen.columns[["x_A", "y_A"]].to_numpy()
    assert_allclose(structure.sites, sites)
    assert_allclose(means(specimen.column[gold], inner), sites, atol=1e-9)


@pytest.mark.parametrize("support", ["amorphous", "crystalline"])
def test_a_support_in_profile_is_below_and_touches(support):
    specimen = boxed(3, support=support, support_thickness_A=(20, 20))
    positions, is_gold = specimen.structure.positions, specimen.column >= 0
    gold, film = positions[is_gold], positions[~is_gold]
    assert len(film) > 300
    assert film[:, 1].min() > gold[:, 1].max() - 5
    assert film[:, 1].max() > specimen.structure.cell_A[1] - 1.5
    nearest = cKDTree(film).query(gold)[0].min()
    assert 2.0 <= nearest < 3.2
    clear = specimen.columns["clear"].to_numpy()
    assert 0.4 < clear.mean() < 0.99
    assert specimen.columns.loc[~clear, "y_A"].mean() > specimen.columns.loc[clear, "y_A"].mean()


def test_a_support_in_plan_covers_the_image_before_or_behind_the_particle():
    plan = {"support": "crystalline", "support_view": "plan", "support_thickness_A": (20, 20)}
    below_A = []
    for seed in range(6):
        specimen = boxed(seed, **plan)
        x, y, z = specimen.structure.positions.T
        gold, film = specimen.column >= 0, specimen.column < 0
        assert z[film].min() > z[gold].max() or z[film].max() < z[gold].min()
        counts, *_ = np.histogram2d(x[film], y[film], bins=6)
        assert counts.min() > 10
        assert specimen.columns["clear"].all()
        below_A.append(specimen.below_A)
    # Defocus can count from the particle, wherever the film is.
    assert_allclose(min(below_A), films.HEADROOM_A)
    assert_allclose(max(below_A), films.HEADROOM_A + 22, atol=1)


def test_the_same_seed_makes_the_same_specimen_and_another_another():
    one, same, other = (boxed(seed, support="crystalline") for seed in (1, 1, 2))
    assert_allclose(one.structure.positions, same.structure.positions)
    assert len(one.structure.positions) != len(other.structure.positions)


def test_the_particle_does_not_depend_on_the_material_of_its_support():
    one, other = (boxed(1, support=support).particle for support in ("amorphous", "crystalline"))
    assert_allclose(one.positions, other.positions)


def test_a_particle_too_large_for_its_box_is_told():
    with pytest.raises(InputError, match=r"do not fit into a box of 20\.0 × 30\.0 Å; lower"):
        boxed(0, size_A=(20, 30))


# Films


def test_amorphous_carbon_has_its_density_and_its_bonds_also_across_the_edge():
    size_A = np.array([30.0, 26.0])
    positions, numbers = films.amorphous_carbon(size_A, 20.0, np.random.default_rng(0))
    density = len(positions) * 12.011 / 0.60221 / (30 * 26 * 20)
    assert_allclose(density, 1.9, rtol=0.01)
    assert (numbers == 6).all()
    distances = neighbours_A(positions, 2, box_A=[*size_A, 0])
    assert distances.min() > 1.1
    assert_allclose(np.median(distances), 1.45, atol=0.04)


def test_ceria_has_its_density_and_its_bonds():
    size_A = np.array([40.0, 36.0])
    positions, numbers = films.ceria(size_A, 30.0, np.random.default_rng(1))
    volume = (40 - 1.5) * (36 - 1.5) * 30
    assert_allclose((numbers == 58).sum() / volume, 4 / 5.41**3, rtol=0.02)
    assert_allclose((numbers == 8).sum() / (numbers == 58).sum(), 2, rtol=0.03)
    distances, _ = cKDTree(positions[numbers == 8]).query(positions[numbers == 58], k=8)
    assert_allclose(np.median(distances), 5.41 * np.sqrt(3) / 4, rtol=1e-6)


def test_ceria_is_never_near_a_zone_axis():
    rng = np.random.default_rng(2)
    least = {(0, 0, 1): 8, (0, 1, 1): 8, (1, 1, 1): 8, (1, 1, 2): 6, (0, 1, 2): 6}
    for _ in range(30):
        beam = np.sort(np.abs(films.off_axis_rotation(rng).inv().apply([0, 0, 1])))
        for zone, angle_deg in least.items():
            cosine = np.array(zone) @ beam / np.linalg.norm(zone)
            assert np.rad2deg(np.arccos(min(cosine, 1))) >= angle_deg
    assert not films.is_off_axis(np.array([0, -0.05, np.sqrt(1 - 0.05**2)]))


def test_ceria_off_axis_shows_no_columns():
    """Seen along a zone axis cerium atoms stand behind each other; here their images are spread."""
    positions, numbers = films.ceria(np.array([40.0, 40.0]), 40.0, np.random.default_rng(3))
    projected = positions[numbers == 58, :2]
    crowd = cKDTree(projected).query_ball_point(projected, 0.15, return_length=True) - 1
    spread = len(projected) / 38.5**2 * np.pi * 0.15**2
    # On ⟨110⟩ there would be about ten within this radius.
    assert crowd.mean() < 4 * spread + 1
