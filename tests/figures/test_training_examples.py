"""Training examples: made as in the training, at the doses asked for, with their conditions."""

import made_graphene
import numpy as np
import pages
import pytest

from atomsight.config.configuration import ModelSettings
from atomsight.figures import training_examples
from atomsight.figures.parts import examples

MODEL = ModelSettings.parse(made_graphene.SECTION)
DOSES = (100, 1e4)


def make():
    return examples.make_examples(made_graphene.waves(), MODEL, DOSES, seed=3)


@pytest.fixture(scope="module")
def made():
    return make()


def test_examples_have_the_doses_asked_for_and_the_noise_of_them(made):
    for example, dose in zip(made, DOSES, strict=True):
        assert example.dose_e_per_A2 == pytest.approx(dose)
        assert example.image.shape == (48, 48)
        electrons = dose * example.pixel_size_A**2
        assert example.image.mean() == pytest.approx(1, abs=5 / np.sqrt(electrons * 48**2))
    assert made[0].image.std() > 5 * made[1].image.std()


def test_the_truth_is_a_map_of_probability(made):
    for example in made:
        assert example.truth.min() >= 0
        assert 0.9 < example.truth.max() <= 1
        assert np.abs(example.normalised.mean()) < 0.1


def test_conditions_lie_in_the_ranges_and_differ(made):
    ranges = MODEL.microscope
    for name in ("defocus_A", "cs_um", "c5_mm", "astigmatism_A", "pixel_size_A"):
        values = [getattr(example, name) for example in made]
        low, high = getattr(ranges, name)
        assert values[0] != values[1]
        assert all(low - 1e-5 <= value <= high + 1e-5 for value in values)


def test_the_same_seed_gives_the_same_examples(made):
    for one, other in zip(made, make(), strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.normalised, other.normalised)


def test_doses_and_conditions_are_written_above(made):
    said = ("100 e/Å²", "10,000 e/Å²", f"defocus −{-made[0].defocus_A:.0f} Å")
    pages.assert_shows(training_examples.draw(made), *said)
