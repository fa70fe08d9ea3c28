# in: whatever the figures of the library are drawn from; see workflow/scripts/atomsight/figures/.
# out: their pictures, in results/, results/figures/, results/series/<series>/ and beside the scores
# of models

for drawing in pictures.drawings(series, folders):

    rule:
        """Draw a picture of a figure."""
        name:
            drawing.picture.rule
        input:
            unpack(drawing.files),
            script=drawing.code,
            style=folders.located("workflow/scripts/atomsight/figures/parts/atomsight.mplstyle"),
        output:
            report(
                drawing.picture.path,
                caption="../report/figure.rst",
                category=drawing.picture.category,
                labels=drawing.labels,
            ),
        log:
            f"results/logs/{drawing.note}.log",
        benchmark:
            f"results/benchmarks/{drawing.note}.tsv"
        wildcard_constraints:
            **{name: one_of(names) for name, names in drawing.limits.items()},
        conda:
            f"../../envs/{drawing.conda}.yaml"
        threads: 1
        resources:
            mem_mb=memory(drawing.memory_MB),
            runtime=30,
            network=drawing.network,
        params:
            figure=drawing.name,
            arguments=drawing.words,
            caption=drawing.caption,
        shell:
            "python {input.script[0]:q} {params.figure} {output:q} {params.arguments:q} 2> {log:q}"


rule figures:
    """All figures of the paper."""
    input:
        pictures.possible(series, "results/figures"),
