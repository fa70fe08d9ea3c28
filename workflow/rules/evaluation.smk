# in: what was measured on simulated images; models. out: scores.csv, dynamics_scores.csv of series;
# evaluation.csv, columns.csv, background.csv, detection_errors.csv of models: in results/models/
# of those that this configuration uses, in results/metrics/ of those that ship in data/models/


rule score_series:
    """Compare the atoms and the strain of a simulated acquisition with the truth."""
    input:
        atoms="results/series/{series}/atoms.h5",
        strain="results/series/{series}/strain.h5",
        truth=lambda wildcards: series.truth(wildcards.series, "acquisitions"),
        script=folders.code("score.py", "atomsight/evaluation/scoring/atoms.py"),
    output:
        report(
            "results/series/{series}/scores.csv",
            caption="../report/series_scores.rst",
            category="Metrics",
            labels={"model": "{series}", "figure": "scores"},
        ),
    log:
        "results/logs/score_series/{series}.log",
    benchmark:
        "results/benchmarks/score_series/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.simulated("acquisitions")),
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        settings=options.scored_strain(),
    shell:
        "python {input.script[0]:q} atoms {input.atoms:q} {input.truth:q} {output:q}"
        " --strain {input.strain:q} --settings {params.settings:q} 2>&1 | tee {log:q}"


rule make_specimen:
    """Make a simulated specimen to evaluate models on, of a sort that no training sees."""
    input:
        script=ancient(folders.script("simulate.py")),
    output:
        "results/evaluation/specimen.h5",
    log:
        "results/logs/make_specimen.log",
    benchmark:
        "results/benchmarks/make_specimen.tsv"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        settings=options.simulation("evaluation", "specimen"),
    shell:
        "python {input.script:q} specimen {output:q} --settings {params.settings:q} 2> {log:q}"


rule evaluate_model:
    """Precision, recall and position error of a model against the electron dose."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        specimen="results/evaluation/specimen.h5",
        script=folders.code("evaluate.py", "atomsight/evaluation/atoms.py"),
    output:
        "results/{of}/{model}/evaluation.csv",
    log:
        "results/logs/evaluate_model/{of}_{model}.log",
    benchmark:
        "results/benchmarks/evaluate_model/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("atoms")),
    conda:
        "../../envs/learn.yaml"
    threads: 8
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
        inference=options.section("inference"),
        settings=options.section("evaluation", "acquisition", "doses_e_per_A2"),
    shell:
        "python {input.script[0]:q} atoms {params.folder:q} {input.specimen:q} {output:q}"
        " --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule evaluate_columns:
    """Precision, recall and position error of columns against tilt and dose, beside peak finding."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        script=folders.code("evaluate.py", "atomsight/evaluation/columns.py"),
    output:
        table="results/{of}/{model}/columns.csv",
        summary="results/{of}/{model}/columns_summary.csv",
    log:
        "results/logs/evaluate_columns/{of}_{model}.log",
    benchmark:
        "results/benchmarks/evaluate_columns/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("columns")),
    conda:
        "../../envs/learn.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=120,
    params:
        folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
        inference=options.section("inference"),
        settings=lambda wildcards: options.particles(
            "column_evaluation", wildcards.model, wildcards.of
        ),
    shell:
        "python {input.script[0]:q} columns {params.folder:q} {output.table:q} --summary {output.summary:q}"
        " --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule evaluate_background:
    """Columns found where there are none: in vacuum, amorphous films, off-axis crystals."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        script=folders.code("evaluate.py", "atomsight/evaluation/background.py"),
    output:
        "results/{of}/{model}/background.csv",
    log:
        "results/logs/evaluate_background/{of}_{model}.log",
    benchmark:
        "results/benchmarks/evaluate_background/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("columns")),
    conda:
        "../../envs/learn.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=120,
    params:
        folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
        inference=options.section("inference"),
        settings=lambda wildcards: options.particles(
            "background_evaluation", wildcards.model, wildcards.of
        ),
    shell:
        "python {input.script[0]:q} background {params.folder:q} {output:q}"
        " --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule measure_detection_errors:
    """How often a model misses a surface column, or sees one where there is none."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        script=folders.code("evaluate.py", "atomsight/evaluation/detection_errors.py"),
    output:
        "results/{of}/{model}/detection_errors.csv",
    log:
        "results/logs/measure_detection_errors/{of}_{model}.log",
    benchmark:
        "results/benchmarks/measure_detection_errors/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("columns")),
    conda:
        "../../envs/learn.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=120,
    params:
        folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
        inference=options.section("inference"),
        settings=lambda wildcards: options.particles(
            "detection_errors", wildcards.model, wildcards.of
        ),
    shell:
        "python {input.script[0]:q} detection_errors {params.folder:q} {output:q}"
        " --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule score_dynamics:
    """Compare the sites and hop rates of a simulated sequence with the truth."""
    input:
        sites="results/series/{series}/sites.h5",
        truth=lambda wildcards: series.truth(wildcards.series, "sequences"),
        script=folders.code("score.py", "atomsight/evaluation/scoring/dynamics.py"),
    output:
        scores=report(
            "results/series/{series}/dynamics_scores.csv",
            caption="../report/series_scores.rst",
            category="Metrics",
            labels={"model": "{series}", "figure": "scores of its dynamics"},
        ),
        table="results/series/{series}/dynamics_truth.csv",
    log:
        "results/logs/score_dynamics/{series}.log",
    benchmark:
        "results/benchmarks/score_dynamics/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.simulated("sequences")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} dynamics {input.sites:q} {input.truth:q} {output.scores:q}"
        " --table {output.table:q} 2>&1 | tee {log:q}"
