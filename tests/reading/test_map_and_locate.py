"""From frames to atoms by the scripts."""

import json

import numpy as np
import pandas as pd
import pytest
from made_models import ATOM_CARD, save_tiny_model

import locate_atoms
import map_classes
from atomsight.files import layout, sealed, tables


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


def test_thresholds_of_the_settings_go_before_the_models(tmp_path, model, frames):
    maps, atoms = tmp_path / "maps.h5", tmp_path / "atoms.h5"
    assert map_classes.main([*map(str, (frames, model, maps))]) == 0
    strict = json.dumps({"min_existence": 1.0, "background_limit": 0.001})
    assert locate_atoms.main([str(maps), str(atoms), "--settings", strict]) == 0
    with sealed.open_to_read(atoms) as file:
        assert len(tables.read_table(file, "atoms")) == 0
