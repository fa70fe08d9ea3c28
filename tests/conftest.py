"""What all tests share: the scripts' folder, a way to run a script, and real files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
REAL_DATA = ROOT.parent / "shared" / "data"

sys.path.insert(0, str(SCRIPTS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the pipeline, which takes as long as all else: one worker does a file's tests."""
    items.sort(key=lambda item: item.path.parent.name != "pipeline")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files, which are no part of the project."""
    if not (REAL_DATA / "README.md").is_file():
        pytest.skip("the real files in ../shared/data beside the checkout are absent")
    return REAL_DATA


@pytest.fixture
def run_script(tmp_path_factory) -> Callable[..., subprocess.CompletedProcess]:
    """Run a script by hand, from another folder: ``run_script("locate_atoms.py", ...)``."""
    folder = tmp_path_factory.mktemp("elsewhere")

    def run(name: str, *args: object, env: dict | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(SCRIPTS / name), *map(str, args)],
            cwd=folder,
            env=os.environ | (env or {}),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
