"""What a model finds in one image or in a focal series, as evaluations read them."""

import numpy as np
import pytest
from made_models import ATOM_CARD, for_series, save_tiny_model

from atomsight.config.phantoms import OpticsSettings
from atomsight.errors import InputError
from atomsight.evaluation import readers

OPTICS = OpticsSettings(pixel_size_A=0.12)
READING = {"memory_mb": 2000, "orientations": 1}
SERIES_CARD = for_series(ATOM_CARD, (-130, 0, 130), ("1", "2"))


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("single"), ATOM_CARD)


@pytest.fixture(scope="module")
def of_three(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("of_three"), SERIES_CARD)


def images(count):
    return np.random.default_rng(0).poisson(30, (count, 64, 48)).astype("float32")


def reader(folder, frames=None):
    return readers.atom_reader(folder, OPTICS, READING, "auto", "here", frames)


def test_a_focal_series_is_read_together(of_three):
    read = reader(of_three, frames=3)
    atoms = read(images(3))
    assert len(atoms)
    assert [f"p_{name}" for name in SERIES_CARD.class_names[1:]] == list(atoms.columns[-2:])
    np.testing.assert_allclose(atoms[["p_1", "p_2"]].sum(axis=1), 1, atol=1e-5)
    # Not three images read one by one: the order tells the focus.
    assert not np.allclose(read(images(3))["p_1"].sum(), read(images(3)[::-1])["p_1"].sum())


def test_sites_of_an_image_are_the_positions_of_its_atoms(single):
    (image,) = images(1)
    atoms = reader(single)(image[None])
    found = readers.finder(single, OPTICS, READING, "auto", "here")(image)
    np.testing.assert_array_equal(found, atoms[["x_A", "y_A"]])


def test_a_wrong_number_of_images_is_told(single, of_three):
    with pytest.raises(InputError, match=r"tiny reads 3 images .* not 2 images"):
        reader(of_three)(images(2))
    with pytest.raises(InputError, match=r"tiny reads 3 images .* not 1 image;"):
        readers.finder(of_three, OPTICS, READING, "auto", "here")
    with pytest.raises(InputError, match=r"tiny reads 1 image .* not 3 images"):
        reader(single, frames=3)


def test_a_pixel_size_that_the_model_does_not_know_is_told(of_three):
    told = r"here.acquisition: the pixel size of 0.3 Å is outside the range"
    with pytest.raises(InputError, match=told):
        readers.atom_reader(of_three, OPTICS.but(pixel_size_A=0.3), READING, "auto", "here")
