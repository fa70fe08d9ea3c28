# From random structures to strain maps of micrographs. See README.md.
from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


# A cluster stops all processes of a job at once; what writes the log shall end after the script has spoken.
shell.prefix("set -euo pipefail; tee() ( trap '' INT TERM; exec tee \"$@\" ); ")


include: "workflow/rules/common.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/series.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/dynamics.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/metrics.smk"
include: "workflow/rules/figures.smk"


rule series:
    """Everything that can be made of the rows of the sheet that are not simulated."""
    input:
        in_one_sentence(lambda wildcards: targets.own_series()),


rule all:
    default_target: True
    input:
        pictures.possible(series),
        targets.own_series() if series.own() else [],
        expand("results/series/{series}/heights.png", series=series.read_by("heights")),
        expand("results/series/{series}/species.png", series=series.read_by("species")),
        rules.scores.input,
