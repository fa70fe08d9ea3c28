# Opens configuration, models and sample sheet for the rules, and sees before the first job that files and cluster are fit.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from atomsight.errors import InputError
from atomsight.orchestration import configuration, pictures, readiness, registry, slurm
from atomsight.orchestration.folders import Folders
from atomsight.orchestration.models import Models
from atomsight.orchestration.options import Options
from atomsight.orchestration.refusals import in_one_sentence
from atomsight.orchestration.resources import memory, minutes
from atomsight.orchestration.series import SIMULATIONS, Series
from atomsight.orchestration.targets import Targets, one_of

folders = Folders(Path(workflow.basedir), Path.cwd())
try:
    replacements = configuration.replacements(config)
    config = configuration.read(config, folders)
    models = Models.of(config, folders, replacements)
    series = Series.of(config, models, folders)
    options = Options(config, models, series)
    targets = Targets(models, series)
    comparisons = series.comparisons()
except InputError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    comparison=one_of(comparisons),
    image=one_of(registry.read_registry().index),
    model=one_of(models.sections),
    of="models|metrics",
    series=one_of(series.names),
    shard=r"\d+",
    simulation=one_of(series.simulations()),


onstart:
    try:
        readiness.check_writable("results")
        readiness.check_dates(path for job in workflow.dag.needrun_jobs() for path in job.input)
        if workflow.executor_plugin.name == "slurm":
            slurm.check(
                slurm.requests(workflow.dag.needrun_jobs()),
                workflow.executor_settings.status_command,
            )
    except InputError as error:
        raise WorkflowError(str(error)) from None
