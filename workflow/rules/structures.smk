# in: the configuration of a model. out: results/models/<model>/structures/<shard>.h5


rule make_structures:
    """Make random structures to train on."""
    input:
        script=ancient(folders.script("make_structures.py")),
    output:
        "results/models/{model}/structures/{shard}.h5",
    log:
        "results/logs/make_structures/{model}_{shard}.log",
    benchmark:
        "results/benchmarks/make_structures/{model}_{shard}.tsv"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        material=lambda wildcards: models.sections[wildcards.model]["material"],
        structures=lambda wildcards: models.sections[wildcards.model]["structures"]["count"],
        shards=lambda wildcards: models.sections[wildcards.model]["structures"]["shards"],
        seed=config["seed"],
        settings=lambda wildcards: options.material(wildcards.model),
    shell:
        "python {input.script:q} {output:q} --material {params.material} --count {params.structures}"
        " --shard {wildcards.shard} --shards {params.shards} --seed {params.seed}"
        " --settings {params.settings:q} 2> {log:q}"
