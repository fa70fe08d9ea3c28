"""The profiles, with stand-ins for the commands of the clusters that are not here."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
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
    shell: "python -c 'import numpy' && test {resources.mem_mb} -gt 1500 && touch {output}"
"""
#: Its job has made the first of two files when it is killed, and makes both when given again.
KILLED = '''
rule train_network:
    output: "card", "weights"
    shell: """
        touch card
        test -e again || (touch ready; until test -e stop; do sleep 0.1; done; exit 1)
        touch weights
        """
'''
#: Notes what it is asked for, runs the script that comes last, and keeps its exit code.
SUBMIT = """#!/usr/bin/env bash
number=$(($(wc -l <"$CALLS") + 1))
echo "${@:1:$#-1}" >>"$CALLS"
($CLEAN "${@: -1}" >/dev/null 2>&1; echo $? >"$CALLS.$number") >/dev/null 2>&1 &
"""
#: PBS runs a job as after a login, unless it is asked to keep the environment.
OF_A_LOGIN = """
[[ " $* " = *" -V "* ]] || CLEAN="env -i PATH=/usr/bin:/bin CALLS=$CALLS"
"""
COMMANDS = {
    "pbs": {
        "qsub": SUBMIT.replace("\n", OF_A_LOGIN, 1) + "echo $number.server\n",
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
        words=$(sed -n 's|.*command: \\[\\(.*\\)\\].*|\\1|p' "$CALLS.yaml" | tr -d ',')
        (eval "$words" >/dev/null 2>&1; echo $? >"$CALLS.$number") >/dev/null 2>&1 &
        echo $number
        """,
    },
}
ASKED = {
    "pbs": "-V -q gpuq -N train_network -j oe -l select=1:ncpus=2:mem={mem_mb}mb:ngpus=1"
    " -l walltime=30:00",
    "lsf": "-q gpu -J train_network -n 2 -o .snakemake/log/%J.txt -R span[hosts=1]"
    " -R rusage[mem={mem_mb}MB/host] -W 30 -gpu num=1",
}

pytestmark = pytest.mark.slow


def command(folder, profile, *arguments, snakefile=None):
    return [
        *(sys.executable, "-m", "snakemake", "--directory", folder, *arguments),
        *("--snakefile", snakefile or folder / "Snakefile"),
        *("--workflow-profile", ROOT / "profiles" / profile),
    ]


def snakemake(folder, call, **environment):
    """Run a command that finds the programs of a folder before all others."""
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"} | environment
    return subprocess.run(call, capture_output=True, text=True, env=environment, timeout=300)


def write_programs(folder, programs):
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def run(folder, profile):
    """Let the job run with the stand-ins; what they were asked for."""
    write_programs(folder, COMMANDS[profile])
    calls = folder / "calls"
    calls.touch()
    (folder / "profiles").symlink_to(ROOT / "profiles")
    (folder / "Snakefile").write_text(SNAKEFILE)
    faster = ("--seconds-between-status-checks", "1", "--latency-wait", "5")
    result = snakemake(folder, command(folder, profile, *faster), CALLS=str(calls))
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


@pytest.mark.parametrize("profile", ["default", "local-gpu", "slurm"])
def test_what_a_kill_left_half_done_is_made_again_by_the_same_command(tmp_path, profile):
    """Of two files of a job one is there, and the run that could tell is gone."""
    (tmp_path / "Snakefile").write_text(KILLED)
    call = command(tmp_path, profile, "--executor", "local", "--cores", "1")
    killed = subprocess.Popen(call, start_new_session=True)
    end = time.monotonic() + 120
    while not (tmp_path / "ready").exists():
        assert killed.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    for name in ("stop", "again"):
        (tmp_path / name).touch()
    subprocess.run([*call, "--unlock"], check=True)
    subprocess.run(call, check=True)
    assert (tmp_path / "weights").exists()


def test_the_least_time_of_a_rule_must_fit_its_partition(tmp_path):
    """Also where a job's time grows with its input: Slurm would let it wait for ever."""
    answer = "printf '%s|4|64000|(null)\\n' 'compute|45:00' 'gpu|infinite'"
    write_programs(tmp_path, {"sinfo": f"#!/bin/sh\n{answer}\n", "squeue": "#!/bin/sh\n"})
    tifffile.imwrite(tmp_path / "image.tif", np.ones((64, 64), np.float32))
    sheet = "series\tpath\tmodel\tpixel_size_A\nmine\timage.tif\tgraphene\t0.12\n"
    (tmp_path / "series.tsv").write_text(sheet)
    wanted = ("results/series/mine/maps.h5", "--config", "series=series.tsv")
    call = command(tmp_path, "slurm", *wanted, snakefile=ROOT / "Snakefile")
    result = snakemake(tmp_path, call)
    assert result.returncode == 1
    said = "map_classes asks for 60 minutes and the partition compute gives 45 at most"
    assert said in result.stdout + result.stderr


def test_a_pod_hands_on_the_wish_to_stop(tmp_path):
    """A training writes a checkpoint then; the shell that starts it must not end before."""
    trainer = tmp_path / "trainer.py"
    trainer.write_text(
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    time.sleep(1)\n"
        "    print('checkpoint', flush=True)\n"
        "    sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('training', flush=True)\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "script").write_text(f"{sys.executable} {trainer}\n")
    call = ["/bin/sh", ROOT / "profiles/kubernetes/job.sh", tmp_path / "script"]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as pod:
        assert pod.stdout.readline() == "training\n"
        pod.terminate()
        said, _ = pod.communicate(timeout=30)
    assert said == "checkpoint\n"
    assert pod.returncode != 0


@pytest.mark.parametrize("code", [0, 5])
def test_a_pod_ends_as_its_script(tmp_path, code):
    (tmp_path / "script").write_text(f"exit {code}\n")
    call = ["/bin/sh", ROOT / "profiles/kubernetes/job.sh", tmp_path / "script"]
    assert subprocess.run(call, timeout=30).returncode == code
