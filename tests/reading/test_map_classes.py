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
def model(tmp_path):
    return save_tiny_model(tmp_path / "model", CARD)


def write_frames(path, images, focus_A=FOCUS_A):
    with sealed.create(path, {}) as file:
        names = [str(number) for number in range(len(images))]
        stored, usable = layout.create_frames(file, images.shape, 0.12, 0.12, names, focus_A)
        stored[...], usable[...] = images, True
        usable[1, :, :20] = False
        usable[2, :9] = False
    return path


@pytest.fixture
def images():
    return np.random.default_rng(0).poisson(100, (6, 64, 72)).astype(np.float32)


def mapped(model, frames, maps):
    assert map_classes.main([str(frames), str(model), str(maps)]) == 0
    with layout.open_maps(maps) as found:
        return found.maps[...]


def test_six_frames_at_three_focus_values_give_two_maps(tmp_path, model, images):
    maps = mapped(model, write_frames(tmp_path / "frames.h5", images), tmp_path / "maps.h5")
    assert maps.shape == (2, 64, 72, 2)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)


def test_a_pixel_must_be_usable_in_all_images(tmp_path, model, images):
    maps = mapped(model, write_frames(tmp_path / "frames.h5", images), tmp_path / "maps.h5")
    assert (maps[0, :, :20, 0] == 1).all()
    assert (maps[0, :9, :, 0] == 1).all()
    assert (maps[0, 9:, 20:, 0] < 1).all()
    assert (maps[1, ..., 0] < 1).all()


def test_every_image_of_a_series_counts(tmp_path, model, images):
    before = mapped(model, write_frames(tmp_path / "a.h5", images), tmp_path / "maps_a.h5")
    for changed in range(3):
        others = images.copy()
        others[changed] = images[changed, ::-1]
        after = mapped(model, write_frames(tmp_path / "b.h5", others), tmp_path / "maps_b.h5")
        assert np.abs(after[0] - before[0]).max() > 1e-4
        np.testing.assert_allclose(after[1], before[1], atol=1e-6)


def test_the_order_of_the_images_does_not_matter(tmp_path, model, images):
    maps = mapped(model, write_frames(tmp_path / "a.h5", images), tmp_path / "maps_a.h5")
    turned = images.reshape(2, 3, 64, 72)[:, ::-1].reshape(images.shape)
    again = write_frames(tmp_path / "b.h5", turned, FOCUS_A[::-1])
    others = mapped(model, again, tmp_path / "maps_b.h5")
    np.testing.assert_allclose(others[1], maps[1], atol=1e-6)


@pytest.mark.parametrize(
    ("focus_A", "sentence"),
    [
        ((), "reads 3 images of different focus together, but the focus of these is unknown"),
        ((-170.0, -40.0), "tells of 2 images, -170,-40 Å, but the model heights reads 3"),
        ((-100.0, -40.0, 20.0), "is not in the steps that the model heights has learned"),
    ],
)
def test_frames_that_a_model_cannot_read_are_refused(
    tmp_path, model, images, focus_A, sentence, capsys
):
    frames = write_frames(tmp_path / "frames.h5", images, focus_A)
    assert map_classes.main([str(frames), str(model), str(tmp_path / "maps.h5")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {frames}: ")
    assert sentence in error
    assert not (tmp_path / "maps.h5").exists()


@pytest.fixture
def single_maps(tmp_path, images):
    model = save_tiny_model(tmp_path / "single", ATOM_CARD)
    frames = write_frames(tmp_path / "frames.h5", images, ())
    mapped(model, frames, tmp_path / "maps.h5")
    return tmp_path / "maps.h5"


def located(folder, maps, *more):
    assert locate_atoms.main([str(maps), str(folder / "atoms.h5"), *more]) == 0
    with sealed.open_to_read(folder / "atoms.h5") as file:
        return tables.read_table(file, "atoms")


def test_every_single_frame_is_mapped_and_searched(tmp_path, single_maps):
    with layout.open_maps(single_maps) as found:
        assert found.maps.shape == (6, 64, 72, 2)
        assert (found.maps[1, :, :20, 0] == 1).all(), "what is not usable is background"
        assert found.thresholds == ATOM_CARD.thresholds
    table = tmp_path / "atoms.csv"
    atoms = located(tmp_path, single_maps, "--csv", str(table))
    columns = ["frame", "atom", "x_A", "y_A", "class", "p_class", "p_exists", "p_atom"]
    assert list(atoms.columns) == columns == list(pd.read_csv(table).columns)
    assert (atoms.loc[atoms["frame"] == 1, "x_A"] > 19 * 0.12).all()


def test_thresholds_of_the_settings_override_the_models(tmp_path, single_maps):
    strict = json.dumps({"min_existence": 1.0, "background_limit": 0.001})
    assert len(located(tmp_path, single_maps, "--settings", strict)) == 0
