# What jobs ask for, here and on a cluster, and a look at files and cluster before the first job starts.
from atomsight.orchestration import readiness, slurm, workload

if config["shard_minutes"]:
    for model in config["models"].values():
        shard_count = workload.shard_count(model, config["shard_minutes"])
        model["structures"]["shards"] = shard_count


def memory(mem_mb):
    """Give a function that gives a job's memory [MB]: twice, then three times as much when tried again."""

    def of_attempt(wildcards, attempt):
        # A training may be tried many times, whose time limit ends it and not its memory.
        return mem_mb * min(attempt, 3)

    return of_attempt


def minutes(least, per_gb):
    """Give a function that gives a job's time limit [min] by the size of what it reads."""

    def of_size(wildcards, input):
        return least + round(per_gb * input.size_gb)

    return of_size


class NoInput:
    """Stands for inputs that do not exist yet."""

    size_gb = 0


def least(resource):
    """What a rule asks for at least, where that depends on the inputs; None if it is not known."""
    if resource is None:
        return None
    if resource.raw is None and resource.is_evaluable():
        return resource.evaluate(None, input=NoInput, attempt=1).value
    return int(resource.raw) if str(resource.raw).isdigit() else None


def requests():
    """What the rules that will run ask of Slurm; nothing of those that another cluster runs."""
    asking = {job.rule for job in workflow.dag.needrun_jobs() if not job.is_local}
    for name, resources in {each.name: each.resources for each in asking}.items():
        asked = {key: resource.raw for key, resource in resources.items()}
        if asked.keys() & {"cluster", "clusters", "slurm_cluster"}:
            continue
        yield slurm.Request(
            name,
            slurm.names(asked.get("slurm_partition", "")),
            account=next(iter(slurm.names(asked.get("slurm_account", ""))), None),
            minutes=least(resources.get("runtime")),
            cores=least(resources.get("_cores")) or 1,
            memory_MB=least(resources.get("mem_mb")) or 0,
            gpus=least(resources.get("gpu")) or 0,
        )


onstart:
    try:
        readiness.check_writable("results")
        readiness.check_dates(path for job in workflow.dag.needrun_jobs() for path in job.input)
        if workflow.executor_plugin.name == "slurm":
            slurm.check(requests(), workflow.executor_settings.status_command)
    except InputError as error:
        raise WorkflowError(str(error)) from None
