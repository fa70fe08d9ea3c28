# in: results/series/<series>/frames.h5, maps.h5, atoms.h5 of a model for nanoparticles.
# out: drift.h5, substrate.h5, sites.h5, sites.csv beside them; results/comparisons/<comparison>.csv


rule correct_drift:
    """Find how the particle drifts from frame to frame."""
    input:
        maps="results/series/{series}/maps.h5",
        atoms="results/series/{series}/atoms.h5",
        script=folders.code("correct_drift.py"),
    output:
        "results/series/{series}/drift.h5",
    log:
        "results/logs/correct_drift/{series}.log",
    benchmark:
        "results/benchmarks/correct_drift/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("columns")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60, per_gb=10),
    params:
        settings=options.section("dynamics", "site_radius_A", "min_matched", "memory_frames"),
    shell:
        "python {input.script[0]:q} {input.maps:q} {input.atoms:q} {output:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule mask_substrate:
    """Average the frames on the particle and mask what it lies on."""
    input:
        frames="results/series/{series}/frames.h5",
        atoms="results/series/{series}/atoms.h5",
        drift="results/series/{series}/drift.h5",
        mask=lambda wildcards: series.mask(wildcards.series),
        script=folders.code("mask_substrate.py"),
    output:
        "results/series/{series}/substrate.h5",
    log:
        "results/logs/mask_substrate/{series}.log",
    benchmark:
        "results/benchmarks/mask_substrate/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("columns")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60, per_gb=60),
    params:
        mask=lambda wildcards, input: ["--mask", *input.mask] if input.mask else [],
        settings=options.section("substrate"),
        dynamics=options.section("dynamics"),
    shell:
        "python {input.script[0]:q} {input.frames:q} {input.atoms:q} {input.drift:q} {output:q}"
        " {params.mask:q} --settings {params.settings:q} --dynamics {params.dynamics:q}"
        " 2>&1 | tee {log:q}"


rule follow_sites:
    """Follow the columns over all frames: occurrence, events, and hops without detection errors."""
    input:
        atoms="results/series/{series}/atoms.h5",
        drift="results/series/{series}/drift.h5",
        substrate="results/series/{series}/substrate.h5",
        errors=lambda wildcards: series.detection_errors(wildcards.series),
        script=folders.code("follow_sites.py"),
    output:
        hdf5="results/series/{series}/sites.h5",
        csv="results/series/{series}/sites.csv",
    log:
        "results/logs/follow_sites/{series}.log",
    benchmark:
        "results/benchmarks/follow_sites/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("columns")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60, per_gb=240),
    params:
        options=lambda wildcards, input: options.hops(wildcards.series, input.errors),
        settings=options.section("dynamics"),
    shell:
        "python {input.script[0]:q} {input.atoms:q} {input.drift:q} {input.substrate:q}"
        " {output.hdf5:q} {output.csv:q} {params.options:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule compare_series:
    """Test whether the hop rates of two series differ."""
    input:
        sites=lambda wildcards: expand(
            "results/series/{series}/sites.h5", series=comparisons[wildcards.comparison]
        ),
        script=folders.code("compare_series.py"),
    output:
        "results/comparisons/{comparison}.csv",
    log:
        "results/logs/compare_series/{comparison}.log",
    benchmark:
        "results/benchmarks/compare_series/{comparison}.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        names=lambda wildcards: comparisons[wildcards.comparison],
        settings=options.section("comparison"),
    shell:
        "python {input.script[0]:q} {input.sites:q} {output:q} --names {params.names:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"
