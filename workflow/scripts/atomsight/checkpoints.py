"""What a training leaves behind while it runs, and how it goes on from there.

==================  ===========================================================================
``checkpoint/``     weights and state of the optimiser after the last whole epoch
``history.csv``     losses by epoch
``logs/``           the same for TensorBoard
``training.json``   what is trained on what; a checkpoint of something else is not gone on from
==================  ===========================================================================
"""

import importlib.util
import json
import logging
import shutil
from pathlib import Path

import keras
import pandas as pd

from atomsight import hdf5


def forget_other_trainings(work: Path, identity: list[str]) -> None:
    """Drop a checkpoint that other settings or other waves left behind.

    Parameters
    ----------
    work : Path
        Folder of the training; made if missing.
    identity : list of str
        What is trained, on what. The backend of Keras is added.
    """
    work.mkdir(parents=True, exist_ok=True)
    text = json.dumps([*identity, keras.backend.backend()])
    file = work / "training.json"
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        logging.info("the settings or the waves have changed: the training starts anew")
        forget(work)
    with hdf5.replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")


def forget(work: Path) -> None:
    """Drop the checkpoint, so that the next training begins anew.

    Parameters
    ----------
    work : Path
        Folder of the training.
    """
    shutil.rmtree(work / "checkpoint", ignore_errors=True)


def resume_history(work: Path) -> Path:
    """Drop what the history says of epochs that will be done again.

    Parameters
    ----------
    work : Path
        Folder of the training.

    Returns
    -------
    Path
        File of the history; it may not exist yet.
    """
    progress = work / "checkpoint" / "training_metadata.json"
    done = json.loads(progress.read_text(encoding="utf-8"))["epoch"] if progress.is_file() else 0
    file = work / "history.csv"
    if file.is_file() and done == 0:
        file.unlink()
    elif file.is_file():
        history = pd.read_csv(file)
        hdf5.write_csv(file, history[history["epoch"] < done])
    return file


def callbacks(work: Path) -> list[keras.callbacks.Callback]:
    """Callbacks that write all this after every epoch, and restore a checkpoint at the start.

    Parameters
    ----------
    work : Path
        Folder of the training.

    Returns
    -------
    list of keras.callbacks.Callback
        TensorBoard is among them where TensorFlow is installed, which it needs on any backend.
    """
    found = [
        keras.callbacks.BackupAndRestore(
            work / "checkpoint", double_checkpoint=True, delete_checkpoint=False
        ),
        keras.callbacks.CSVLogger(work / "history.csv", append=True),
    ]
    if all(importlib.util.find_spec(name) for name in ("tensorflow", "tensorboard")):
        found.append(keras.callbacks.TensorBoard(work / "logs", write_graph=False))
    return found
