"""Every command of the tutorials works as written, on a simulated file in place of the user's."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"

pytestmark = pytest.mark.slow

PARTICLE = {"atoms": [80, 120], "support": "none", "tilt_deg": [0, 0], "seed": 11}
VIEW = {"rows": 240, "columns": 240}


@pytest.fixture
def clone(tmp_path):
    """A copy of what the commands use of the repository."""
    shutil.copy(ROOT / "Snakefile", tmp_path)
    for name in ("config", "data", "envs", "profiles", "workflow"):
        unneeded = shutil.ignore_patterns("__pycache__", "images")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unneeded)
    return tmp_path


@pytest.fixture
def follow(clone, run_script):
    """Simulate the user's file, run all commands of a tutorial, and give the folder of results."""

    def run(page, kind, file, settings):
        made = run_script(
            *("simulate.py", kind, clone / file, clone / "truth.h5"),
            *("--settings", json.dumps(settings)),
        )
        assert made.returncode == 0, made.stderr
        (clone / f"{file}.json").unlink()
        for command in commands(page):
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=clone,
                env=os.environ | {"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            assert "train_network" not in done.stdout + done.stderr, command
        return clone / "results" / "series"

    return run


def commands(page):
    """The blocks of commands of a page."""
    text = (TUTORIALS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks, page
    return blocks


def test_an_image_becomes_atoms_and_strain(follow):
    optics = {"rows": 256, "columns": 256, "dose_e_per_A2": 10000, "seed": 2}
    made = {"specimen": {"kind": "pristine", "size_A": [34, 34], "seed": 1}, "acquisition": optics}
    results = follow("own_image.md", "acquisition", "my_image.tif", made)
    strain = pd.read_csv(results / "my_image/strain.csv")
    area_A2 = (256 * 0.12) ** 2
    assert len(strain) == pytest.approx(area_A2 * 0.382, rel=0.05), "atoms of graphene per Å²"
    assert strain["planar"].std() < 0.02
    assert (results / "my_image/strain.png").stat().st_size > 10_000


def test_a_movie_becomes_sites_and_hop_rates(follow):
    made = {"frames": 6, "dynamic_share": 0.6, "particle": PARTICLE}
    optics = {"acquisition": VIEW | {"dose_e_per_A2": 300}}
    results = follow("own_movie.md", "sequence", "my_movie.tif", made | optics)
    sites = pd.read_csv(results / "my_movie/sites.csv")
    assert len(sites) > 10
    assert sites.loc[~sites["masked"], "hop_rate"].notna().any()
    assert (results / "my_movie/occupancy.png").stat().st_size > 10_000


def test_a_focal_series_becomes_counts(follow):
    made = {"specimen": {"kind": "particle", **PARTICLE}, "focus_A": [-170, -40, 90], "drift_A": 2}
    optics = {"acquisition": VIEW | {"dose_e_per_A2": 30000}}
    results = follow("own_focal_series.md", "focal_series", "my_focal_series.tif", made | optics)
    heights = pd.read_csv(results / "my_particle/heights.csv")
    with h5py.File(results.parents[1] / "truth.h5") as truth:
        atoms = truth["columns/class"][:].astype(int).sum()
    assert heights["height"].sum() == pytest.approx(atoms, rel=0.1)
    np.testing.assert_allclose(heights.filter(regex=r"^p_\d+$").sum(axis=1), 1, atol=1e-4)
    assert (results / "my_particle/heights.png").stat().st_size > 10_000
