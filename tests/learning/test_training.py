"""Training: a step from waves to the loss, and a training that survives being stopped."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import made_models
import numpy as np
import pandas as pd
import pytest

import make_structures
import simulate_waves
import train_network
from atomsight.config.configuration import ModelSettings
from atomsight.errors import InputError
from atomsight.files import layout
from atomsight.learning import backend, models
from atomsight.learning.checkpoints import Checkpoints
from atomsight.learning.networks import build_network
from atomsight.learning.training import (
    class_weights,
    constant_loss,
    cross_entropy,
    make_examples,
    make_imaging,
    make_learner,
    make_plan,
    squared_error,
    streams,
)

SCRIPTS = Path(train_network.__file__).parent
SECTION = {
    "material": "graphene",
    "microscope": {
        "contrast": "bright",
        "energy_eV": 80000,
        "defocus_A": [-95, -70],
        "cs_um": [-15, -8],
        "dose_e_per_A2": [20000, 100000],
        "pixel_size_A": [0.11, 0.13],
    },
    "network": {"features": 2},
    "training": {
        "steps": 12,
        "steps_per_epoch": 3,
        "batch": 2,
        "image_px": 64,
        "validation_batches": 1,
    },
}


@pytest.fixture(scope="module")
def wave_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    structures, waves = folder / "structures.h5", folder / "waves.h5"
    small = json.dumps({"size_A": 24.0, "lloyd_steps": [5, 5], "max_defects": 0.0})
    given = ["--material", "graphene", "--count", "3", "--seed", "1", "--settings", small]
    assert make_structures.main([str(structures), *given]) == 0
    assert simulate_waves.main([str(structures), str(waves), "--energy", "80000"]) == 0
    return waves


@pytest.fixture
def waves(wave_file):
    return layout.read_waves([wave_file])


def plan_of(training=(), **changes):
    changes["training"] = SECTION["training"] | dict(training)
    return make_plan(ModelSettings.complete(SECTION | changes), seed=3)


@pytest.mark.parametrize("lost", [0.6, float("nan")])
def test_a_training_that_came_to_nothing_says_so(lost):
    with pytest.warns(UserWarning, match="has learned nothing"):
        train_network.warn_if_collapsed(lost, constant=0.6)


@pytest.mark.filterwarnings("error")
def test_nothing_is_said_of_a_training_that_learned():
    assert train_network.warn_if_collapsed(0.4, constant=0.6) is None


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_no_constant_answer_is_better_than_the_one_a_training_is_measured_by(waves, loss):
    plan = plan_of({"loss": loss, "site_weight": 3.0})
    validation = make_examples(waves, plan)[1]
    learner = make_learner(build_network(made_models.TINY, 1, 2), waves, plan)
    best = constant_loss(learner, validation)
    truth = validation.of(0)[1]
    for share in (0.05, 0.1, 0.2, 0.4, 0.8):
        logits = np.broadcast_to(np.log([1 - share, share]).astype("float32"), truth.shape)
        answered = float(learner.pixel_loss(truth, logits, learner.weights_of_classes))
        assert answered >= best - 1e-5
    assert best > 0


def test_images_wider_than_the_specimen_are_refused(waves):
    with pytest.raises(InputError, match=r"training\.image_px: 192 pixels of 0\.13 Å are too wide"):
        streams(waves, plan_of({"image_px": 192}))


def test_one_seed_gives_the_same_waves(tmp_path, wave_file):
    again = tmp_path / "waves.h5"
    structures = wave_file.with_name("structures.h5")
    assert simulate_waves.main([str(structures), str(again), "--energy", "80000"]) == 0
    assert again.read_bytes() == wave_file.read_bytes()


def test_losses_are_those_of_the_textbook():
    truth = np.array([[[[0.25, 0.75]]]], "float32")
    logits = np.log(np.array([[[[0.5, 0.5]]]], "float32"))
    equal = np.ones(2, "float32")
    assert float(cross_entropy(truth, logits, equal)) == pytest.approx(np.log(2), rel=1e-5)
    assert float(squared_error(truth, logits, equal)) == pytest.approx(0.0625, rel=1e-5)


@pytest.mark.parametrize("loss", [cross_entropy, squared_error])
def test_the_lowest_loss_is_at_the_true_probabilities_whatever_the_weights(loss):
    true = np.array([0.7, 0.2, 0.1], "float32")
    weights = np.array([1, 3, 8], "float32")

    def of(probabilities):
        return float(loss(true[None, None, None], np.log(probabilities), weights))

    lowest = of(true)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        shifted = true.copy()
        shifted[first] += 0.03
        shifted[second] -= 0.03
        assert of(shifted) > lowest + 1e-5


def test_rare_classes_weigh_more_but_sites_as_a_whole_what_was_asked_for():
    chosen = plan_of({"site_weight": 4, "class_balance": 0.5})
    classes = (np.array([1] * 90), np.array([2] * 9 + [5]))
    weights = class_weights(classes, 4, chosen.training)
    assert weights[0] == 1
    assert weights[2] == pytest.approx(weights[1] * np.sqrt(10))
    # Class 3 is the last and takes the sites of class 5.
    assert weights[3] == pytest.approx(weights[1] * np.sqrt(90))
    assert 90 * weights[1] + 9 * weights[2] + weights[3] == pytest.approx(4 * 100)
    assert (class_weights(classes, 4, plan_of().training) == 1).all()


def test_the_truth_of_a_focal_series_lies_where_its_images_lie_on_average(waves):
    """Each image is displaced by its registration error; the truth by their mean, nothing."""
    series = {"steps_A": [-5, 0, 5], "registration_error_A": 0.5}
    plan = plan_of(microscope=SECTION["microscope"] | {"focal_series": series})
    assert plan.frames == 3
    learning, _ = streams(waves, plan)
    inputs = learning.inputs(0)
    assert np.ptp(inputs["rows"][:, :, 0], axis=1).min() > 0.05
    exact = inputs | {
        name: inputs[name].mean(axis=1, keepdims=True).repeat(3, 1) for name in ("rows", "columns")
    }
    imaging = make_imaging(waves, plan)
    images, truth = (np.asarray(part) for part in imaging(inputs))
    assert images.shape == (2, 64, 64, 3)
    np.testing.assert_allclose(truth, np.asarray(imaging(exact)[1]), atol=1e-4)


def test_images_on_sites_show_one_near_their_middle(waves):
    learning, _ = streams(waves, plan_of({"on_sites": 1.0}))
    for index in range(3):
        inputs = learning.inputs(index)
        middle = np.stack([inputs[name].mean(axis=(1, 2)) for name in ("columns", "rows")], -1)
        apart = inputs["sites"] - middle[:, None]
        apart -= 24.0 * np.round(apart / 24.0)
        nearest = np.abs(apart).max(axis=-1).min(axis=1)
        assert (nearest <= 16 * inputs["pixel_size"] + 1e-3).all()


def test_an_example_shows_its_atoms_where_the_truth_has_them(waves):
    """At optimum defocus and high dose the image is bright where the truth says atom."""
    plan = plan_of()
    learning, _ = make_examples(waves, plan)
    images, truth = learning.of(0)
    assert images.shape == (2, 64, 64, 1)
    assert truth.shape == (2, 64, 64, 2)
    np.testing.assert_allclose(truth.sum(axis=-1), 1, atol=1e-5)
    for image, atoms in zip(images[..., 0], truth[..., 1], strict=True):
        assert np.corrcoef(image.ravel(), atoms.ravel())[0, 1] > 0.35


@pytest.mark.parametrize("blank_share", [0, 1])
def test_turned_images_and_truth_are_transposed_together(waves, blank_share):
    """Of a specimen whose periods differ, too."""
    section = SECTION | {"training": SECTION["training"] | {"blank_share": blank_share}}
    plan = make_plan(ModelSettings.complete(section), seed=5)
    oblong = replace(waves, cell_A=(waves.cell_A[0], 1.1 * waves.cell_A[1]))
    imaging = make_imaging(oblong, plan)
    inputs = streams(oblong, plan)[0].inputs(0)
    turned, upright = (
        [np.array(part) for part in imaging(inputs | {"turned": np.full(2, value)})]
        for value in (True, False)
    )
    for one, other in zip(turned, upright, strict=True):
        np.testing.assert_allclose(one, other.transpose(0, 2, 1, 3), atol=1e-6)


def test_examples_depend_on_seed_and_step_alone(waves):
    """So a training that was stopped goes on with the examples that it would have had."""
    whole, rest = (streams(waves, plan_of())[0] for _ in range(2))
    assert not np.array_equal(whole.inputs(4)["rows"], whole.inputs(5)["rows"])
    for name, values in whole.inputs(5).items():
        np.testing.assert_array_equal(values, rest.inputs(5)[name])


def test_examples_made_ahead_are_those_of_their_steps(waves):
    """Also from the middle on, as a training that was stopped takes them."""
    learning, _ = make_examples(waves, plan_of())
    ahead = list(learning.ahead(range(3, 7)))
    assert len(ahead) == 4
    for step, made in zip(range(3, 7), ahead, strict=True):
        for one, other in zip(made, learning.of(step), strict=True):
            np.testing.assert_array_equal(one, other)
    assert list(learning.ahead(range(0))) == []


def test_only_the_next_example_is_made_ahead(waves, monkeypatch):
    learning, _ = make_examples(waves, plan_of())
    begun = [threading.Event() for _ in range(3)]
    monkeypatch.setattr(learning, "of", lambda step: begun[step].set())
    ahead = learning.ahead(range(3))
    next(ahead)
    assert begun[1].wait(timeout=60)
    assert not begun[2].is_set()
    ahead.close()


def test_an_example_that_fails_stops_the_training_with_its_error(waves, monkeypatch):
    learning, _ = make_examples(waves, plan_of())
    monkeypatch.setattr(learning, "of", lambda step: 1 // (2 - step))
    ahead = learning.ahead(range(4))
    assert [next(ahead), next(ahead)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_waves_are_kept_in_memory_once(waves):
    """The streams show them to the step; they copy none."""
    assert all(np.shares_memory(s._spectra, waves.spectra) for s in streams(waves, plan_of()))


def arguments(folder, wave_file, **training):
    section = json.dumps(SECTION | {"training": SECTION["training"] | training})
    given = [folder / "model", wave_file, "--work", folder / "work", "--settings", section]
    return [*map(str, given), "--name", "tiny", "--seed", "3", "--checkpoint-steps", "2"]


def train(folder, wave_file, environment=None, **training):
    command = [sys.executable, SCRIPTS / "train_network.py"]
    command += arguments(folder, wave_file, **training)
    environment = os.environ | (environment or {})
    with open(folder / "errors.txt", "ab") as errors:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)


def at_next_checkpoint(training, folder, number):
    """Send a signal when a checkpoint more is there, in the midst of the training."""
    before = set((folder / "work").glob("checkpoint/*.npz"))
    deadline = time.monotonic() + 300
    while set((folder / "work").glob("checkpoint/*.npz")) <= before:
        assert training.poll() is None, errors_of(folder)
        assert time.monotonic() < deadline
        time.sleep(0.005)
    training.send_signal(number)
    return training.wait(60)


def errors_of(folder):
    return (folder / "errors.txt").read_text(encoding="utf-8")


def history_of(folder):
    return pd.read_csv(folder / "model" / "history.csv")["loss"]


#: Weights of two trainings alike, on one machine, may differ by this: threads add up in any order.
TOLERANCE = 1e-4


@pytest.mark.filterwarnings("ignore:the network has learned nothing")
@pytest.mark.slow
def test_a_killed_training_ends_with_the_model_of_an_undisturbed_one(tmp_path, wave_file):
    """Killed, then told to stop, then left alone."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    killed.mkdir()
    assert train_network.main(arguments(whole, wave_file)) == 0
    first = train(killed, wave_file)
    assert at_next_checkpoint(first, killed, signal.SIGKILL) == -signal.SIGKILL
    second = train(killed, wave_file)
    assert at_next_checkpoint(second, killed, signal.SIGTERM) == 128 + signal.SIGTERM
    assert "rerun the same command to continue from there" in errors_of(killed)
    assert "Traceback" not in errors_of(killed)
    assert not (killed / "model").exists()
    assert train_network.main(arguments(killed, wave_file)) == 0
    assert not (killed / "work" / "checkpoint").exists(), "what is complete is not gone on from"
    assert len(history_of(killed)) == 4
    np.testing.assert_allclose(history_of(killed), history_of(whole), rtol=1e-4)
    ours, undisturbed = (
        models.load_network(folder / "model")[0].get_weights() for folder in (killed, whole)
    )
    for one, other in zip(ours, undisturbed, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)
    card = models.read_card(killed / "model")
    assert card.name == "tiny"
    assert card.class_names == ("background", "atom")
    assert card.pixel_size_A == (0.11, 0.13)
    assert len(card.data_sha256) == 64
    assert [entry["file"] for entry in card.inputs] == ["waves.h5", "structures.h5"]
    assert card.inputs[1]["seed"] == 1


@pytest.mark.filterwarnings("ignore:the network has learned nothing")
@pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ,
    reason="TensorFlow asks oneDNN for the bfloat16 of this processor, whatever it is held to",
)
def test_a_training_keeps_the_precision_it_began_in_on_another_machine(
    tmp_path, wave_file, monkeypatch, capsys
):
    """Begun in bfloat16 where that is fast, it resumes and ends in it; the card says so."""
    fusion = {"network": {"kind": "fusion", "features": 8}}
    section = SECTION | fusion | {"training": SECTION["training"] | {"steps": 4}}
    given = [*arguments(tmp_path, wave_file), "--settings", json.dumps(section)]
    ended = Checkpoints.end_epoch

    def stopped(kept, val_loss):
        kept._asked = signal.SIGTERM
        ended(kept, val_loss)

    with monkeypatch.context() as there:
        there.setattr(backend, "multiplies_in_bfloat16", lambda: True)
        there.setattr(Checkpoints, "end_epoch", stopped)
        with pytest.raises(SystemExit):
            train_network.main(given)
    assert "the network is trained in bfloat16" in capsys.readouterr().err
    monkeypatch.setattr(backend, "multiplies_in_bfloat16", lambda: False)
    assert train_network.main(given) == 0
    said = capsys.readouterr().err
    assert "the training resumes after step 3" in said
    assert "nothing says that this machine multiplies in it: it may be slow here" in said
    assert models.read_card(tmp_path / "model").training["precision"] == "bfloat16"


@pytest.mark.filterwarnings("ignore:the network has learned nothing")
def test_a_machine_without_bfloat16_trains_in_float32_and_the_card_says_so(
    tmp_path, wave_file, monkeypatch, capsys
):
    monkeypatch.setattr(backend, "multiplies_in_bfloat16", lambda: False)
    section = SECTION | {"network": {"kind": "fusion", "features": 8}}
    section["training"] = SECTION["training"] | {"steps": 1, "precision": "auto"}
    given = [*arguments(tmp_path, wave_file), "--settings", json.dumps(section)]
    assert train_network.main(given) == 0
    assert "the network is trained in float32" in capsys.readouterr().err
    assert models.read_card(tmp_path / "model").training["precision"] == "float32"


@pytest.mark.slow
@pytest.mark.backend
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_and_infer_alike(tmp_path, wave_file, backend):
    pytest.importorskip(backend, reason=f"pip install -e '.[{backend}]'")
    training = train(tmp_path, wave_file, {"KERAS_BACKEND": backend}, steps=20, steps_per_epoch=10)
    assert training.wait(500) == 0, errors_of(tmp_path)
    assert np.isfinite(history_of(tmp_path)).all()
    infer = (
        "import sys; sys.path.insert(0, sys.argv[1]); import numpy as np\n"
        "from atomsight.learning.models import load_network\n"
        "from atomsight.reading.inference import predict_maps\n"
        "image = np.random.default_rng(0).normal(size=(1, 96, 64, 1)).astype('float32')\n"
        "np.save(sys.argv[3], predict_maps(load_network(sys.argv[2])[0], image, 512))\n"
    )
    maps = {}
    for name in (backend, "tensorflow"):
        file = tmp_path / f"{name}.npy"
        subprocess.run(
            [sys.executable, "-c", infer, SCRIPTS, tmp_path / "model", file],
            check=True,
            env=os.environ | {"KERAS_BACKEND": name},
        )
        maps[name] = np.load(file)
    np.testing.assert_allclose(maps[backend], maps["tensorflow"], atol=1e-4)


def test_no_steps_between_checkpoints_are_refused(tmp_path, wave_file, capsys):
    given = [*arguments(tmp_path, wave_file), "--checkpoint-steps", "0"]
    assert train_network.main(given) == 1
    assert "--checkpoint-steps: 0 must be at least 1" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:the network has learned nothing")
def test_a_training_starts_from_the_weights_of_another_model(tmp_path, wave_file, capsys):
    """Steps that are next to nothing leave them as they are; a network of another size is none."""
    start = made_models.save_tiny_model(tmp_path / "start", made_models.ATOM_CARD)
    small = {"steps": 1, "steps_per_epoch": 1, "learning_rate": 1e-9}
    given = [*arguments(tmp_path, wave_file, **small), "--start-from", str(start)]
    assert train_network.main(given) == 0
    expected = models.load_network(start)[0].get_weights()
    found = models.load_network(tmp_path / "model")[0].get_weights()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    section = SECTION | {"network": {"features": 4}}
    assert train_network.main([*given, "--settings", json.dumps(section)]) == 1
    assert "(network.features), this model has 4; they must be equal" in capsys.readouterr().err


def test_one_structure_is_not_enough(tmp_path, waves, capsys):
    single = tmp_path / "single.h5"
    alone = [(waves.spectra[0], waves.sites[0], waves.classes[0])]
    layout.write_waves(single, alone, waves.cell_A, 80e3, {})
    assert train_network.main(arguments(tmp_path, single)) == 1
    assert "at least two structures" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()
