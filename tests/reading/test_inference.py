"""Tiled inference."""

import keras
import numpy as np
import pytest

from atomsight.config.training import NetworkSettings
from atomsight.learning.networks import build_network, measure
from atomsight.reading.inference import (
    chosen_sign,
    largest_tile_px,
    overlap_px,
    predict_maps,
    read_image,
    read_images,
    tiles,
)

IMAGE = np.random.default_rng(2).normal(size=(64, 96, 1)).astype("float32")


SETTINGS = [NetworkSettings(kind=kind, features=2) for kind in ("subpixel", "fusion")]


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda settings: settings.kind)
def network(request):
    keras.utils.set_random_seed(4)
    return build_network(request.param, frames=1, classes=2)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2048, 1331])
def test_seams_of_tiles_are_invisible(network, size):
    """An image in tiles is the image in one piece, whether or not the stride divides its size."""
    image = np.random.default_rng(0).normal(size=(1, size, size, 1)).astype("float32")
    whole = predict_maps(network, image, tile_px=2048)
    tiled = predict_maps(network, image, tile_px=768)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


def test_any_size_of_image_is_mapped(network):
    maps = predict_maps(network, np.zeros((3, 131, 77, 1), "float32"), tile_px=512)
    assert maps.shape == (3, 131, 77, 2)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.kind)
@pytest.mark.parametrize("size", [16, 512, 1008, 1024, 4096])
def test_tiles_cover_an_axis_once_and_see_all_they_need(size, settings):
    covered, edges = [], set()
    measures = measure(settings, 1, 2)
    for read, keep in tiles(size, 512, measures):
        covered += range(size)[keep]
        assert read.start % measures.stride == 0
        assert read.start == 0 or keep.start - read.start >= measures.reach
        assert read.stop == size or read.stop - keep.stop >= measures.reach
        edges.add(read.stop - read.start)
    assert len(edges) == 1
    assert max(edges) <= 512
    assert covered == list(range(size))


def test_a_tile_smaller_than_its_overlap_is_refused(network):
    with pytest.raises(ValueError, match="a tile must be larger"):
        predict_maps(
            network, np.zeros((1, 600, 600, 1), "float32"), tile_px=2 * overlap_px(network.measures)
        )


def test_what_the_sheet_says_of_the_contrast_is_done(network):
    image = np.zeros((64, 64, 1), "float32")
    assert chosen_sign(network, image, "bright", "bright") == 1
    assert chosen_sign(network, image, "bright", "dark") == -1
    assert chosen_sign(network, image, "either", "dark") == 1


def test_contrast_is_found_by_the_surer_answer():
    class Certain:
        """Finds atoms where the image is bright, and is undecided where it is dark."""

        output_shape = (None, None, None, 2)
        measures = measure(SETTINGS[0], 1, 2)

        def predict_on_batch(self, images):
            background = np.select([images > 0, images < 0], [-8.0, 0.0], 3.0)
            return np.concatenate([background, 0 * images], axis=-1)

    image = np.zeros((128, 128, 1), "float32")
    image[::4] = 1
    assert chosen_sign(Certain(), image, "bright", "auto") == 1
    assert chosen_sign(Certain(), -image, "bright", "auto") == -1


def test_images_read_together_are_read_as_one_by_one(network):
    images = np.random.default_rng(3).normal(size=(3, 64, 96, 1)).astype("float32")
    together = read_images(network, images, 2000, 4)
    alone = np.stack([read_image(network, image, 2000, 4) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_images_read_together_take_no_more_memory_than_one():
    class Large:
        measures = measure(NetworkSettings(kind="fusion", features=128), 1, 2)
        output_shape = (None, None, None, 2)
        most = 0

        def predict_on_batch(self, images):
            self.most = max(self.most, images[..., 0].size)
            return np.zeros((*images.shape[:3], 2), "float32")

    network = Large()
    read_images(network, np.zeros((7, 520, 520, 1), "float32"), 4000, 1)
    assert network.most * network.measures.bytes_per_pixel < 4000e6 - 1500e6


@pytest.mark.parametrize("orientations", [4, 8])
def test_an_image_turned_gives_the_map_turned(network, orientations):
    """The network alone does not promise this; the average over its orientations does."""
    upright = read_image(network, IMAGE, 2000, orientations)
    turned = read_image(network, np.rot90(IMAGE), 2000, orientations)
    np.testing.assert_allclose(np.rot90(upright), turned, atol=1e-5)
    assert np.abs(upright - predict_maps(network, IMAGE[None], 512)[0]).max() > 1e-4


def test_one_orientation_is_the_image_as_it_is(network):
    alone = read_image(network, IMAGE, 2000, 1)
    np.testing.assert_allclose(alone, predict_maps(network, IMAGE[None], 512)[0], atol=1e-7)


def test_tiles_are_as_large_as_the_memory_allows():
    """A large network, or little memory, makes small tiles; these still hold what they overlap."""
    small, large = (
        measure(NetworkSettings(kind="subpixel", features=features), 1, 2) for features in (16, 64)
    )
    assert largest_tile_px(small, 4000) > largest_tile_px(large, 4000)
    for memory_mb in (4000, 16000):
        held_mb = largest_tile_px(large, memory_mb) ** 2 * large.bytes_per_pixel / 1e6
        assert 0.4 * memory_mb < held_mb < memory_mb
    assert largest_tile_px(large, 100) > 2 * overlap_px(large)


@pytest.mark.parametrize("shape", [(700, 650), (650, 650), (64, 700)])
def test_tiles_of_a_turned_image_fit_together(network, shape):
    """Also where the stride does not divide an edge, and the padding is on another side."""
    image = np.random.default_rng(5).normal(size=(1, *shape, 1)).astype("float32")
    tile_px = 2 * overlap_px(network.measures) + 128
    for turned in (image, np.rot90(image, axes=(1, 2)), image[:, :, ::-1]):
        whole = predict_maps(network, turned, tile_px=1024)
        np.testing.assert_allclose(predict_maps(network, turned, tile_px), whole, atol=1e-4)
