# in: the atoms of focal series; models that count or name, made here or shipped. out: heights.csv,
# class_scores.csv; heights_*.csv, species_*.csv of models, as in evaluation.smk


rule simulate_focal_series:
    """Take a simulated focal series of a particle or a monolayer; the truth is kept."""
    input:
        script=ancient(folders.script("simulate.py")),
    output:
        stack="results/acquisitions/{focal_series}.tif",
        truth="results/acquisitions/{focal_series}_truth.h5",
    log:
        "results/logs/simulate_focal_series/{focal_series}.log",
    benchmark:
        "results/benchmarks/simulate_focal_series/{focal_series}.tsv"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        settings=lambda wildcards: options.simulation("focal_series", wildcards.focal_series),
    shell:
        "python {input.script:q} focal_series {output.stack:q} {output.truth:q}"
        " --settings {params.settings:q} 2> {log:q}"


rule count_columns:
    """Count the atoms in the columns, with the probability of every count."""
    input:
        atoms="results/series/{series}/atoms.h5",
        frames="results/series/{series}/frames.h5",
        script=folders.code("count_columns.py"),
    output:
        csv="results/series/{series}/heights.csv",
        hdf5="results/series/{series}/heights.h5",
    log:
        "results/logs/count_columns/{series}.log",
    benchmark:
        "results/benchmarks/count_columns/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("heights")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=60),
    params:
        settings=options.section("heights"),
    shell:
        "python {input.script[0]:q} {input.atoms:q} {output.csv:q} --frames {input.frames:q}"
        " --hdf5 {output.hdf5:q} --settings {params.settings:q} 2>&1 | tee {log:q}"


rule score_classes:
    """Compare the counts or the species of a simulated focal series with the truth."""
    input:
        atoms="results/series/{series}/atoms.h5",
        truth=lambda wildcards: series.truth(wildcards.series, "focal_series"),
        script=folders.code("score.py", "atomsight/evaluation/scoring/classes.py"),
    output:
        scores=report(
            "results/series/{series}/class_scores.csv",
            caption="../report/series_scores.rst",
            category="Metrics",
            labels={"model": "{series}", "figure": "scores of its classes"},
        ),
        confusion="results/series/{series}/class_confusion.csv",
    log:
        "results/logs/score_classes/{series}.log",
    benchmark:
        "results/benchmarks/score_classes/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.simulated("focal_series")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} classes {input.atoms:q} {input.truth:q} {output.scores:q}"
        " --confusion {output.confusion:q} 2>&1 | tee {log:q}"


rule evaluate_heights:
    """How well a model counts, against tilt and total dose, beside two classical methods."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        script=folders.code("evaluate.py", "atomsight/evaluation/heights.py"),
    output:
        summary="results/{of}/{model}/heights_summary.csv",
        confusion="results/{of}/{model}/heights_confusion.csv",
        reliability="results/{of}/{model}/heights_reliability.csv",
        abstention="results/{of}/{model}/heights_abstention.csv",
    log:
        "results/logs/evaluate_heights/{of}_{model}.log",
    benchmark:
        "results/benchmarks/evaluate_heights/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("heights")),
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
            "height_evaluation", wildcards.model, wildcards.of
        ),
    shell:
        "python {input.script[0]:q} heights {params.folder:q} {output.summary:q}"
        " --confusion {output.confusion:q} --reliability {output.reliability:q}"
        " --abstention {output.abstention:q} --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule evaluate_species:
    """How well a model names the species of monolayers, against the total dose."""
    input:
        model=lambda wildcards: models.evaluated_files(wildcards.model, wildcards.of),
        script=folders.code("evaluate.py", "atomsight/evaluation/species.py"),
    output:
        summary="results/{of}/{model}/species_summary.csv",
        confusion="results/{of}/{model}/species_confusion.csv",
    log:
        "results/logs/evaluate_species/{of}_{model}.log",
    benchmark:
        "results/benchmarks/evaluate_species/{of}_{model}.tsv"
    wildcard_constraints:
        model=one_of(models.evaluated("species")),
    conda:
        "../../envs/learn.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=120,
    params:
        folder=lambda wildcards: models.evaluated_folder(wildcards.model, wildcards.of),
        inference=options.section("inference"),
        settings=options.section("species_evaluation"),
    shell:
        "python {input.script[0]:q} species {params.folder:q} {output.summary:q} {output.confusion:q}"
        " --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"
