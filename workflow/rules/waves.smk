# in: results/models/<model>/structures/<shard>.h5. out: results/models/<model>/waves/<shard>.h5


rule simulate_waves:
    """Simulate the exit waves of a shard of structures by multislice."""
    input:
        structures="results/models/{model}/structures/{shard}.h5",
        script=ancient(folders.script("simulate_waves.py")),
    output:
        "results/models/{model}/waves/{shard}.h5",
    log:
        "results/logs/simulate_waves/{model}_{shard}.log",
    benchmark:
        "results/benchmarks/simulate_waves/{model}_{shard}.tsv"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        energy=lambda wildcards: models.sections[wildcards.model]["microscope"]["energy_eV"],
        settings=lambda wildcards: options.model(wildcards.model, "waves"),
    shell:
        "python {input.script:q} {input.structures:q} {output:q} --energy {params.energy}"
        " --settings {params.settings:q} 2> {log:q}"
