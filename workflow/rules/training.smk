# in: the configuration of a model. out: structures/, waves/, training/, model/ in results/models/<model>/


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


rule train_network:
    """Train a network; checkpoints stay in training/, so that a stopped training goes on."""
    input:
        waves=lambda wildcards: models.shards(wildcards.model, "waves"),
        start=lambda wildcards: models.start_files(wildcards.model),
        script=ancient(folders.script("train_network.py")),
    output:
        card="results/models/{model}/model/model.json",
        weights="results/models/{model}/model/network.weights.h5",
        history="results/models/{model}/model/history.csv",
    log:
        "results/logs/train_network/{model}.log",
    benchmark:
        "results/benchmarks/train_network/{model}.tsv"
    conda:
        "../../envs/learn.yaml"
    threads: 8
    resources:
        mem_mb=memory(8000),
        runtime=720,
        network=1,
        gpu=1,
        # Not in params: the model does not depend on it.
        checkpoint_steps=config["checkpoint_steps"],
    params:
        folder=subpath(output.card, parent=True),
        work="results/models/{model}/training",
        seed=config["seed"],
        start=lambda wildcards: models.start_option(wildcards.model),
        settings=lambda wildcards: options.model(
            wildcards.model,
            "material",
            "class_names",
            "microscope",
            "network",
            "training",
            "segmentation",
            "read_pixel_size_A",
        ),
    shell:
        "python {input.script:q} {params.folder:q} {input.waves:q} --work {params.work:q}"
        " --name {wildcards.model} --seed {params.seed} --settings {params.settings:q}"
        " --checkpoint-steps {resources.checkpoint_steps} {params.start}"
        " 2>&1 | tee {log:q}"
