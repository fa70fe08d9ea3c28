# in: results/series/<series>/maps.h5. out: atoms.h5, atoms.csv, strain.csv or heights.csv beside it


rule locate_atoms:
    """Find the atoms in the class maps."""
    input:
        maps="results/series/{series}/maps.h5",
        script=folders.code("locate_atoms.py"),
    output:
        atoms="results/series/{series}/atoms.h5",
        csv="results/series/{series}/atoms.csv",
    log:
        "results/logs/locate_atoms/{series}.log",
    benchmark:
        "results/benchmarks/locate_atoms/{series}.tsv"
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60, per_gb=60),
    shell:
        "python {input.script[0]:q} {input.maps:q} {output.atoms:q} --csv {output.csv:q} 2>&1 | tee {log:q}"


rule measure_strain:
    """Measure strain, bond lengths and rings from the positions of the atoms."""
    input:
        atoms="results/series/{series}/atoms.h5",
        script=folders.code("measure_strain.py"),
    output:
        csv="results/series/{series}/strain.csv",
        hdf5="results/series/{series}/strain.h5",
    log:
        "results/logs/measure_strain/{series}.log",
    benchmark:
        "results/benchmarks/measure_strain/{series}.tsv"
    wildcard_constraints:
        series=one_of(series.read_by("atoms")),
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60, per_gb=240),
    params:
        settings=options.section("strain"),
        material=lambda wildcards: series.material(wildcards.series),
    shell:
        "python {input.script[0]:q} {input.atoms:q} {output.csv:q} --hdf5 {output.hdf5:q}"
        " --material {params.material}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


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
