"""Models that ship: as small as their maps allow, with a README that says what they are."""

import keras
import made_recordings
import numpy as np
import pandas as pd
import pytest
from made_models import COLUMN_CARD, TINY, ranges, save_tiny_model

import ship_model
from atomsight.files import provenance
from atomsight.learning import models
from atomsight.learning.networks import build_network
from atomsight.reporting import shipping

CARD = COLUMN_CARD.but(
    microscope=ranges(
        energy_eV=300_000, defocus_A=[-95, -45], cs_um=[-15, -4], dose_e_per_A2=[150, 20_000]
    ),
    training={"steps": 4500, "batch": 4},
    scores={"loss": 0.1034, "val_loss": 0.0957},
    versions={"keras": "3.15.1"},
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"), CARD)


@pytest.fixture
def table(tmp_path):
    rows = [("tiny", 100, 0.9, 0.9455), ("tiny", 31_623, 1.0, np.nan), ("other", 100, 0.5, 0.5)]
    rows = pd.DataFrame(rows, columns=["model", "dose_e_per_A2", "recall", "f1"])
    rows.to_csv(tmp_path / "summary.csv", index=False)
    return str(tmp_path / "summary.csv")


def test_a_shipped_model_reads_as_the_trained_one(tmp_path, model, table, capsys):
    target = tmp_path / "models" / "platinum"
    options = ["--table", table, "Columns found", "dose_e_per_A2", "f1"]
    assert ship_model.main([str(model), str(target), *options]) == 0
    assert "weights as float16" in capsys.readouterr().out
    assert sorted(path.name for path in target.iterdir()) == [
        *("README.md", "history.csv", "model.json", "network.weights.h5")
    ]
    network, card = models.load_network(target)
    checksum = provenance.file_sha256(target / models.WEIGHTS)
    assert card == CARD.but(name="platinum", weights_sha256=checksum)
    exact = models.load_network(model)[0]
    image = shipping.spot_images(CARD, seed=5)[1][None]
    difference = np.abs(network.predict_on_batch(image) - exact.predict_on_batch(image)).max()
    assert 0 < difference < shipping.TOLERANCE
    sizes = [(folder / models.WEIGHTS).stat().st_size for folder in (target, model)]
    assert sizes[0] < sizes[1]


def test_the_readme_says_for_what_how_good_and_how_again(tmp_path, model, table):
    target = tmp_path / "gold"
    detection_errors = tmp_path / "errors.csv"
    detection_errors.write_text("dose_e_per_A2,miss_rate\n100,0.2\n")
    options = [
        *("--table", table, "Columns found", "dose_e_per_A2", "f1"),
        *("--limit", "Fringes of a support are taken for columns."),
        *("--time", "27 min on two cores"),
        *("--detection-errors", str(detection_errors)),
    ]
    assert ship_model.main([str(model), str(target), *options]) == 0
    text = (target / "README.md").read_text(encoding="utf-8")
    for said in (
        "# gold\n\nFinds in nanoparticles: column. It reads single images.",
        "| pixel size | 0.1 to 0.15 Å; others are resampled |",
        "| dose | 150 to 20000 e/Å² |",
        "| energy of the electrons | 300000 eV |",
        "| defocus, underfocus positive | -95 to -45 Å |",
        "Columns found:\n\n| dose_e_per_A2 | f1 |\n|---|---|\n| 100 | 0.946 |\n| 31623 | – |\n\n",
        "- Fringes of a support are taken for columns.",
        "snakemake --cores 8 results/models/tiny/model/model.json",
        "- Time it took: 27 min on two cores.",
        "- Seed 1; 4500 steps of 4 images; 2 features, subpixel.",
        f"`{'0' * 64}`",
        "`network.weights.h5` the weights as float16: as float16 they change",
    ):
        assert said in text
    assert (target / "detection_errors.csv").read_bytes() == detection_errors.read_bytes()


def test_weights_that_float16_would_spoil_stay_float32(tmp_path, model):
    network, card = models.load_network(model)
    vast = [1e5 * weight if weight.ndim == 1 else weight for weight in network.get_weights()]
    network.set_weights(vast)
    models.save(tmp_path / "vast", network, card, pd.DataFrame({"epoch": [0]}))
    assert ship_model.main([str(tmp_path / "vast"), str(tmp_path / "gold")]) == 0
    shipped = models.load_network(tmp_path / "gold")[0]
    for weight, exact in zip(shipped.get_weights(), vast, strict=True):
        np.testing.assert_array_equal(weight, exact)
    assert "weights as float32" in (tmp_path / "gold" / "README.md").read_text(encoding="utf-8")


def test_images_of_the_user_are_compared_too(tmp_path, model, capsys):
    frames = tmp_path / "frames.h5"
    image = np.random.default_rng(0).poisson(100, (1, 64, 72)).astype("float32")
    made_recordings.write_frames(frames, image, 0.12)
    arguments = [str(model), str(tmp_path / "gold"), "--frames", str(frames)]
    assert ship_model.main(arguments) == 0
    assert "of 4 test images" in capsys.readouterr().out


def test_test_images_of_a_focal_series_show_both_contrasts():
    keras.utils.set_random_seed(1)
    images = shipping.spot_images(CARD.but(frames=3))
    assert [image.shape for image in images] == [(256, 256, 3)] * 3
    # At the highest dose the noise is small: bright spots have a long tail upwards.
    skewness = [np.mean((frame - frame.mean()) ** 3) for frame in np.moveaxis(images[2], -1, 0)]
    assert skewness[0] * skewness[1] < 0 < skewness[0] * skewness[2]
    assert shipping.choose_number(build_network(TINY, 3, 2), images).images == 3


def test_what_is_too_large_does_not_ship(tmp_path, model, monkeypatch, capsys):
    monkeypatch.setattr(shipping, "MAX_BYTES", 1000)
    assert ship_model.main([str(model), str(tmp_path / "gold")]) == 1
    assert "train a model of fewer features" in capsys.readouterr().err
    assert not (tmp_path / "gold").exists()
