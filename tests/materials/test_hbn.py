"""Random sheets of hexagonal boron nitride, and what the material says of itself."""

import numpy as np
import pytest
from made_inputs import neighbours_A, order, pairs_within
from numpy.testing import assert_allclose

from atomsight.materials import hbn, purpose

SIZE_A = 43.2
SETTINGS = hbn.Settings()
WHOLE = SETTINGS.but(
    grains=(1, 1),
    max_b_vacancies=0.0,
    max_n_vacancies=0.0,
    max_triangles=0,
    max_holes=0,
    edge_share=0.0,
)
B, N = 1, 2


def make(settings, seed=0):
    return hbn.make_structure(settings, np.random.default_rng(seed))


def bonds(sheet):
    pairs, lengths_A = pairs_within(sheet.sites, 1.9, SIZE_A)
    unlike = np.ptp(sheet.classes[pairs], axis=1) > 0
    return pairs[unlike], lengths_A[unlike]


def bond_counts(sheet):
    return np.bincount(bonds(sheet)[0].ravel(), minlength=len(sheet.sites))


def test_a_model_names_boron_and_nitrogen():
    assert purpose("hbn", ["background", "B", "N"]) == "species"


def test_bonds_are_as_long_as_those_that_were_measured():
    assert_allclose(hbn.HONEYCOMB.lattice_A / np.sqrt(3), 1.446, atol=1e-3)
    _, lengths_A = bonds(make(WHOLE))
    assert_allclose(lengths_A.mean(), 1.446, rtol=0.03)  # strained to fit the box


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_sheet_alternates_between_the_two_elements_across_the_border_of_its_box(seed):
    sheet = make(WHOLE, seed)
    assert (bond_counts(sheet) == 3).all()
    assert (sheet.classes == B).sum() == (sheet.classes == N).sum()
    assert (sheet.numbers == np.where(sheet.classes == B, 5, 7)).all()


def test_more_boron_is_missing_than_nitrogen():
    most = {key: getattr(SETTINGS, key) for key in ("max_b_vacancies", "max_n_vacancies")}
    sheets = [make(WHOLE.but(**most), seed) for seed in range(12)]
    boron, nitrogen = (sum((sheet.classes == one).sum() for sheet in sheets) for one in (B, N))
    assert boron < nitrogen
    assert make(WHOLE.but(max_b_vacancies=0.3), 1).classes.size < make(WHOLE, 1).classes.size


def test_triangular_holes_end_with_nitrogen():
    ends = []
    for seed in range(12):
        sheet = make(WHOLE.but(max_triangles=2, triangle_radius_A=(2.0, 5.0)), seed)
        ends += list(sheet.classes[bond_counts(sheet) < 3])
    assert len(ends) > 50
    assert np.mean(np.array(ends) == N) > 0.8  # the others are at corners


@pytest.mark.parametrize("seed", range(4))
def test_a_random_sheet_is_held_together(seed):
    sheet = make(SETTINGS, seed)
    assert bond_counts(sheet).min() >= 1
    assert neighbours_A(sheet.sites, box_A=SIZE_A).min() > 1.05
    assert_allclose(sheet.positions[:, :2], sheet.sites)


def test_directions_of_bonds_are_those_of_crystals_and_of_small_grains():
    one, many = (
        order([make(WHOLE.but(grains=count), seed) for seed in range(6)], (6, 15), 1.446)
        for count in ((1, 1), (SETTINGS.grains[1],) * 2)
    )
    assert (one > 0.9).all()
    assert 0.2 < many[0] < 0.7
    assert many[1] < 0.3
