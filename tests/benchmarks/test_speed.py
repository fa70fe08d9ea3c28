"""The command that measures speed: a table of all columns, from sizes that take no time."""

import csv
import importlib
import subprocess
import sys

import numpy as np
import pytest
import speed
from keras import ops
from timed.processes import Usage
from timed.works import TINY, Bench, Work


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    section = speed.merged(speed.section_of("graphene_laptop"), TINY.section)
    return Bench(section, TINY, tmp_path_factory.mktemp("scratch"))


def test_a_table_has_what_is_measured_its_limit_and_how_it_grows(tmp_path):
    table, works = tmp_path / "new" / "speed.csv", ["strain", "strain, by atoms"]
    command = [sys.executable, speed.__file__, table, "--tiny", "--repeats", "1", "--only"]
    subprocess.run([*command, *works], check=True, capture_output=True, timeout=300)
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == tuple(speed.COLUMNS)
    assert [row["kind"] for row in rows] == ["measured", "limit", "measured", "measured"]
    assert all(float(row["wall_s"]) > 0 and float(row["memory_MB"]) > 20 for row in rows)
    assert float(rows[0]["ratio"]) == 1
    assert rows[-1]["time_slope"]
    text = table.with_suffix(".md").read_text(encoding="utf-8")
    assert "cores" in text.splitlines()[0]
    assert text.count("\n| ") == len(rows) + 1


def test_a_work_that_is_not_there_is_named_beside_those_that_are(bench):
    speed.check_names(["strain", "start-up"], bench)
    with pytest.raises(SystemExit, match=r"no work 'strian'; there are: structure; .*; start-up"):
        speed.check_names(["strian"], bench)


@pytest.mark.parametrize(
    "part",
    [
        "simulating",
        pytest.param("training", marks=pytest.mark.slow),
        "reading",
        "analysing",
        "growing",
    ],
)
def test_every_case_runs(bench, part):
    """Whatever is compared is a function that prepares a call, and the call runs."""
    from timed import reading

    for work in getattr(bench, part)():
        for case in work.cases:
            module, name = case.name.split(".")
            if work.map_px:
                reading.write_map(bench.path("map", work.map_px), work.map_px)
            prepared = getattr(importlib.import_module(f"timed.{module}"), name)(**case.given)
            assert callable(prepared), case.name
            prepared()


def test_the_convolutions_of_a_limit_are_those_of_the_network(bench):
    """A limit is one only if it does the arithmetic of the network, no less."""
    from timed import networks

    plan = networks.plan_of(bench.section)
    network = networks.reader_of(plan)
    bare = networks.Convolutions(network, (1, 32, 32, 1))
    done = sum(
        np.prod(maps.shape[1:3])
        * np.prod(kernel.shape)
        / (stride**2 if operation is ops.conv else 1)
        for operation, maps, kernel, stride in bare.parts
    )
    assert done == pytest.approx(32**2 * network.measures.multiplications)


def test_a_slope_is_the_power_of_the_growth():
    before, now = (100.0, Usage(1.0, 1.0, 50.0)), (400.0, Usage(8.0, 8.0, 100.0))
    assert speed.slopes(before, now) == {"time_slope": 1.5, "memory_slope": 0.5}


def test_a_work_is_left_out_that_would_not_fit_into_the_memory(monkeypatch):
    monkeypatch.setattr(speed.processes, "free_memory_MB", lambda: 1000.0)
    last = {"maps": (1.0, Usage(1.0, 1.0, 400.0))}
    for along, left_out in ((2.0, False), (4.0, True)):
        work = Work("maps", "", 1, "Mpixel", [], along)
        assert speed.too_large(work, last) is left_out
