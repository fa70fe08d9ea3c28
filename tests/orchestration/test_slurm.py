"""What is said before anything is submitted to a Slurm that lacks what the jobs ask for."""

from types import SimpleNamespace

import pytest

from atomsight.errors import InputError
from atomsight.orchestration import slurm

#: A line for every node: partition, longest time, cores, memory [MB], GPUs.
PARTITIONS = """\
main|1-00:00:00|32|128000|(null)
main|1-00:00:00|64|256000|(null)
gpu-a100|2:00:00|64|512000|gpu:a100:4(S:0-1)
long|infinite|16|64000|(null)
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Commands of Slurm that answer what a test wants; those not given do not exist."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def answers(**texts):
        for name, text in texts.items():
            program = tmp_path / name
            failing = "exit 1\n" if text is None else f"/bin/cat <<'END'\n{text}END\n"
            program.write_text(f"#!/bin/sh\n{failing}")
            program.chmod(0o755)

    return answers


def asking(*partitions, account=None, minutes=60, **more):
    return [slurm.Request("train_network", partitions, account, minutes, **more)]


def test_what_the_cluster_has_is_fine(cluster):
    cluster(sinfo=PARTITIONS, sacctmgr="physics01\nPhysics02\n", sacct="")
    asked = asking("main", "gpu-a100", account="physics02", minutes=120)
    assert slurm.check(asked, "sacct") is None
    assert slurm.check(asking("gpu-a100", cores=64, memory_MB=512_000, gpus=4)) is None


@pytest.mark.parametrize(
    ("devices", "gpus"),
    [
        ("(null)", 0),
        ("gpu:1", 1),
        ("gpu:a100:4(S:0-1)", 4),
        ("gpu:a100_3g.20gb:2,gpu:a100_1g.5gb:3", 5),
        ("shard:gpus:8,tmpdisk:100", 0),
    ],
)
def test_gpus_are_counted_in_what_slurm_calls_generic_resources(cluster, devices, gpus):
    cluster(sinfo=f"main|infinite|8|64000|{devices}\n")
    assert slurm.known_partitions()["main"].nodes == {(8, 64000, gpus)}


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (asking("compute"), "no partition compute, which train_network asks for; fill in one of"),
        (asking("compute"), "gpu-a100, long, main in profiles/slurm/config.yaml"),
        (asking("gpu-a100", minutes=720), "720 minutes and the partition gpu-a100 gives 120"),
        (asking("gpu-a100", minutes=720), "'runtime: 120' under set-resources, train_network"),
        (asking("long", account="chemistry"), "fill in one of physics01, physics02"),
        (asking("main", gpus=1), "no node of the partition main has one; name another one as"),
        (asking("gpu-a100", gpus=5), "asks for 1 cores, 0 MB and 5 GPUs of one node, and no node"),
        (asking("long", cores=32), "fewer cores under set-threads"),
        # Of the two sorts of nodes none has both.
        (asking("main", cores=64, memory_MB=256_001), "less mem_mb under set-resources"),
    ],
)
def test_what_it_lacks_is_named_with_what_it_has(cluster, request_, sentence):
    cluster(sinfo=PARTITIONS, sacctmgr="physics01\nPhysics02\n")
    with pytest.raises(InputError) as error:
        slurm.check(request_)
    assert sentence in str(error.value)


def test_an_account_is_left_to_slurm_where_there_is_no_accounting(cluster):
    cluster(sinfo=PARTITIONS, sacctmgr=None)
    assert slurm.check(asking("long", account="chemistry")) is None


def test_sacct_without_accounting_is_refused_or_snakemake_waits_for_ever(cluster):
    cluster(sinfo=PARTITIONS, sacct=None)
    slurm.check(asking("main"), "squeue")
    with pytest.raises(InputError, match="slurm-status-command: squeue"):
        slurm.check(asking("main"), "sacct")


def test_a_machine_without_slurm_is_told_apart_from_one_that_does_not_answer(cluster):
    with pytest.raises(InputError, match="run this on a login node"):
        slurm.check(asking("main"))
    cluster(sinfo=None)
    with pytest.raises(InputError, match="does not answer"):
        slurm.check(asking("main"))


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("gpu-a100", ("gpu-a100",)),
        ("'gpu'", ("gpu",)),
        ("main,long", ("main", "long")),
        ("'gpu' if input.size_mb > 500 else 'main'", ("gpu", "main")),
        ("", ()),
    ],
)
def test_names_are_found_in_what_snakemake_calls_a_resource(expression, names):
    assert slurm.names(expression) == names


def resource(raw, smallest=None):
    """As Snakemake has it: a value, or what is told by the inputs and the attempt."""

    def evaluate(_wildcards, input, attempt):
        return SimpleNamespace(value=smallest * attempt + input.size_gb)

    is_evaluable = smallest is not None
    return SimpleNamespace(raw=raw, is_evaluable=lambda: is_evaluable, evaluate=evaluate)


def test_rules_ask_for_the_least_of_their_jobs_and_once():
    asked = {
        "slurm_partition": resource("'gpu' if input.size_mb > 500 else 'main'"),
        "runtime": resource(None, smallest=60),
        "_cores": resource(2),
        "mem_mb": resource(None, smallest=3000),
        "gpu": resource("1 if input.size_mb > 500 else 0"),
    }
    rule = SimpleNamespace(name="map_classes", resources=asked)
    other = SimpleNamespace(name="elsewhere", resources=asked | {"clusters": resource("far")})
    here = SimpleNamespace(name="metrics", resources={})
    jobs = [(rule, False), (rule, False), (other, False), (here, True)]
    jobs = [SimpleNamespace(rule=rule, is_local=is_local) for rule, is_local in jobs]
    assert list(slurm.requests(jobs)) == [
        slurm.Request("map_classes", ("gpu", "main"), minutes=60, cores=2, memory_MB=3000)
    ]
