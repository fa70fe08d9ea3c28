"""Nothing in a model's files is executed, and nothing of an absurd size is made."""

import json
import pickle
import shutil
import zipfile
from operator import setitem
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from made_models import ATOM_CARD, TINY, ranges, save_tiny_model
from numpy.testing import assert_allclose

from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.learning import models, weights
from atomsight.learning.networks import build_network


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("saved"), ATOM_CARD)


@pytest.fixture
def model(tmp_path, saved):
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.fixture
def file(model):
    return model / models.WEIGHTS


def assert_refused(model, sentence):
    """A model may come from anyone: the checksum in its card is that of the weights beside it."""
    changed_card(model, weights_sha256=provenance.file_sha256(model / models.WEIGHTS))
    with pytest.raises(InputError, match=sentence):
        models.load_network(model)


def changed_card(model, **values):
    card = json.loads((model / models.CARD).read_text())
    (model / models.CARD).write_text(json.dumps(card | values))


def test_float16_is_half_as_large_and_loads_as_float32(tmp_path, file, model):
    keras.utils.set_random_seed(1)
    network = build_network(TINY, 1, 2)
    models.save(tmp_path / "half", network, ATOM_CARD, pd.DataFrame({"epoch": [0]}), "float16")
    stored = []
    with h5py.File(tmp_path / "half" / models.WEIGHTS) as half:
        half.visititems(lambda _, item: stored.append(getattr(item, "dtype", None)))
    assert {dtype for dtype in stored if dtype is not None} == {np.dtype("float16")}
    loaded = models.load_network(tmp_path / "half")[0].get_weights()
    assert {weight.dtype for weight in loaded} == {np.dtype("float32")}
    for weight, exact in zip(loaded, models.load_network(model)[0].get_weights(), strict=True):
        assert_allclose(weight, exact, rtol=2**-11, atol=1e-7)


# Files made to do harm


class Marked:
    """Unpickled, or called, it leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def lambda_network(tmp_path):
    """A network of Keras whose Lambda layer leaves a mark when it runs."""
    mark = str(tmp_path / "mark")
    image = keras.Input((8, 8, 1))

    def leave_mark(maps):
        Path(mark).touch()
        return maps

    network = keras.Model(image, keras.layers.Lambda(leave_mark, output_shape=(8, 8, 1))(image))
    Path(mark).unlink(missing_ok=True)
    return network


def test_a_keras_archive_with_a_lambda_layer_is_refused(tmp_path, model, file, lambda_network):
    lambda_network.save(tmp_path / "lambda.keras")
    assert zipfile.is_zipfile(tmp_path / "lambda.keras")
    (tmp_path / "lambda.keras").replace(file)
    assert_refused(model, "only HDF5 with plain numbers is read")
    assert not (tmp_path / "mark").exists()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_whole_network_with_a_lambda_layer_in_hdf5_is_refused(
    tmp_path, model, file, lambda_network
):
    lambda_network.save(tmp_path / "lambda.h5")
    with h5py.File(tmp_path / "lambda.h5") as saved:
        assert "Lambda" in saved.attrs["model_config"]
    (tmp_path / "lambda.h5").replace(file)
    assert_refused(model, "it describes layers")
    assert not (tmp_path / "mark").exists()


def test_a_description_of_layers_beside_true_weights_is_refused(model, file):
    with h5py.File(file, "a") as stored:
        stored.attrs["model_config"] = json.dumps({"class_name": "Lambda", "config": {}})
    assert_refused(model, "it describes layers")


def test_a_pickle_is_refused_and_not_opened(tmp_path, model, file):
    file.write_bytes(pickle.dumps(Marked(tmp_path / "mark")))
    assert_refused(model, "only HDF5 with plain numbers is read")
    (model / models.CARD).write_bytes(pickle.dumps(Marked(tmp_path / "mark")))
    with pytest.raises(InputError, match="not the card of a model"):
        models.load_network(model)
    assert not (tmp_path / "mark").exists()


BIAS = "layers/conv2d/vars/1"


def virtual(file):
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", (2,))
    file.create_virtual_dataset(BIAS, layout)


def array(*arguments, **more):
    return lambda file: file.create_dataset(BIAS, *arguments, **more)


def item(thing, path=BIAS):
    return lambda file: setitem(file, path, thing(file))


NO_NUMBERS, OTHERS = "no array of plain numbers", "numbers where the card asks for"
ELSEWHERE, WITHIN = h5py.ExternalLink("/etc/passwd", "/"), "/layers/standardised_convolution/vars/1"

#: What to put in the place of the last bias, and what is said of it.
SPOILED = {
    "text": (array(data=["a", "b"]), NO_NUMBERS),
    "objects": (array((2,), h5py.ref_dtype), NO_NUMBERS),
    "a link to another file": (item(lambda file: ELSEWHERE), "is a link"),
    "a link within": (item(lambda file: h5py.SoftLink(WITHIN)), "is a link"),
    "a loop": (item(lambda file: file["layers"], "layers/again"), f"than 2000 parts|{OTHERS}"),
    "numbers kept elsewhere": (array((2,), "f4", external=[("/etc/passwd", 0, 8)]), NO_NUMBERS),
    "a virtual array": (virtual, NO_NUMBERS),
    "a vast array": (array((10**9, 10**6), "f4", chunks=(1024, 1024)), f"it holds 10+.* {OTHERS}"),
    "not a number": (array(data=np.full(8, np.nan, "f4")), "not all of its numbers are finite"),
    "another shape": (array(data=np.zeros((1, 8), "f4")), "do not fit the card"),
    "nothing": (lambda file: None, OTHERS),
}


@pytest.mark.parametrize("spoil", SPOILED)
def test_anything_but_plain_weights_is_refused(model, file, spoil):
    put, sentence = SPOILED[spoil]
    with h5py.File(file, "a") as stored:
        del stored[BIAS]
        put(stored)
    assert_refused(model, sentence)


def test_weights_of_another_layer_are_refused(model, file):
    with h5py.File(file, "a") as stored:
        stored.move("layers/conv2d", "layers/lambda")
    assert_refused(model, "do not fit the card")


def test_a_file_that_is_cut_short_is_refused(model, file):
    file.write_bytes(file.read_bytes()[:5000])
    assert_refused(model, "cut short")


# Cards

STEP = {"steps_A": [[0]], "step_error_A": 0}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"network": {"features": 10**9}}, "network.features: 1000000000 must be at most 128"),
        ({"network": {"features": 2.0}}, "network.features: .* must be a whole number"),
        ({"network": {"features": True}}, "network.features: .* must be a whole number"),
        ({"network": {"features": "2"}}, "network.features: .* must be a whole number"),
        ({"frames": 10**9}, "frames: 1000000000 must be at most 32"),
        ({"frames": 0}, "frames: 0 must be at least 1"),
        ({"class_names": ["background", *map(str, range(10**4))]}, "class_names: .* than 65"),
        ({"class_names": "background"}, "class_names: .* must be a list"),
        ({"class_names": ["background", "../../atom"]}, r"class_names\.1: '\.\./\.\./atom' must"),
        ({"class_names": ["background", "atom", "atom"]}, "class_names: .* twice"),
        ({"class_names": ["atom", "background"]}, "class_names: the first .* background"),
        ({"material": "../structures"}, "material: .* must be one of graphene, "),
        ({"name": "/etc/passwd"}, "name: .* must be a text of letters"),
        ({"name": "../model"}, "name: .* must be"),
        ({"contrast": 1}, "contrast: 1 must be one of bright, dark, either"),
        ({"pixel_size_A": [0.14, 0.1]}, "pixel_size_A: the range .* falls"),
        ({"pixel_size_A": [0, 0.1]}, r"pixel_size_A\.0: 0 must be more than 0"),
        ({"pixel_size_A": 0.1}, "pixel_size_A: 0.1 must be a range"),
        ({"pixel_size_A": [float("inf"), float("inf")]}, r"pixel_size_A\.0: inf must be a number"),
        ({"window_A": float("nan")}, "window_A: nan must be a number"),
        ({"window_A": 1e9}, "window_A: .* must be at most 1000"),
        ({"microscope": "/etc/passwd"}, "microscope: .* must be a mapping"),
        ({"microscope": ranges() | {"defocus_A": "low"}}, "defocus_A: 'low' must be a range"),
        ({"microscope": ranges() | {"focal_series": STEP}}, r"steps_A\.0: \[0\] must be a number"),
        ({"microscope": ranges(focal_series={"steps_A": [0, 9]})}, "frames: 1 .* 2 steps"),
        ({"microscope": {}}, "microscope: .* is missing"),
        ({"thresholds": []}, r"thresholds: \[\] must be a mapping"),
        ({"seed": -1}, "seed: -1 must be at least 0"),
        ({"data_sha256": "../" * 21 + "x"}, "data_sha256: .* 64 hexadecimal digits"),
        ({"scores": {"loss": "print(1)"}}, r"scores\.loss: .* must be a number"),
    ],
)
def test_a_card_that_cannot_be_is_refused_before_anything_is_made(model, values, sentence):
    changed_card(model, **values)
    with pytest.raises(InputError, match=sentence):
        models.read_card(model)


def test_a_network_larger_than_its_file_is_not_built(model, monkeypatch):
    changed_card(model, network={"kind": "subpixel", "features": 128})
    monkeypatch.setattr("atomsight.learning.networks.build_network", None)
    assert_refused(model, "where the card asks for")


NO_CARDS = ("[" * 100_000, "[1]", '"card"', "null", "{", "{}", "\0", " " * 1_000_001, "9" * 5000)


@pytest.mark.parametrize("text", [*map(str.encode, NO_CARDS), b'{"name": "\xff"}'])
def test_what_is_no_card_is_refused(model, text):
    (model / models.CARD).write_bytes(text)
    with pytest.raises(InputError, match="not the card of a model"):
        models.read_card(model)


def test_a_file_in_place_of_the_folder_is_refused(model):
    with pytest.raises(InputError, match="there is no model of this name"):
        models.read_card(model / models.CARD)


def test_a_file_without_anything_is_refused(tmp_path):
    (tmp_path / "empty.h5").touch()
    with pytest.raises(InputError, match="only HDF5 with plain numbers"):
        weights.check(tmp_path / "empty.h5", 0)
