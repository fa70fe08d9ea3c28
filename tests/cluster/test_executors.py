"""The profiles for PBS, LSF and Kubernetes, with stand-ins for the commands of these clusters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
#: Its job needs more memory than it gets at first.
SNAKEFILE = """
rule train_network:
    output: "made"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=30,
        gpu=1,
    shell: "test {resources.mem_mb} -gt 1500 && touch {output}"
"""
#: Notes what it is asked for, runs the script that comes last, and keeps its exit code.
SUBMIT = """#!/usr/bin/env bash
number=$(($(wc -l <"$CALLS") + 1))
echo "${@:1:$#-1}" >>"$CALLS"
("${@: -1}" >/dev/null 2>&1; echo $? >"$CALLS.$number") >/dev/null 2>&1 &
"""
COMMANDS = {
    "pbs": {
        "qsub": SUBMIT + "echo $number.server\n",
        "qstat": """#!/usr/bin/env bash
        [ -f "$CALLS.${2%.server}" ] || { echo "    job_state = R"; exit; }
        printf '    job_state = F\\n    Exit_status = %s\\n' "$(cat "$CALLS.${2%.server}")"
        """,
    },
    "lsf": {
        "bsub": SUBMIT + "echo Job '<'$number'> is submitted to queue <gpu>.'\n",
        "bjobs": """#!/usr/bin/env bash
        [ -f "$CALLS.$4" ] || { echo RUN; exit; }
        if [ "$(cat "$CALLS.$4")" = 0 ]; then echo DONE; else echo EXIT; fi
        """,
    },
    "kubernetes": {
        "kubectl": """#!/usr/bin/env bash
        if [ $1 = get ]; then
            [ -f "$CALLS.$2" ] || { echo /; exit; }
            if [ "$(cat "$CALLS.$2")" = 0 ]; then echo 1/; else echo /1; fi
            exit
        fi
        number=$(($(grep -c ^--- "$CALLS") + 1))
        { echo ---; tee "$CALLS.yaml"; } >>"$CALLS"
        script=$(sed -n 's|.*"/bin/sh", "\\(.*\\)".*|\\1|p' "$CALLS.yaml")
        (sh "$script" >/dev/null 2>&1; echo $? >"$CALLS.$number") >/dev/null 2>&1 &
        echo $number
        """,
    },
}
ASKED = {
    "pbs": "-q gpuq -N train_network -j oe -l select=1:ncpus=2:mem={mem_mb}mb:ngpus=1"
    " -l walltime=30:00",
    "lsf": "-q gpu -J train_network -n 2 -o .snakemake/log/%J.txt -R span[hosts=1]"
    " -R rusage[mem={mem_mb}MB/host] -W 30 -gpu num=1",
}

pytestmark = pytest.mark.slow


def snakemake(folder, profile, *arguments, **environment):
    (folder / "Snakefile").write_text(SNAKEFILE)
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--directory", folder),
            *("--snakefile", folder / "Snakefile"),
            *("--workflow-profile", ROOT / "profiles" / profile, *arguments),
        ],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=300,
    )


def run(folder, profile):
    """Let the job run with the stand-ins; what they were asked for."""
    for name, text in COMMANDS[profile].items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    calls = folder / "calls"
    calls.touch()
    (folder / "profiles").symlink_to(ROOT / "profiles")
    search = f"{folder}:{os.environ['PATH']}"
    faster = ("--seconds-between-status-checks", "1", "--latency-wait", "5")
    result = snakemake(folder, profile, *faster, PATH=search, CALLS=str(calls))
    assert result.returncode == 0, result.stdout + result.stderr
    assert (folder / "made").exists()
    return calls.read_text()


@pytest.mark.parametrize("profile", ["pbs", "lsf"])
def test_a_job_is_submitted_watched_and_tried_again_with_more_memory(tmp_path, profile):
    expected = [ASKED[profile].format(mem_mb=mem_mb) for mem_mb in (1000, 2000)]
    assert [" ".join(line.split()) for line in run(tmp_path, profile).splitlines()] == expected


def test_pods_share_the_volume_and_have_the_memory_and_gpus_that_are_asked_for(tmp_path):
    jobs = list(yaml.safe_load_all(run(tmp_path, "kubernetes")))
    assert len(jobs) == 2
    for job, memory in zip(jobs, ("1000M", "2000M"), strict=True):
        pod = job["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert container["resources"] == {
            "requests": {"cpu": "2", "memory": memory},
            "limits": {"memory": memory, "nvidia.com/gpu": "1"},
        }
        assert container["workingDir"] == str(tmp_path)
        assert container["volumeMounts"] == [{"name": "shared", "mountPath": "/atomsight"}]
        assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "atomsight"}
        assert pod["activeDeadlineSeconds"] == 1800
