# in: what was found in series of particles; structures and evaluation of the model gold.
# out: results/series/<series>/occupancy.png, results/gold_dynamics.png, results/figures/


rule plot_occupancy:
    """Draw the sites of a series of particles: occurrence, hops, substrate, drift."""
    input:
        sites="results/series/{series}/sites.h5",
        substrate="results/series/{series}/substrate.h5",
        script=folders.code("plot_occupancy.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/series/{series}/occupancy.png",
            caption="../report/occupancy.rst",
            category="Series",
            labels={"series": "{series}", "figure": "occupancy of sites"},
        ),
    log:
        "results/logs/plot_occupancy/{series}.log",
    benchmark:
        "results/benchmarks/plot_occupancy/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("columns")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        title=lambda wildcards: title(wildcards.series),
    shell:
        "python {input.script[0]:q} {output:q} {input.sites:q} {input.substrate:q}"
        " --title {params.title:q} 2> {log:q}"


rule gold_dynamics:
    """Draw the series of particles that are compared: frames, occurrence, hop rates, truth."""
    input:
        files=series_inputs(dynamics_series(), ("frames", "maps", "atoms", "sites", "substrate")),
        truth=[
            f"results/series/{name}/dynamics_truth.csv"
            for name in dynamics_series()
            if series.simulation(name, "sequences")
        ],
        comparison=expand("results/comparisons/{comparison}.csv", comparison=list(comparisons)[:1]),
        script=folders.code("plot_gold_dynamics.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/gold_dynamics.png",
            caption="../report/gold_dynamics.rst",
            category="Gold",
            labels={"figure": "dynamics of the surface"},
        ),
    log:
        "results/logs/gold_dynamics.log",
    benchmark:
        "results/benchmarks/gold_dynamics.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=30,
    params:
        rows=dynamics_rows(dynamics_series(), ("frames", "maps", "atoms", "sites", "substrate")),
        comparison=lambda wildcards, input: (
            ["--comparison", *input.comparison] if input.comparison else []
        ),
    shell:
        "python {input.script[0]:q} {output:q} {params.rows:q} {params.comparison:q} 2> {log:q}"


rule fig01_method:
    """Draw the method on one frame: micrograph, output of the network, columns found."""
    input:
        files=series_inputs(dynamics_series()[:1], ("frames", "maps", "atoms")),
        script=folders.code("plot_method.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig01_method.png",
            caption="../report/method.rst",
            category="Figures of the paper",
            labels={"figure": "1: the method"},
        ),
    log:
        "results/logs/fig01_method.log",
    benchmark:
        "results/benchmarks/fig01_method.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        title=lambda wildcards: title(dynamics_series()[0]),
    shell:
        "python {input.script[0]:q} {output:q} {input.files:q} --title {params.title:q} 2> {log:q}"


rule fig08_rough_particles:
    """Draw random particles that a model trains on, and the statistics of all of them."""
    input:
        structures=models.shards(models.current("gold_laptop"), "structures"),
        script=folders.code("plot_rough_particles.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig08_rough_particles.png",
            caption="../report/rough_particles.rst",
            category="Figures of the paper",
            labels={"figure": "8: rough nanoparticles"},
        ),
    log:
        "results/logs/fig08_rough_particles.log",
    benchmark:
        "results/benchmarks/fig08_rough_particles.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.structures:q} 2> {log:q}"


rule fig09_column_performance:
    """Draw how well columns are found, against dose and tilt, beside peak finding."""
    input:
        columns=expand("results/models/{model}/columns.csv", model=models.current("gold_laptop")),
        script=folders.code("plot_column_performance.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig09_column_performance.png",
            caption="../report/column_performance.rst",
            category="Figures of the paper",
            labels={"figure": "9: columns against dose and tilt"},
        ),
    log:
        "results/logs/fig09_column_performance.log",
    benchmark:
        "results/benchmarks/fig09_column_performance.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.columns:q} 2> {log:q}"


rule fig10_occurrence_events:
    """Draw occurrence, raw events and hop rates of the series that are compared."""
    input:
        files=series_inputs(dynamics_series(), ("sites", "substrate")),
        script=folders.code("plot_occurrence_events.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig10_occurrence_events.png",
            caption="../report/occurrence_events.rst",
            category="Figures of the paper",
            labels={"figure": "10: occurrence and events"},
        ),
    log:
        "results/logs/fig10_occurrence_events.log",
    benchmark:
        "results/benchmarks/fig10_occurrence_events.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        rows=dynamics_rows(dynamics_series(), ("sites", "substrate"), with_truth=False),
    shell:
        "python {input.script[0]:q} {output:q} {params.rows:q} 2> {log:q}"
