"""Frames through the network: one map for an image or for a focal series, and atoms from it."""

import json

import numpy as np
import pandas as pd
import pytest
from made_models import ATOM_CARD, ranges, save_tiny_model

import locate_atoms
import map_classes
from atomsight.files import layout, sealed, tables

FOCUS_A = (-170.0, -40.0, 90.0)
CARD = ATOM_CARD.but(
    name="heights",
    frames=3,
    contrast="either",
    microscope=ranges(defocus_A=[-60, -20], focal_series={"steps_A": [-130, 0, 130]}),
)


@pytest.fixture
def images():
    return np.random.default_rng(0).poisson(100, (6, 64, 72)).astype(np.float32)


@pytest.fixture
def mapped(tmp_path):
    """Write images, in two of which some pixels are not usable, and map them."""

    def run(images, focus_A=FOCUS_A, card=CARD):
        frames, model = tmp_path / "frames.h5", tmp_path / card.name
        with sealed.create(frames, {}) as file:
            names = [str(number) for number in range(len(images))]
            stored, usable = layout.create_frames(file, images.shape, 0.12, 0.12, names, focus_A)
            stored[...], usable[...] = images, True
            usable[1, :, :20] = False
            usable[2, :9] = False
        if not model.exists():
            save_tiny_model(model, card)
        assert map_classes.main([str(frames), str(model), str(tmp_path / "maps.h5")]) == 0
        with layout.open_maps(tmp_path / "maps.h5") as found:
            return found.maps[...]

    return run


def test_six_frames_at_three_focus_values_give_two_maps(mapped, images):
    maps = mapped(images)
    assert maps.shape == (2, 64, 72, 2)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)
    # A pixel must be usable in all images.
    assert (maps[0, :, :20, 0] == 1).all()
    assert (maps[0, :9, :, 0] == 1).all()
    assert (maps[0, 9:, 20:, 0] < 1).all()
    assert (maps[1, ..., 0] < 1).all()


def test_every_image_of_a_series_counts(mapped, images):
    before = mapped(images)
    for changed in range(3):
        others = images.copy()
        others[changed] = images[changed, ::-1]
        after = mapped(others)
        assert np.abs(after[0] - before[0]).max() > 1e-4
        np.testing.assert_allclose(after[1], before[1], atol=1e-6)


def test_the_order_of_the_images_does_not_matter(mapped, images):
    turned = images.reshape(2, 3, 64, 72)[:, ::-1].reshape(images.shape)
    np.testing.assert_allclose(mapped(turned, FOCUS_A[::-1])[1], mapped(images)[1], atol=1e-6)


def located(folder, *more):
    assert locate_atoms.main([str(folder / "maps.h5"), str(folder / "atoms.h5"), *more]) == 0
    with sealed.open_to_read(folder / "atoms.h5") as file:
        return tables.read_table(file, "atoms")


def test_every_single_frame_is_mapped_and_searched(tmp_path, mapped, images):
    maps = mapped(images, (), ATOM_CARD)
    assert maps.shape == (6, 64, 72, 2)
    assert (maps[1, :, :20, 0] == 1).all(), "what is not usable is background"
    with layout.open_maps(tmp_path / "maps.h5") as found:
        assert found.thresholds == ATOM_CARD.thresholds
    atoms = located(tmp_path, "--csv", str(tmp_path / "atoms.csv"))
    columns = ["frame", "atom", "x_A", "y_A", "class", "p_class", "p_exists", "p_atom"]
    assert list(atoms.columns) == columns == list(pd.read_csv(tmp_path / "atoms.csv").columns)
    assert (atoms.loc[atoms["frame"] == 1, "x_A"] > 19 * 0.12).all()


def test_thresholds_of_the_settings_override_the_models(tmp_path, mapped, images):
    mapped(images, (), ATOM_CARD)
    strict = json.dumps({"min_existence": 1.0, "background_limit": 0.001})
    assert len(located(tmp_path, "--settings", strict)) == 0
