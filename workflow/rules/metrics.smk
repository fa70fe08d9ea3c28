# in: models that ship, what was measured of them. out: results/metrics/summary.md,
# summary.html; targets metrics and scores


rule summarise_metrics:
    """Say on one page how far the models that ship can be trusted, beside the paper."""
    input:
        tables=targets.metrics_tables(),
        cards=[f"{models.shipped_folder(name)}/model.json" for name in models.shipping()],
        claims=folders.located("data/paper_claims.tsv"),
        script=folders.code("summarise_metrics.py"),
    output:
        markdown="results/metrics/summary.md",
        html=report(
            "results/metrics/summary.html",
            caption="../report/metrics_summary.rst",
            category="Metrics",
            labels={"model": "all", "figure": "summary"},
        ),
    log:
        "results/logs/summarise_metrics.log",
    benchmark:
        "results/benchmarks/summarise_metrics.tsv"
    localrule: True
    conda:
        "../../envs/learn.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        models=[
            part
            for name in models.shipping()
            for part in ("--model", models.shipped_folder(name), f"results/metrics/{name}")
        ],
    shell:
        "python {input.script[0]:q} {output.markdown:q} {params.models:q} --html {output.html:q}"
        " --claims {input.claims:q} 2>&1 | tee {log:q}"


rule metrics:
    """How good the models that ship are: the page, its tables and pictures."""
    input:
        ["results/metrics/summary.md"] if models.shipping() else [],
        pictures.of_shipping(series),


rule tabulate_scores:
    """Put all tables of the target scores, and the configuration, on one page of the report."""
    input:
        tables=targets.score_tables(),
        script=folders.code("tabulate_scores.py"),
    output:
        report(
            "results/scores.html",
            caption="../report/scores.rst",
            category="Metrics",
            labels={"model": "of this run", "figure": "scores"},
        ),
    log:
        "results/logs/tabulate_scores.log",
    benchmark:
        "results/benchmarks/tabulate_scores.tsv"
    localrule: True
    conda:
        "../../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        settings=options.everything(),
    shell:
        "python {input.script[0]:q} {output:q} {input.tables:q} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"


rule scores:
    """How good the models of the configuration are, and what they make of simulated series."""
    input:
        rules.tabulate_scores.input.tables,
        rules.tabulate_scores.output,
