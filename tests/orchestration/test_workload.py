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

    def added(**waves):
        return workload.seconds_per_structure(changed(gold, "waves", **waves)) - whole

    making_s = whole - added(frozen_phonons=2)
    assert making_s > 0, "a particle is made once"
    assert added(sampling_A=gold["waves"]["sampling_A"] / 2) == pytest.approx(
        3 * (whole - making_s)
    )
    # Thinner slices are propagated more often; the structure factors of the atoms stay as many.
    thinner = added(slice_thickness_A=gold["waves"]["slice_thickness_A"] / 2)
    assert 0.3 * (whole - making_s) < thinner < whole - making_s


def test_estimates_order_models_as_measured(models):
    """Processor seconds of a structure with its wave, docs/benchmarks/scaling.md."""
    measured_s = {
        "mos2_laptop": 0.063,
        "gold_heights_laptop": 0.24,
        "graphene_laptop": 0.28,
        "gold_laptop": 0.40,
    }
    for name, seconds in measured_s.items():
        estimate = workload.seconds_per_structure(models[name])
        assert seconds / 1.5 < estimate < 1.5 * seconds
    assert sorted(measured_s, key=lambda name: workload.seconds_per_structure(models[name])) == (
        sorted(measured_s, key=measured_s.get)
    )


def test_there_is_one_shard_at_least_and_no_empty_one(models):
    graphene = changed(models["graphene_laptop"], "structures", count=3)
    assert workload.shard_count(graphene, 1e6) == 1
    assert workload.shard_count(graphene, 1e-6) == 3
