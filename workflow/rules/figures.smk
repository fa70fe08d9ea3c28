# in: frames, maps, strain and scores of series; structures, waves and evaluation of the model
# graphene. out: results/series/<series>/strain.png, results/graphene_strain.png, results/figures/


rule plot_series_strain:
    """Draw micrograph, network output, strain and bond lengths of a series."""
    input:
        frames="results/series/{series}/frames.h5",
        maps="results/series/{series}/maps.h5",
        strain="results/series/{series}/strain.h5",
        scores=lambda wildcards: score_files([wildcards.series]),
        script=folders.code("plot_strain.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/series/{series}/strain.png",
            caption="../report/strain.rst",
            category="Series",
            labels={"series": "{series}", "figure": "planar strain"},
        ),
    log:
        "results/logs/plot_series_strain/{series}.log",
    benchmark:
        "results/benchmarks/plot_series_strain/{series}.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=30,
    params:
        rows=lambda wildcards: strain_rows([wildcards.series]),
    shell:
        "python {input.script[0]:q} {output:q} {params.rows:q} 2> {log:q}"


rule graphene_strain:
    """Draw the same of all series that a model for graphene reads, on one scale of strain."""
    input:
        frames=expand("results/series/{series}/frames.h5", series=series.read_by("atoms")),
        maps=expand("results/series/{series}/maps.h5", series=series.read_by("atoms")),
        strain=expand("results/series/{series}/strain.h5", series=series.read_by("atoms")),
        scores=score_files(series.read_by("atoms")),
        script=folders.code("plot_strain.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/graphene_strain.png",
            caption="../report/strain.rst",
            category="Graphene",
            labels={"figure": "planar strain of all series"},
        ),
    log:
        "results/logs/graphene_strain.log",
    benchmark:
        "results/benchmarks/graphene_strain.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=30,
    params:
        rows=strain_rows(series.read_by("atoms")),
    shell:
        "python {input.script[0]:q} {output:q} {params.rows:q} 2> {log:q}"


use rule graphene_strain as fig07_graphene_strain with:
    output:
        report(
            "results/figures/fig07_graphene_strain.png",
            caption="../report/strain.rst",
            category="Figures of the paper",
            labels={"figure": "7: strain of graphene"},
        ),
    log:
        "results/logs/fig07_graphene_strain.log",
    benchmark:
        "results/benchmarks/fig07_graphene_strain.tsv"


rule fig04_random_sheets:
    """Draw how a random sheet is made, and the statistics of all that a model trains on."""
    input:
        structures=models.shards(models.current("graphene_laptop"), "structures"),
        script=folders.code("plot_random_sheets.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig04_random_sheets.png",
            caption="../report/random_sheets.rst",
            category="Figures of the paper",
            labels={"figure": "4: random sheets"},
        ),
    log:
        "results/logs/fig04_random_sheets.log",
    benchmark:
        "results/benchmarks/fig04_random_sheets.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.structures:q} 2> {log:q}"


rule fig05_training_examples:
    """Draw simulated training examples from the lowest to the highest dose."""
    input:
        waves=models.shards(models.current("graphene_laptop"), "waves"),
        script=folders.code("plot_training_examples.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig05_training_examples.png",
            caption="../report/training_examples.rst",
            category="Figures of the paper",
            labels={"figure": "5: training examples"},
        ),
    log:
        "results/logs/fig05_training_examples.log",
    benchmark:
        "results/benchmarks/fig05_training_examples.tsv"
    conda:
        "../../envs/learn.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=30,
        network=1,
    params:
        seed=config["seed"],
        settings=options.model(models.current("graphene_laptop")),
    shell:
        "python {input.script[0]:q} {output:q} {input.waves:q} --seed {params.seed}"
        " --settings {params.settings:q} 2> {log:q}"


rule fig06_dose_performance:
    """Draw precision, recall and position error against the dose."""
    input:
        evaluation=expand(
            "results/models/{model}/evaluation.csv", model=models.current("graphene_laptop")
        ),
        script=folders.code("plot_dose_performance.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig06_dose_performance.png",
            caption="../report/dose_performance.rst",
            category="Figures of the paper",
            labels={"figure": "6: performance against dose"},
        ),
    log:
        "results/logs/fig06_dose_performance.log",
    benchmark:
        "results/benchmarks/fig06_dose_performance.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.evaluation:q} 2> {log:q}"


rule figures:
    """All figures of the paper."""
    input:
        drawn("results/figures/fig01_method.png", dynamics_series()),
        drawn("results/figures/fig03_focal_series.png", drawn_series("species")),
        "results/figures/fig04_random_sheets.png",
        "results/figures/fig05_training_examples.png",
        "results/figures/fig06_dose_performance.png",
        drawn("results/figures/fig07_graphene_strain.png", series.read_by("atoms")),
        "results/figures/fig08_rough_particles.png",
        "results/figures/fig09_column_performance.png",
        drawn("results/figures/fig10_occurrence_events.png", dynamics_series()),
        drawn("results/figures/fig11_column_heights.png", drawn_series("heights")),
        drawn("results/figures/fig12_height_errors.png", drawn_series("heights")),
        drawn("results/figures/image_count.png", config["image_counts"]),
