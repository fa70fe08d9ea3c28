"""What a training leaves behind while it runs, and how it resumes from there.

==================  ===========================================================================
``checkpoint/``     the last two checkpoints, ``<step>-<sha256>.npz``: weights, state of the
                    optimiser and losses so far, and what is trained on what
``history.csv``     losses by epoch
``logs/``           the same for TensorBoard
``lock``            locked by the process that trains
==================  ===========================================================================

A checkpoint appears when it is complete, and its name holds the checksum of its contents. One that
does not match it, because the disk or a copy damaged it, is named and dropped, and the one before
it is taken. All that is random in a training is drawn from the seed and the number of the step, so
a checkpoint needs no more than that number.
"""

import errno
import fcntl
import hashlib
import importlib.util
import io
import itertools
import json
import logging
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from atomsight.errors import InputError
from atomsight.files import atomic, tables

#: Checkpoints that are kept, so that one may be damaged.
_KEPT = 2

#: So much of the checksum stands in the name [hexadecimal digits].
_DIGITS = 32

#: A file system that has no locks says so with one of these.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextmanager
def lock(work: Path) -> Iterator[None]:
    """Keep a second training out of a folder, which is made if missing.

    The lock ends with the process, however that ends. Where the file system has no locks, nothing
    is locked. Raises ``InputError`` if another process trains there.
    """
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            number, host = (file.read().split() or ["?", "?"])[:2]
            raise InputError(
                f"{work}: another training (process {number} on {host}) is writing there; wait for "
                f"it, or stop it: kill {number} there, or scancel if it is a job of Slurm"
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        file.truncate(0)
        file.write(f"{os.getpid()} {socket.gethostname()}\n")
        file.flush()
        yield


def holds(work: Path, identity: list[str]) -> bool:
    """Whether a training of this identity, as :class:`Checkpoints` takes it, can be resumed."""
    abouts = (read(path)[0] for path in _found(work))
    return any(about and about["identity"] == _complete(identity) for about in abouts)


def _found(work: Path) -> list[Path]:
    """All checkpoints, the last first."""
    return sorted((work / "checkpoint").glob("*-*.npz"), reverse=True)


def _complete(identity: list[str]) -> list[str]:
    return [*identity, keras.backend.backend()]


def discard(work: Path) -> None:
    """Drop the checkpoints, so that the next training starts from the beginning."""
    shutil.rmtree(work / "checkpoint", ignore_errors=True)


class Checkpoints:
    """Write checkpoints and the history of a training, and resume from the last of them.

    ``identity`` says what is trained, on what: a training resumes only from a checkpoint of the
    same. The ``learner`` and its optimiser are built. There is a checkpoint after ``every`` so many
    steps, and always one at the end of an epoch. ``step`` counts the steps done; ``history`` has
    ``epoch``, ``step`` (the last), ``loss`` and ``val_loss`` of every epoch that is done.
    """

    def __init__(self, work: Path, identity: list[str], learner: keras.Model, every: int):
        self.work = work
        self.identity = _complete(identity)
        self.learner = learner
        self.every = every
        self.step = 0
        self.history = []
        self._losses = 0.0  # sum over the steps of this epoch
        self._asked = None

    def restore(self) -> None:
        """Resume from the last checkpoint that is whole, if there is one of this training."""
        for path in _found(self.work):
            about, arrays = read(path)
            if about is None:
                logging.warning(
                    "%s: this checkpoint is damaged (its checksum is not the one in its name) and "
                    "is dropped; the training resumes from the one before it, if there is one",
                    path,
                )
                path.unlink()
            elif about["identity"] != self.identity or about["shapes"] != self._shapes():
                logging.info(
                    "the settings or the waves have changed: the training starts from the beginning"
                )
                discard(self.work)
                return
            else:
                self._take(about, arrays)
                logging.info("the training resumes after step %d", self.step)
                return

    def count_step(self, loss: float, ends_epoch: bool) -> None:
        """Count a step; write a checkpoint if it is time, and not now at the end of an epoch."""
        self.step += 1
        self._losses += loss
        if ends_epoch:
            return
        if self._asked or self.step % self.every == 0:
            self._write()
            self._stop_if_asked()

    def end_epoch(self, val_loss: float) -> None:
        """Add the losses of an epoch to the history, and write a checkpoint."""
        before = self.history[-1]["step"] if self.history else 0
        loss = self._losses / (self.step - before)
        row = {"epoch": len(self.history), "step": self.step, "loss": loss, "val_loss": val_loss}
        self.history.append(row)
        self._losses = 0.0
        tables.write_csv(self.work / "history.csv", pd.DataFrame(self.history))
        self._write()
        self._stop_if_asked()

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Stop after a checkpoint, with ``SystemExit``, when the process is told to end.

        That is by SIGTERM, as Slurm sends it at the end of the time limit and before it takes a
        node away, or by Ctrl-C. A second such signal ends the process at once.
        """

        def ask(number: int, _frame: object) -> None:
            self._asked = number
            signal.signal(number, before[number])

        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for number in before:
                signal.signal(number, ask)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _variables(self) -> list:
        return [*self.learner.variables, *self.learner.optimizer.variables]

    def _shapes(self) -> list:
        # Without their names, which Keras counts up where a process makes a network twice.
        return [list(variable.shape) for variable in self._variables()]

    def _write(self) -> None:
        arrays = {
            f"variable_{index}": ops.convert_to_numpy(variable)
            for index, variable in enumerate(self._variables())
        }
        about = {
            "identity": self.identity,
            "shapes": self._shapes(),
            "step": self.step,
            "losses": self._losses,
            "history": self.history,
        }
        older = _found(self.work)
        write(self.work / "checkpoint", self.step, about, arrays)
        for path in older[_KEPT - 1 :]:
            path.unlink(missing_ok=True)

    def _take(self, about: dict, arrays: dict[str, np.ndarray]) -> None:
        values = [arrays[f"variable_{index}"] for index in range(len(about["shapes"]))]
        assign(self._variables(), values)
        self.step, self._losses, self.history = about["step"], about["losses"], about["history"]
        if self.history:
            tables.write_csv(self.work / "history.csv", pd.DataFrame(self.history))

    def _stop_if_asked(self) -> None:
        if self._asked:
            logging.warning(
                "stopped by %s after step %d; rerun the same command to continue from there",
                signal.Signals(self._asked).name,
                self.step,
            )
            raise SystemExit(128 + self._asked)


def assign(variables: list, values: list[np.ndarray]) -> None:
    """Give every variable its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def write(folder: Path, step: int, about: dict, arrays: dict[str, np.ndarray]) -> Path:
    """Write a checkpoint of all ``arrays`` and what is to be known ``about`` it, JSON-able."""
    content = io.BytesIO()
    np.savez(content, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    data = content.getbuffer()
    path = folder / f"{step:09d}-{hashlib.sha256(data).hexdigest()[:_DIGITS]}.npz"
    with atomic.replacing(path) as partial:
        partial.write_bytes(data)
    return path


def read(path: Path) -> tuple[dict | None, dict[str, np.ndarray]]:
    """Read what :func:`write` wrote; ``about`` is None if the file is damaged."""
    data = path.read_bytes()
    if not path.stem.endswith("-" + hashlib.sha256(data).hexdigest()[:_DIGITS]):
        return None, {}
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = dict(file)
    return json.loads(arrays.pop("about").tobytes()), arrays


@contextmanager
def tensorboard(work: Path, learner: keras.Model) -> Iterator[Callable[[dict[str, float]], None]]:
    """Gives a function that logs the losses of an epoch for TensorBoard.

    It does nothing where TensorFlow is not installed, which TensorBoard needs on any backend.
    """
    installed = all(importlib.util.find_spec(name) for name in ("tensorflow", "tensorboard"))
    boards = [keras.callbacks.TensorBoard(work / "logs", write_graph=False)] if installed else []
    callbacks = keras.callbacks.CallbackList(boards, model=learner)
    callbacks.on_train_begin()
    epoch = itertools.count()
    yield lambda losses: callbacks.on_epoch_end(next(epoch), losses)
    callbacks.on_train_end()
