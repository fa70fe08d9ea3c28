"""Public images to try atomsight on: where they are, and how to get them unchanged."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from atomsight.errors import InputError
from atomsight.files import tables
from atomsight.files.atomic import replacing

if TYPE_CHECKING:
    import pandas as pd

REGISTRY = Path(__file__).resolve().parents[4] / "data" / "registry.tsv"
COLUMNS = (
    "name",
    "file",
    "url",
    "sha256",
    "licence",
    "pixel_size_A",
    "description",
    "source",
)
#: The environment variable that names a local folder of such files.
MIRROR = "ATOMSIGHT_DATA"


def read_registry(path: Path | str = REGISTRY) -> "pd.DataFrame":
    """Read the table of public images, one row each, indexed by ``name``.

    Raises :class:`InputError` if the file or a column is missing, or a name occurs twice.
    """
    table = tables.read_list(path, COLUMNS, "registry of images", dtype={"sha256": str})
    if not table["name"].is_unique:
        raise InputError(f"{path}: a name occurs twice; rename one of the images")
    return table.set_index("name")


def fetch(
    name: str,
    output: Path | str,
    registry: Path | str = REGISTRY,
    mirror: Path | str | None = None,
) -> Path:
    """Get a public image: from where it already is, from ``mirror``, or from the internet.

    ``mirror`` is a folder that may hold the file, by default what ``ATOMSIGHT_DATA`` names. The
    file is written whole or not at all, and its sha256 is that of the registry.

    Raises
    ------
    InputError
        If the name is unknown, a file has another sha256, or the file cannot be downloaded.
    """
    output = Path(output)
    table = read_registry(registry)
    if name not in table.index:
        raise InputError(f"{registry}: no image {name!r}; known are {', '.join(table.index)}")
    entry = table.loc[name]
    if output.exists():
        _check(output, entry)
        return output
    mirror = mirror or os.environ.get(MIRROR)
    copy = Path(mirror) / entry["file"] if mirror else None
    with replacing(output) as partial:
        if copy and copy.is_file():
            _check(copy, entry)
            shutil.copyfile(copy, partial)
        else:
            _download(entry, partial, output)
    return output


def _check(path: Path, entry: "pd.Series") -> None:
    import pooch

    found = pooch.file_hash(str(path), alg="sha256")
    if found != entry["sha256"]:
        raise InputError(
            f"{path}: its sha256 is {found[:12]}…, not {entry['sha256'][:12]}… as the registry "
            "says; remove this file"
        )


def _download(entry: "pd.Series", partial: Path, output: Path) -> None:
    import pooch

    logger = pooch.get_logger()
    logger.setLevel("WARNING")
    try:
        pooch.retrieve(
            entry["url"], f"sha256:{entry['sha256']}", fname=partial.name, path=partial.parent
        )
    except OSError as error:
        if error.errno is not None:  # the disk's error: those of the network have no number
            raise
        raise InputError(
            f"{entry['url']}: the download failed ({type(error).__name__}); put the file by hand "
            f"at {output.absolute()} or as {entry['file']} into the folder that {MIRROR} names, "
            f"its sha256 {entry['sha256']} will be checked"
        ) from error
    except ValueError as error:
        raise InputError(
            f"{entry['url']}: the file there has another sha256 than the registry says; mend the "
            "registry or try again"
        ) from error
