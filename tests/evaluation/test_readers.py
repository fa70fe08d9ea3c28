"""From frames to atoms by the scripts, and what they refuse."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from made_models import ATOM_CARD, save_tiny_model

import locate_atoms
import map_classes
from atomsight.files import layout, sealed, tables
from atomsight.learning import models


@pytest.fixture
def model(tmp_path):
    return save_tiny_model(tmp_path / "model", ATOM_CARD)


@pytest.fixture
def frames(tmp_path):
    return write_frames(tmp_path / "frames.h5")


def write_frames(path, pixel_size_A=0.12):
    rng = np.random.default_rng(0)
    with sealed.create(path, {}) as file:
        images, usable = layout.create_frames(file, (2, 96, 72), pixel_size_A, pixel_size_A, "ab")
        images[...] = rng.poisson(100, (2, 96, 72))
        usable[...] = True
        usable[1, :, :36] = False
    return path


@pytest.fixture
def refused(tmp_path, capsys):
    def run(script, *arguments):
        output = tmp_path / "out" / "file.h5"
        assert script.main([*map(str, arguments), str(output)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert len(error.splitlines()) == 1
        assert not output.parent.exists() or not list(output.parent.iterdir())
        return error

    return run


def test_every_frame_is_mapped_and_searched(tmp_path, model, frames):
    maps, atoms, table = (tmp_path / name for name in ("maps.h5", "atoms.h5", "atoms.csv"))
    assert map_classes.main([*map(str, (frames, model, maps)), "--contrast", "dark"]) == 0
    with layout.open_maps(maps) as found:
        assert found.maps.shape == (2, 96, 72, 2)
        np.testing.assert_allclose(found.maps[...].sum(axis=-1), 1, atol=1e-5)
        # What is not usable is background.
        assert (found.maps[1, :, :36, 0] == 1).all()
        assert found.thresholds == ATOM_CARD.thresholds
    assert locate_atoms.main([str(maps), str(atoms), "--csv", str(table)]) == 0
    with sealed.open_to_read(atoms) as file:
        written = tables.read_table(file, "atoms")
    columns = ["frame", "atom", "x_A", "y_A", "class", "p_class", "p_exists", "p_atom"]
    assert list(written.columns) == columns == list(pd.read_csv(table).columns)
    assert (written.loc[written["frame"] == 1, "x_A"] > 35 * 0.12).all()


def test_the_same_frames_give_the_same_bytes(tmp_path, model, frames):
    made = []
    for name in ("one", "another"):
        maps, atoms, table = (tmp_path / name / file for file in ("m.h5", "a.h5", "a.csv"))
        assert map_classes.main([*map(str, (frames, model, maps))]) == 0
        assert locate_atoms.main([str(maps), str(atoms), "--csv", str(table)]) == 0
        made.append([path.read_bytes() for path in (maps, atoms, table)])
    assert made[0] == made[1]


def test_thresholds_of_the_settings_go_before_the_models(tmp_path, model, frames):
    maps, atoms = tmp_path / "maps.h5", tmp_path / "atoms.h5"
    assert map_classes.main([*map(str, (frames, model, maps))]) == 0
    strict = json.dumps({"min_existence": 1.0, "background_limit": 0.001})
    assert locate_atoms.main([str(maps), str(atoms), "--settings", strict]) == 0
    with sealed.open_to_read(atoms) as file:
        assert len(tables.read_table(file, "atoms")) == 0


def test_a_missing_file_is_refused(tmp_path, model, refused):
    assert "does not exist" in refused(map_classes, tmp_path / "none.h5", model)


def test_an_unknown_model_is_refused(tmp_path, frames, refused):
    assert "there is no model of this name" in refused(map_classes, frames, tmp_path / "none")


def test_a_model_without_its_weights_is_refused(model, frames, refused):
    (model / models.WEIGHTS).unlink()
    assert "network.weights.h5 is missing" in refused(map_classes, frames, model)


def test_weights_cut_short_are_refused(model, frames, refused):
    weights = model / models.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "network.weights.h5: damaged, or not" in refused(map_classes, frames, model)


def test_a_broken_card_is_refused(model, frames, refused):
    (model / models.CARD).write_text('{"name": "tiny"}')
    assert "not the card of a model" in refused(map_classes, frames, model)


def test_a_pixel_size_the_model_does_not_know_is_refused(tmp_path, model, refused):
    coarse = write_frames(tmp_path / "coarse.h5", 0.3)
    error = refused(map_classes, coarse, model)
    assert "0.3 Å is outside the range of the model tiny, 0.1 to 0.14 Å" in error


def test_a_file_cut_short_is_refused(tmp_path, model, frames, refused):
    cut = tmp_path / "cut.h5"
    cut.write_bytes(frames.read_bytes()[:3000])
    assert "cut short or damaged" in refused(map_classes, cut, model)
    assert "cut short or damaged" in refused(locate_atoms, cut)


def test_a_file_of_another_kind_is_refused(frames, refused):
    assert "not the kind of file this step reads" in refused(locate_atoms, frames)


def test_a_misspelt_setting_is_refused(tmp_path, model, frames, refused, capsys):
    shutil.copy(frames, tmp_path / "again.h5")
    arguments = ["--settings", '{"tile": 512}', frames, model]
    assert "inference.tile is not a key" in refused(map_classes, *arguments)
