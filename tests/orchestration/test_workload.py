"""Structures are dealt out in jobs of the wanted length."""

import copy

import pytest

from atomsight.orchestration import workload


@pytest.fixture
def models(opened):
    """The models of config.yaml, complete."""
    return opened().configuration["models"]


def changed(model, section, **values):
    model = copy.deepcopy(dict(model))
    model[section] = model[section] | values
    return model


@pytest.mark.parametrize(
    "name", ["graphene_laptop", "gold_laptop", "gold_heights_laptop", "mos2_laptop"]
)
def test_shards_hold_the_wanted_work(models, name):
    """As near as whole structures allow: never more than wanted, nor a job too many."""
    model = changed(models[name], "structures", count=50_000)
    work_min = 50_000 * workload.seconds_per_structure(model) / 60
    for minutes in (0.5, 2.5, 10):
        shards = workload.shard_count(model, minutes)
        assert work_min / shards <= minutes
        assert work_min / (shards - 1) > minutes


def test_a_finer_grid_thinner_slices_and_snapshots_take_longer(models):
    gold = models["gold_laptop"]
    whole = workload.seconds_per_structure(gold)
    multislice = whole - workload.STRUCTURE_S
    for key, value, factor in (
        ("sampling_A", gold["waves"]["sampling_A"] / 2, 4),
        ("slice_thickness_A", gold["waves"]["slice_thickness_A"] / 2, 2),
        ("frozen_phonons", 8, 8),
    ):
        finer = workload.seconds_per_structure(changed(gold, "waves", **{key: value}))
        assert finer == pytest.approx(whole + (factor - 1) * multislice)


def test_there_is_one_shard_at_least_and_no_empty_one(models):
    graphene = changed(models["graphene_laptop"], "structures", count=3)
    assert workload.shard_count(graphene, 1e6) == 1
    assert workload.shard_count(graphene, 1e-6) == 3
