# in: atoms and strain of simulated acquisitions; trained models. out: scores.csv, evaluation.csv


rule score_series:
    """Compare the atoms and the strain of a simulated acquisition with the truth."""
    input:
        atoms="results/series/{series}/atoms.h5",
        strain="results/series/{series}/strain.h5",
        truth=lambda wildcards: f"results/acquisitions/{acquisition_of(wildcards.series)}_truth.h5",
        script=code("score_series.py"),
    output:
        "results/series/{series}/scores.csv",
    log:
        "results/logs/score_series/{series}.log",
    benchmark:
        "results/benchmarks/score_series/{series}.tsv"
    wildcard_constraints:
        series=one_of(simulated_series()),
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=json.dumps({"relative": config["strain"]["reference"] == "relative"}),
    shell:
        "python {input.script[0]:q} {input.atoms:q} {input.truth:q} {output:q}"
        " --strain {input.strain:q} --settings {params.settings:q} 2>&1 | tee {log:q}"


rule make_specimen:
    """Make a simulated specimen to evaluate models on, of a sort that no training sees."""
    input:
        script=ancient(code("make_specimen.py")),
    output:
        "results/evaluation/specimen.h5",
    log:
        "results/logs/make_specimen.log",
    benchmark:
        "results/benchmarks/make_specimen.tsv"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        settings=json.dumps(config["evaluation"]["specimen"]),
    shell:
        "python {input.script[0]:q} {output:q} --settings {params.settings:q} 2> {log:q}"


rule evaluate_model:
    """Precision, recall and position error of a model against the electron dose."""
    input:
        model=lambda wildcards: [
            f"{model_folder(wildcards.model)}/{name}" for name in (models.CARD, models.WEIGHTS)
        ],
        specimen="results/evaluation/specimen.h5",
        script=code("evaluate_model.py"),
    output:
        "results/models/{model}/evaluation.csv",
    log:
        "results/logs/evaluate_model/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_model/{model}.tsv"
    conda:
        "../../envs/learn.yaml"
    threads: 8
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        folder=lambda wildcards: model_folder(wildcards.model),
        inference=json.dumps(config["inference"]),
        settings=json.dumps(
            {key: config["evaluation"][key] for key in ("acquisition", "doses_e_per_A2")}
        ),
    shell:
        "python {input.script[0]:q} {params.folder:q} {input.specimen:q} {output:q}"
        " --inference {params.inference:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule metrics:
    """All tables of how good the models are."""
    input:
        expand("results/models/{model}/evaluation.csv", model=config["models"]),
        expand("results/series/{series}/scores.csv", series=simulated_series()),
