# in: the configuration of a model. out: results/models/<model>/structures/<shard>.h5


rule make_structures:
    """Make random structures to train on."""
    input:
        script=ancient(script_alone("make_structures.py")),
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
        material=lambda wildcards: model_section(wildcards)["material"],
        structures=lambda wildcards: model_section(wildcards)["structures"]["count"],
        shards=lambda wildcards: model_section(wildcards)["structures"]["shards"],
        seed=config["seed"],
        settings=material_section,
    shell:
        "python {input.script:q} {output:q} --material {params.material} --count {params.structures}"
        " --shard {wildcards.shard} --shards {params.shards} --seed {params.seed}"
        " --settings {params.settings:q} 2> {log:q}"
