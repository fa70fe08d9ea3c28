# in: models; what was found in simulated series. out: tables of models, in results/models/ of those that this
# configuration uses, in results/metrics/ of those that ship in data/models/; tables of simulated series
from functools import partial

from atomsight.orchestration.measurements import EVALUATIONS, SCORES

for kind, evaluation in EVALUATIONS.items():

    rule:
        """Evaluate a model over conditions, on simulated images of a sort that no training sees."""
        name:
            f"evaluate_{kind}"
        input:
            model=in_one_sentence(
                lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of)
            ),
            specimen=evaluation.specimen,
            script=folders.code("evaluate.py", f"atomsight/evaluation/{kind}.py"),
        output:
            evaluation.outputs("results/{of}/{model}"),
        log:
            f"results/logs/evaluate_{kind}/{{of}}_{{model}}.log",
        benchmark:
            f"results/benchmarks/evaluate_{kind}/{{of}}_{{model}}.tsv"
        wildcard_constraints:
            model=one_of(models.all(evaluation.finds)),
        conda:
            "../../envs/learn.yaml"
        threads: evaluation.threads
        resources:
            mem_mb=memory(4000),
            runtime=evaluation.minutes,
            network=1,
        params:
            kind=kind,
            folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
            options=partial(options.evaluation, kind),
        shell:
            "python {input.script[0]:q} {params.kind} {params.folder:q} {input.specimen:q}"
            " {params.options:q} 2>&1 | tee {log:q}"


for kind, score in SCORES.items():
    table, *others = score.outputs("results/series/{series}")

    rule:
        """Compare what was found in a simulated series with the truth."""
        name:
            f"score_{kind}"
        input:
            found=[f"results/series/{{series}}/{name}.h5" for name in score.found],
            truth=lambda wildcards: series.truth(wildcards.series),
            script=folders.code("score.py", f"atomsight/evaluation/scoring/{kind}.py"),
        output:
            report(
                table,
                caption="../report/series_scores.rst",
                category="Metrics",
                labels={"model": "{series}", "figure": score.label},
            ),
            others=others,
        log:
            f"results/logs/score_{kind}/{{series}}.log",
        benchmark:
            f"results/benchmarks/score_{kind}/{{series}}.tsv"
        wildcard_constraints:
            series=one_of(series.simulated(score.simulations)),
        conda:
            "../../envs/simulate.yaml"
        threads: 1
        resources:
            mem_mb=memory(1000),
            runtime=30,
        params:
            kind=kind,
            options=partial(options.score, kind),
        shell:
            "python {input.script[0]:q} {params.kind} {input.found[0]:q} {input.truth:q}"
            " {params.options:q} 2>&1 | tee {log:q}"
