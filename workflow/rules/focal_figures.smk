# in: frames, maps, atoms, heights of focal series and their truth; evaluation of models that count
# or name. out: results/series/<series>/heights.png, results/gold_heights.png,
# results/mos2_species.png, results/figures/


rule plot_column_heights:
    """Draw the counted columns of a focal series: images, counts, truth where it is known."""
    input:
        frames="results/series/{series}/frames.h5",
        heights="results/series/{series}/heights.csv",
        truth=lambda wildcards: known_truth(wildcards.series),
        script=folders.code("plot_column_heights.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/series/{series}/heights.png",
            caption="../report/column_heights.rst",
            category="Series",
            labels={"series": "{series}", "figure": "atoms in columns"},
        ),
    log:
        "results/logs/plot_column_heights/{series}.log",
    benchmark:
        "results/benchmarks/plot_column_heights/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("heights")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        options=lambda wildcards: truth_options(wildcards.series) + dose_options(wildcards.series),
    shell:
        "python {input.script[0]:q} {output:q} {input.frames:q} {input.heights:q}"
        " {params.options:q} 2> {log:q}"


rule plot_species:
    """Draw a focal series, the class map, and the species found in it."""
    input:
        frames="results/series/{series}/frames.h5",
        maps="results/series/{series}/maps.h5",
        atoms="results/series/{series}/atoms.h5",
        truth=lambda wildcards: known_truth(wildcards.series),
        script=folders.code("plot_focal_series.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/series/{series}/species.png",
            caption="../report/focal_series.rst",
            category="Series",
            labels={"series": "{series}", "figure": "species"},
        ),
    log:
        "results/logs/plot_species/{series}.log",
    benchmark:
        "results/benchmarks/plot_species/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("species")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        options=lambda wildcards: truth_options(wildcards.series),
    shell:
        "python {input.script[0]:q} {output:q} {input.frames:q} {input.maps:q} {input.atoms:q}"
        " {params.options:q} 2> {log:q}"


rule gold_heights:
    """Draw the counting of a simulated particle, and how good it is on many others."""
    input:
        frames=of_shown("heights", "frames.h5"),
        heights=of_shown("heights", "heights.csv"),
        truth=truth_of_shown("heights"),
        tables=tables_of_shown("summary", "confusion", "reliability", "abstention"),
        script=folders.code("plot_gold_heights.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/gold_heights.png",
            caption="../report/gold_heights.rst",
            category="Gold",
            labels={"figure": "atoms in columns"},
        ),
    log:
        "results/logs/gold_heights.log",
    benchmark:
        "results/benchmarks/gold_heights.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        title=title_of_shown("heights"),
    shell:
        "python {input.script[0]:q} {output:q} {input.frames:q} {input.heights:q} {input.truth:q}"
        " --summary {input.tables[0]:q} --confusion {input.tables[1]:q}"
        " --reliability {input.tables[2]:q} --abstention {input.tables[3]:q}"
        " --title {params.title:q} 2> {log:q}"


rule mos2_species:
    """Draw the species found in a simulated monolayer, and how well they are named against dose."""
    input:
        frames=of_shown("species", "frames.h5"),
        atoms=of_shown("species", "atoms.h5"),
        truth=truth_of_shown("species"),
        summaries=expand(
            "results/models/{model}/species_summary.csv", model=models.trained("species")
        ),
        script=folders.code("plot_mos2_species.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/mos2_species.png",
            caption="../report/mos2_species.rst",
            category="MoS2",
            labels={"figure": "species"},
        ),
    log:
        "results/logs/mos2_species.log",
    benchmark:
        "results/benchmarks/mos2_species.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        title=title_of_shown("species"),
    shell:
        "python {input.script[0]:q} {output:q} {input.frames:q} {input.atoms:q} {input.truth:q}"
        " {input.summaries:q} --title {params.title:q} 2> {log:q}"


rule fig03_focal_series:
    """Draw a focal series, what the network reads from it, and the species found."""
    input:
        frames=of_shown("species", "frames.h5"),
        maps=of_shown("species", "maps.h5"),
        atoms=of_shown("species", "atoms.h5"),
        truth=truth_of_shown("species"),
        script=folders.code("plot_focal_series.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig03_focal_series.png",
            caption="../report/focal_series.rst",
            category="Figures of the paper",
            labels={"figure": "3: species from a focal series"},
        ),
    log:
        "results/logs/fig03_focal_series.log",
    benchmark:
        "results/benchmarks/fig03_focal_series.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        title=title_of_shown("species"),
    shell:
        "python {input.script[0]:q} {output:q} {input.frames:q} {input.maps:q} {input.atoms:q}"
        " --truth {input.truth:q} --title {params.title:q} 2> {log:q}"


rule fig11_column_heights:
    """Draw the atoms counted in the columns of a particle."""
    input:
        frames=of_shown("heights", "frames.h5"),
        heights=of_shown("heights", "heights.csv"),
        truth=truth_of_shown("heights"),
        script=folders.code("plot_column_heights.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig11_column_heights.png",
            caption="../report/column_heights.rst",
            category="Figures of the paper",
            labels={"figure": "11: atoms in columns"},
        ),
    log:
        "results/logs/fig11_column_heights.log",
    benchmark:
        "results/benchmarks/fig11_column_heights.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        title=title_of_shown("heights"),
    shell:
        "python {input.script[0]:q} {output:q} {input.frames:q} {input.heights:q}"
        " --truth {input.truth:q} --title {params.title:q} 2> {log:q}"


rule fig12_height_errors:
    """Draw the share of miscounted columns against dose and tilt."""
    input:
        summary=tables_of_shown("summary"),
        script=folders.code("plot_height_errors.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/fig12_height_errors.png",
            caption="../report/height_errors.rst",
            category="Figures of the paper",
            labels={"figure": "12: miscounted columns against dose"},
        ),
    log:
        "results/logs/fig12_height_errors.log",
    benchmark:
        "results/benchmarks/fig12_height_errors.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    shell:
        "python {input.script[0]:q} {output:q} {input.summary:q} 2> {log:q}"


rule image_count:
    """Compare models that count from different numbers of images, at equal total dose."""
    input:
        summary=compared_counts,
        script=folders.code("plot_image_count.py"),
        style=folders.located("workflow/scripts/atomsight/figures/atomsight.mplstyle"),
    output:
        report(
            "results/figures/image_count.png",
            caption="../report/image_count.rst",
            category="Gold",
            labels={"figure": "number of images"},
        ),
    log:
        "results/logs/image_count.log",
    benchmark:
        "results/benchmarks/image_count.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        curves=[
            part
            for name in config["image_counts"]
            for part in (
                "--summary",
                images_in_words(name),
                f"results/models/{name}/heights_summary.csv",
            )
        ],
    shell:
        "python {input.script[0]:q} {output:q} {params.curves:q} 2> {log:q}"
