# in: models, results/evaluation/specimen.h5. out: conditions.csv, settings.csv beside evaluation.csv
# of a model that finds atoms, and the pictures dose.png, conditions.png, settings.png


rule evaluate_conditions:
    """How well a model finds atoms under other conditions, and under microscopes drawn at random."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        specimen="results/evaluation/specimen.h5",
        script=folders.code("evaluate.py", "atomsight/evaluation/conditions.py"),
    output:
        conditions="results/{of}/{model}/conditions.csv",
        random="results/{of}/{model}/settings.csv",
    log:
        "results/logs/evaluate_conditions/{of}_{model}.log",
    benchmark:
        "results/benchmarks/evaluate_conditions/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("atoms")),
    conda:
        "../../envs/learn.yaml"
    threads: 8
    resources:
        mem_mb=memory(4000),
        runtime=120,
    params:
        folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
        inference=options.section("inference"),
        settings=options.section("evaluation", "acquisition", "conditions", "settings"),
    shell:
        "python {input.script[0]:q} conditions {params.folder:q} {input.specimen:q}"
        " {output.conditions:q} {output.random:q} --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


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
