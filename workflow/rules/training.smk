# in: results/models/<model>/waves/. out: results/models/<model>/model/


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
            "contrast",
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
