"""Rough particles: the metal is told from its support, and everything is counted once."""

import numpy as np
import pages
import pytest
from made_particles import particle
from matplotlib.collections import EllipseCollection
from numpy.testing import assert_allclose, assert_array_equal

from atomsight.figures import rough_particles


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
    figure = rough_particles.draw(structures, rough_particles.gather(structures))
    said = ("simulated structures", "atoms in a column", "median 2.00 Å", "distance (Å)")
    pages.assert_shows(figure, *said)
    panels = pages.maps(figure)
    assert panels == figure.axes[:count]
    assert_allclose([np.ptp(axes.get_xlim()) for axes in panels], np.ptp(panels[0].get_xlim()))


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
