"""Rough particles: the metal is told from its support, and everything is counted once."""

import made_sites
import numpy as np
import pytest
from matplotlib.collections import EllipseCollection
from numpy.testing import assert_allclose, assert_array_equal

import plot_rough_particles
from atomsight.figures import rough_particles
from atomsight.files import layout
from atomsight.files.records import Structure


def particle(across=5, height=3, supported=True):
    """A block of gold columns 2 Å apart, beside a plate of carbon."""
    x, y = np.meshgrid(np.arange(across), np.arange(across))
    sites = 2.0 * np.stack([x.ravel(), y.ravel()], axis=-1) + 10
    heights = np.full(len(sites), height)
    heights[0] = 1
    column = np.repeat(np.arange(len(sites)), heights)
    z = np.concatenate([2.9 * np.arange(count) for count in heights])
    gold = np.column_stack([sites[column], z])
    carbon = np.random.default_rng(0).uniform(0, [40, 8, 20], (200 if supported else 0, 3))
    return Structure(
        positions=np.concatenate([carbon, gold]),
        numbers=np.repeat([6, 79], [len(carbon), len(gold)]),
        cell_A=np.array([40.0, 40.0, 30.0]),
        sites=sites,
        classes=heights,
    )


def test_the_heaviest_element_is_the_metal():
    metal = rough_particles.is_metal(particle())
    assert metal.sum() == 24 * 3 + 1
    assert not metal[:200].any()
    assert rough_particles.is_metal(particle(supported=False)).all()


def test_columns_atoms_and_distances_are_counted_once():
    made = rough_particles.gather([particle(4, 2), particle(3, 5)])
    assert_array_equal(made.columns, [16, 9])
    assert made.heights.sum() == 15 * 2 + 1 + 8 * 5 + 1
    assert_allclose(made.distances_A, 2.0)
    assert len(made.distances_A) == 25


def test_the_gallery_runs_from_small_to_large():
    structures = [particle(across) for across in (9, 3, 7, 5, 4, 8, 6, 10, 2, 11)]
    chosen = rough_particles.choose(structures)
    sizes = [len(structure.sites) for structure in chosen]
    assert len(chosen) == rough_particles.GALLERY
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (4, 121)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_all_particles_are_drawn_in_one_scale_with_a_bar(count):
    structures = [particle(3 + n, supported=n % 2 == 0) for n in range(count)]
    particles = rough_particles.gather(structures)
    figure = rough_particles.draw(structures, particles)
    assert made_sites.overhang(figure) < 0.005
    panels = figure.axes[:count]
    assert all(made_sites.scale_bars(axes) == 1 for axes in panels)
    assert_allclose([np.ptp(axes.get_xlim()) for axes in panels], np.ptp(panels[0].get_xlim()))
    words = made_sites.words(figure)
    for said in ("simulated structures", "atoms in a column", "median 2.00 Å", "distance (Å)"):
        assert said in words


def test_near_atoms_hide_far_ones_and_sites_are_marked():
    structure = particle()
    figure = rough_particles.draw([structure], rough_particles.gather([structure]))
    support, metal = (
        part for part in figure.axes[0].collections if isinstance(part, EllipseCollection)
    )
    assert len(support.get_offsets()) == 200
    gold = structure.positions[rough_particles.is_metal(structure)]
    assert_allclose(metal.get_offsets(), gold[np.argsort(gold[:, 2]), :2])
    assert_allclose(figure.axes[0].lines[0].get_xydata(), structure.sites)


def test_the_script_reads_all_shards_and_draws_the_same_bytes_again(tmp_path):
    paths = [str(tmp_path / f"{shard}.h5") for shard in range(2)]
    for shard, path in enumerate(paths):
        numbered = ((n, particle(3 + n)) for n in range(shard, 4, 2))
        layout.write_structures(path, numbered, {})
    assert [len(s.sites) for s in plot_rough_particles.read_particles(paths)] == [9, 16, 25, 36]
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_rough_particles.main([str(path), *paths]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


@pytest.mark.parametrize(
    ("structures", "message"),
    [
        (None, "does not exist"),
        ([], "there are no structures"),
        ([particle(1)], "structure 0 has fewer than two columns"),
    ],
)
def test_the_script_says_in_one_sentence_what_is_wrong(tmp_path, capsys, structures, message):
    path = tmp_path / "0.h5"
    if structures is not None:
        layout.write_structures(path, enumerate(structures), {})
    assert plot_rough_particles.main([str(tmp_path / "particles.png"), str(path)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
