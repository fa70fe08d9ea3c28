"""A real Slurm on this one machine, for tests: munge, a controller and two nodes, all on loopback.

It needs root and Debian's packages, which are installed within half a minute::

    apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge

By hand, a cluster that stays up until it is stopped::

    python tests/cluster/slurm_on_this_machine.py start
    snakemake --workflow-profile profiles/slurm ... --slurm-init-seconds-before-status-checks 1
    python tests/cluster/slurm_on_this_machine.py stop

The nodes lie: they claim more cores and memory than there are, and their GPU is ``/dev/null``.
There is no accounting, so ``sacct`` has nothing to tell, and no job is held to its memory.
"""

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

#: Where the programs of Slurm read their configuration; the jobs' own Snakemake ignores SLURM_CONF.
CONFIGURATION = Path("/etc/slurm/slurm.conf")
MARK = "# Made by tests/cluster/slurm_on_this_machine.py: it may be overwritten and deleted.\n"
PROGRAMS = (
    *("munged", "slurmctld", "slurmd"),
    *("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo"),
)
NODES = ("node1", "node2")
START_S = 30

SLURM_CONF = """\
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=10000,bf_interval=1
MinJobAge=600
KillWait=5
PropagatePrioProcess=1
EnforcePartLimits=ALL
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
GresTypes=gpu
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool_%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd_%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd_%n.log
{nodes}
PartitionName=compute Nodes=ALL Default=YES MaxTime=1-00:00:00 State=UP
PartitionName=gpu Nodes=ALL MaxTime=2-00:00:00 State=UP
"""


class NoSlurm(Exception):
    """This machine cannot run a Slurm of the tests; says why."""


def check() -> None:
    """See that a Slurm can be started here; :class:`NoSlurm` tells why not."""
    missing = [program for program in PROGRAMS if not _program(program)]
    if missing:
        raise NoSlurm(
            f"{', '.join(missing)} missing: apt-get install -y --no-install-recommends slurmctld"
            " slurmd slurm-client munge"
        )
    if os.geteuid() != 0:
        raise NoSlurm("a Slurm of one's own is started by root only")
    if CONFIGURATION.exists() and not CONFIGURATION.read_text().startswith(MARK):
        raise NoSlurm(f"{CONFIGURATION} belongs to a Slurm of this machine, which is left alone")
    try:
        pwd.getpwnam("munge")
    except KeyError:
        raise NoSlurm("there is no user munge") from None


def is_running() -> bool:
    """Whether a Slurm that this module started answers."""
    if not CONFIGURATION.exists() or not CONFIGURATION.read_text().startswith(MARK):
        return False
    return subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0


def start(cpus: int = 8, mem_mb: int = 64000, gpus: int = 1) -> None:
    """Start a Slurm with two partitions, ``compute`` and ``gpu``, on two nodes.

    Each node claims to have these cores, this memory and these GPUs. Raises :class:`NoSlurm` if the
    cluster cannot be started, or is not ready within half a minute.
    """
    check()
    if is_running():
        raise NoSlurm("a Slurm of the tests is running already; stop it first")
    folder = Path(tempfile.mkdtemp(prefix="slurm_"))
    folder.chmod(0o755)
    (folder / "state").mkdir()
    CONFIGURATION.parent.mkdir(exist_ok=True)
    ports = _free_ports(1 + len(NODES))
    nodes = "\n".join(
        f"NodeName={name} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={port} "
        f"CPUs={cpus} RealMemory={mem_mb} Gres=gpu:{gpus} State=UNKNOWN"
        for name, port in zip(NODES, ports[1:], strict=True)
    )
    text = SLURM_CONF.format(host=socket.gethostname(), ports=ports, folder=folder, nodes=nodes)
    CONFIGURATION.write_text(MARK + text)
    CONFIGURATION.with_name("cgroup.conf").write_text(MARK)
    CONFIGURATION.with_name("gres.conf").write_text(
        MARK + "".join(f"Name=gpu File={device}\n" for device in ("/dev/null", "/dev/zero")[:gpus])
    )
    try:
        _start_munge(folder)
        subprocess.run([_program("slurmctld")], check=True)
        for node in NODES:
            subprocess.run([_program("slurmd"), "-N", node], check=True)
        _wait_until_idle()
    except (subprocess.CalledProcessError, OSError, NoSlurm) as error:
        logs = "\n".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.log")))
        stop()
        raise NoSlurm(f"Slurm did not start: {error}\n{logs}") from error


def stop() -> None:
    """Cancel what runs, stop the daemons that ``start`` started, and remove their files."""
    if not CONFIGURATION.exists() or not CONFIGURATION.read_text().startswith(MARK):
        return
    folder = _folder()
    if is_running():
        subprocess.run(["scancel", "--user=root", "--full"], capture_output=True, check=False)
        _wait(lambda: not _listed("squeue", "-h"), 10)
    daemons = (*(f"slurmd_{node}.pid" for node in NODES), "slurmctld.pid", "munge/pid")
    for pid_file in daemons:
        _stop_daemon(folder / pid_file)
    for name in ("slurm.conf", "cgroup.conf", "gres.conf"):
        CONFIGURATION.with_name(name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(**claims: int) -> Iterator[None]:
    """Have a Slurm as long as the block lasts; one that is up already is used, and left up.

    The arguments and the exception are those of ``start``.
    """
    if is_running():
        yield
        return
    start(**claims)
    try:
        yield
    finally:
        stop()


def jobs() -> list[dict[str, str]]:
    """All jobs of the last minutes, finished ones too, in the order in which they were submitted.

    ``memory`` is such as ``2000M``, ``gpus`` such as ``gres:gpu:1`` or ``N/A``, ``name`` the id of
    the run; in ``comment`` Snakemake writes the rule and its wildcards.
    """
    fields = {
        "id": "JobID",
        "state": "State",
        "partition": "Partition",
        "cpus": "NumCPUs",
        "memory": "MinMemory",
        "gpus": "tres-per-job",
        "name": "Name",
        "comment": "Comment",
        "node": "NodeList",
    }
    layout = ",".join(f"{field}:.200" for field in fields.values())
    lines = _listed("squeue", "--states=all", "--noheader", "--sort=i", "--Format", layout)
    cells = [[line[at : at + 200].strip() for at in range(0, len(line), 200)] for line in lines]
    return [dict(zip(fields, row, strict=True)) for row in cells]


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, held open together so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _start_munge(folder: Path) -> None:
    """Start a munged of our own, with a key of its own, as its user demands."""
    home = folder / "munge"
    home.mkdir(mode=0o755)
    (home / "key").write_bytes(os.urandom(128))
    (home / "key").chmod(0o400)
    for path in (home, home / "key"):
        shutil.chown(path, "munge", "munge")
    paths = {"key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    options = [f"--{option}={home / name}" for option, name in paths.items()]
    command = [_program("munged"), *options, f"--socket={home}/socket"]
    subprocess.run(command, user="munge", group="munge", extra_groups=[], check=True)


def _wait_until_idle() -> None:
    asked = ("sinfo", "-h", "-N", "-p", "compute", "-o", "%T")
    if not _wait(lambda: _listed(*asked) == ["idle"] * len(NODES), START_S):
        raise NoSlurm(f"the nodes are not ready after {START_S} s")


def _wait(condition, seconds: float) -> bool:
    """Whether a condition comes true within a time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _listed(*command: str) -> list[str]:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.splitlines()


def _folder() -> Path:
    _, _, after = CONFIGURATION.read_text().partition("StateSaveLocation=")
    return Path(after.splitlines()[0]).parent


def _stop_daemon(pid_file: Path) -> None:
    """End the process that wrote a pid file, if it is still there."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return
    if not _wait(lambda: not Path(f"/proc/{pid}").exists(), 10):
        os.kill(pid, signal.SIGKILL)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("do", choices=["start", "stop", "jobs"])
    chosen = arguments.parse_args().do
    try:
        if chosen == "start":
            start()
        elif chosen == "stop":
            stop()
        else:
            for job in jobs():
                print(*job.values(), sep="\t")
    except NoSlurm as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
