# in: the configuration of a simulation, or a row of the sample sheet. out: results/acquisitions/,
# results/series/<series>/frames.h5, maps.h5


rule simulate:
    """Take simulated images of a simulated specimen; the truth stays beside them."""
    input:
        script=ancient(folders.script("simulate.py")),
    output:
        images="results/acquisitions/{simulation}.tif",
        truth="results/acquisitions/{simulation}_truth.h5",
    log:
        "results/logs/simulate/{simulation}.log",
    benchmark:
        "results/benchmarks/simulate/{simulation}.tsv"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        kind=lambda wildcards: SIMULATIONS[series.simulations()[wildcards.simulation]],
        settings=lambda wildcards: options.simulation(wildcards.simulation),
    shell:
        "python {input.script:q} {params.kind} {output:q} --settings {params.settings:q} 2> {log:q}"


use rule simulate as make_specimen with:
    output:
        "results/evaluation/specimen.h5",
    log:
        "results/logs/make_specimen.log",
    benchmark:
        "results/benchmarks/make_specimen.tsv"
    params:
        kind="specimen",
        settings=options.specimen(),


rule fetch_image:
    """Fetch a public image by its name in data/registry.tsv; its checksum is verified."""
    input:
        script=ancient(folders.script("fetch_image.py")),
    output:
        "data/images/{image}.tif",
    log:
        "results/logs/fetch_image/{image}.log",
    benchmark:
        "results/benchmarks/fetch_image/{image}.tsv"
    localrule: True
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=30,
    shell:
        "python {input.script:q} {wildcards.image} {output:q} 2> {log:q}"


rule import_series:
    """Read the micrographs of a series, whatever their format, and calibrate them."""
    input:
        images=in_one_sentence(lambda wildcards: series.files(wildcards.series)),
        mask=lambda wildcards: series.still_mask(wildcards.series),
        script=folders.code("import_series.py"),
    output:
        "results/series/{series}/frames.h5",
    log:
        "results/logs/import_series/{series}.log",
    benchmark:
        "results/benchmarks/import_series/{series}.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=10),
    params:
        path=lambda wildcards: series.path(wildcards.series),
        settings=lambda wildcards: options.import_settings(wildcards.series),
    shell:
        "python {input.script[0]:q} {params.path:q} {output:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule map_classes:
    """Read the frames with a network: the probability of every class in every pixel."""
    input:
        frames="results/series/{series}/frames.h5",
        model=lambda wildcards: models.files(series.model(wildcards.series)),
        script=folders.code("map_classes.py"),
    output:
        "results/series/{series}/maps.h5",
    log:
        "results/logs/map_classes/{series}.log",
    benchmark:
        "results/benchmarks/map_classes/{series}.tsv"
    conda:
        "../../envs/learn.yaml"
    threads: 2
    resources:
        mem_mb=memory(config["inference"]["memory_mb"]),
        runtime=minutes(60, per_gb=120),
        network=1,
    params:
        model=lambda wildcards: models.folder(series.model(wildcards.series)),
        contrast=lambda wildcards: series.contrast(wildcards.series),
        settings=options.section("inference"),
    shell:
        "python {input.script[0]:q} {input.frames:q} {params.model:q} {output:q}"
        " --contrast {params.contrast} --settings {params.settings:q} 2> {log:q}"
