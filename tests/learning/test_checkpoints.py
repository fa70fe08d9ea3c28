"""Checkpoints: a training that was stopped goes on as if nothing had happened."""

import errno
import os
import signal

import keras
import numpy as np
import pandas as pd
import pytest

from atomsight.errors import InputError
from atomsight.learning import checkpoints

EPOCH = 5


def points(step):
    """Points on a line, drawn from the number of the step."""
    x = np.random.default_rng(step).normal(size=(4, 2)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


def begin(work, identity="line", every=2):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.AdamW(0.01), "mse")
    model.optimizer.build(model.trainable_variables)
    kept = checkpoints.Checkpoints(work, [identity], model, every)
    kept.restore()
    return model, kept


def go_on(work, epochs=2, stop_at=None, number=signal.SIGTERM):
    """Train to the end; the first epoch may be the rest of one. Stop in the midst of a step."""
    model, kept = begin(work)
    with kept.stopping_on_signals():
        while kept.step < epochs * EPOCH:
            for step in range(kept.step, (kept.step // EPOCH + 1) * EPOCH):
                if step == stop_at:
                    os.kill(os.getpid(), number)
                loss = model.train_on_batch(*points(step))
                kept.count_step(float(loss), ends_epoch=(step + 1) % EPOCH == 0)
            kept.end_epoch(val_loss=0.0)
    return model.get_weights(), kept


def assert_alike(training, undisturbed):
    """Two trainings have the same history and end with the same weights."""
    (weights, kept), (expected, whole) = training, undisturbed
    assert kept.step == 2 * EPOCH
    assert kept.history == whole.history
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Weights and history of a training that nobody stops."""
    return go_on(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("step", [0, 3, 4, 7])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_behind_a_checkpoint_and_nothing_is_lost(tmp_path, whole, step, number):
    """In the first step, in the midst of an epoch, in its last step."""
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stopped:
        go_on(tmp_path, stop_at=step, number=number)
    assert stopped.value.code == 128 + number
    assert signal.getsignal(number) is before
    assert begin(tmp_path)[1].step == step + 1
    assert_alike(go_on(tmp_path), whole)


def test_the_mean_loss_of_an_epoch_is_that_of_all_its_steps(tmp_path, whole):
    with pytest.raises(SystemExit):
        go_on(tmp_path, stop_at=7)
    # The losses of the steps before are not computed again.
    assert begin(tmp_path)[1].step == 8
    go_on(tmp_path)
    written = pd.read_csv(tmp_path / "history.csv")
    assert list(written["epoch"]) == [0, 1]
    expected = [row["loss"] for row in whole[1].history]
    np.testing.assert_allclose(written["loss"], expected, rtol=1e-5)
    model, _ = begin(tmp_path / "again")
    losses = [float(model.train_on_batch(*points(step))) for step in range(EPOCH)]
    assert written["loss"][0] == pytest.approx(np.mean(losses), rel=1e-5)


def test_two_checkpoints_are_kept(tmp_path):
    go_on(tmp_path)
    names = sorted(path.name[:9] for path in (tmp_path / "checkpoint").iterdir())
    assert names == ["000000008", "000000010"]


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(tmp_path, whole, damage, caplog):
    go_on(tmp_path)
    last = max((tmp_path / "checkpoint").iterdir())
    content = bytearray(last.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    last.write_bytes({"flipped": content, "cut": content[:-100], "empty": b""}[damage])
    assert begin(tmp_path)[1].step == 8
    assert_alike(go_on(tmp_path), whole)
    assert f"{last}: this checkpoint is damaged" in caplog.text


def test_a_training_of_something_else_starts_anew(tmp_path, caplog):
    caplog.set_level("INFO")
    go_on(tmp_path)
    _, kept = begin(tmp_path, identity="another line")
    assert kept.step == 0
    assert "starts from the beginning" in caplog.text
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_that_is_being_written_is_not_taken_for_one(tmp_path):
    go_on(tmp_path)
    partial = tmp_path / "checkpoint" / ".000000012-abc.npz.node.1.partial"
    partial.write_bytes(b"half")
    assert begin(tmp_path)[1].step == 10


def test_a_second_training_in_the_folder_is_refused_while_the_first_runs(tmp_path):
    with checkpoints.lock(tmp_path):
        words = rf"another training \(process {os.getpid()} on .*\) is writing there"
        with pytest.raises(InputError, match=words), checkpoints.lock(tmp_path):
            pytest.fail("two trainings at once")
    with checkpoints.lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_a_file_system_without_locks_does_not_keep_from_training(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(checkpoints.fcntl, "flock", no_locks)
    with checkpoints.lock(tmp_path):
        assert (tmp_path / "lock").is_file()
