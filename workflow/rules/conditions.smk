# in: tables of a model that finds atoms. out: the pictures dose.png, conditions.png, settings.png


rule plot_model_doses:
    """Draw how well a model finds atoms against the dose, beside the bound and peak finding."""
    input:
        evaluation="results/{of}/{model}/evaluation.csv",
        script=folders.code("plot_model_doses.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/{of}/{model}/dose.png",
            caption="../report/model_dose.rst",
            category="Metrics",
            labels={"model": "{model}", "figure": "dose"},
        ),
    log:
        "results/logs/plot_model_doses/{of}_{model}.log",
    benchmark:
        "results/benchmarks/plot_model_doses/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("atoms")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.evaluation:q}"
        " --model {wildcards.model:q} 2> {log:q}"


rule plot_model_conditions:
    """Draw how well a model finds atoms against every condition of the microscope."""
    input:
        conditions="results/{of}/{model}/conditions.csv",
        script=folders.code("plot_model_conditions.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/{of}/{model}/conditions.png",
            caption="../report/model_conditions.rst",
            category="Metrics",
            labels={"model": "{model}", "figure": "conditions"},
        ),
    log:
        "results/logs/plot_model_conditions/{of}_{model}.log",
    benchmark:
        "results/benchmarks/plot_model_conditions/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("atoms")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.conditions:q}"
        " --model {wildcards.model:q} 2> {log:q}"


rule plot_model_settings:
    """Draw how well a model finds atoms under microscopes drawn at random."""
    input:
        settings="results/{of}/{model}/settings.csv",
        script=folders.code("plot_model_settings.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/{of}/{model}/settings.png",
            caption="../report/model_settings.rst",
            category="Metrics",
            labels={"model": "{model}", "figure": "microscopes at random"},
        ),
    log:
        "results/logs/plot_model_settings/{of}_{model}.log",
    benchmark:
        "results/benchmarks/plot_model_settings/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("atoms")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.settings:q}"
        " --model {wildcards.model:q} 2> {log:q}"
