"""The Slurm profile on a real Slurm: two nodes on this machine, started for these tests.

The cohort is small, the cluster smaller, so rules ask for less than they do by default. Each fault
is made with Slurm's own commands, and ends in the bytes of a run without a cluster.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import runpy
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import yaml

on_request = pytest.mark.skipif(
    not os.environ.get("RESISTPATH_FAULTS"),
    reason="takes minutes: set RESISTPATH_FAULTS=1",
)

SMALL = {"mem_mb": "min(800 * attempt, 1900)", "runtime": "5 * attempt"}
RULES = (
    "prepare",
    "score",
    "deconvolve",
    "reference",
    "assess",
    "compare",
    "report",
    "differential",
)
PREPARED = "results/few/quality.tsv"


@pytest.fixture(scope="module")
def faults(repository):
    return SimpleNamespace(**runpy.run_path(str(repository / "benchmarks" / "faults.py")))


@pytest.fixture(scope="module")
def local(faults, tmp_path_factory):
    """Digests of the results of the same cohort, made on one core without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    faults.make_cohort(folder)
    assert faults.start(folder, cores=1).wait(600) == 0, (folder / "said.txt").read_text()
    return faults.digests(folder / "results")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A running cluster; its commands are in PATH and find it by SLURM_CONF."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "slurm"
    if not (shared / "slurm-start.sh").is_file():
        pytest.skip("the scripts that start a Slurm are not here")
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("snakemake-executor-plugin-slurm is not installed (extra `slurm`)")
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [
        c for c in ("munged", "slurmctld", "slurmd", "srun") if not shutil.which(c, path=path)
    ]
    if missing:
        pytest.skip(f"Slurm is not installed: no {', '.join(missing)}")
    # Sockets have short paths; several workers of pytest have a cluster each.
    state = Path(f"/tmp/resistpath-slurm-{os.getpid()}")  # noqa: S108
    port = 17000 + os.getpid() % 1000 * 20
    ports = {"SLURM_CI_CTLD_PORT": str(port), "SLURM_CI_NODE_PORT0": str(port + 3)}
    words = [shared / "slurm-start.sh", state]
    started = subprocess.run(  # noqa: S603
        words, env=os.environ | ports, capture_output=True, text=True, timeout=120, check=False
    )
    if started.returncode:
        pytest.skip(f"Slurm cannot be started here: {started.stderr.strip()[-300:]}")
    environment = {
        "SLURM_CONF": str(state / "slurm.conf"),
        "PATH": f"{state / 'bin'}:{path}",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    yield state
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    subprocess.run([shared / "slurm-stop.sh", state, "--purge"], check=True, timeout=120)  # noqa: S603


@pytest.fixture
def run(faults, slurm, repository, tmp_path):
    """Start the workflow by the shipped profile, cut to this cluster; `changes` go on top."""
    faults.make_cohort(tmp_path)
    profile = yaml.safe_load((repository / "workflow/profiles/slurm/config.yaml").read_text())
    profile |= {
        "latency-wait": 10,
        "slurm-no-account": True,
        "slurm-status-command": "squeue",
        "slurm-init-seconds-before-status-checks": 3,
        "slurm-delete-logfiles-older-than": 0,
    }

    def start(*targets, retries=2, **prepare):
        wanted = {rule: dict(SMALL) for rule in RULES}
        wanted["prepare"] |= prepare
        (tmp_path / "slurm").mkdir(exist_ok=True)
        text = yaml.safe_dump(profile | {"set-resources": wanted, "retries": retries})
        (tmp_path / "slurm" / "config.yaml").write_text(text)
        return faults.start(tmp_path, "--workflow-profile", str(tmp_path / "slurm"), *targets)

    yield SimpleNamespace(
        start=start, folder=tmp_path, said=lambda: (tmp_path / "said.txt").read_text()
    )
    slurm_says("scancel", "--user", str(os.getuid()))
    for node in ("n1", "n2"):
        if not psutil.pid_exists(int((slurm / "run" / f"slurmd.{node}.pid").read_text())):
            subprocess.run(["slurmd", "-N", node, "-f", slurm / "slurm.conf"], check=True)  # noqa: S603, S607
            slurm_says("scontrol", "update", f"nodename={node}", "state=resume")


def slurm_says(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603


def wait_for(what, seconds=180):
    """Wait until `what()` is true and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.3)
    raise AssertionError(f"waited {seconds} s in vain")


def running_job():
    return next(iter(slurm_says("squeue", "-h", "-t", "RUNNING", "-o", "%i")), None)


def step_process(folder):
    """The interpreter that prepares the cohort in `folder`."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.cmdline()[1:4] == ["-m", "resistpath", "prepare"] and (
                process.cwd() == str(folder)
            ):
                return process
    return None


def lose_power(slurm, node, folder, workflow):
    """Kill the daemon of a node and everything that runs there for the cohort in `folder`."""
    doomed = {psutil.Process(int((slurm / "run" / f"slurmd.{node}.pid").read_text()))}
    spared = {workflow.pid, *(p.pid for p in psutil.Process(workflow.pid).children(recursive=True))}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.pid not in spared and process.cwd() == str(folder):
                doomed.add(process)
                doomed |= {p for p in process.parents() if p.name() == "slurmstepd"}
    for process in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def states(slurm):
    """How Slurm ended its jobs, in order."""
    lines = (slurm / "log" / "jobcomp.txt").read_text().splitlines()
    return [dict(w.split("=", 1) for w in line.split() if "=" in w)["JobState"] for line in lines]


def same_as_local(faults, folder, local):
    found = faults.digests(folder / "results")
    assert found
    assert {name: local[name] for name in found} == found
    return found


def test_the_whole_workflow_gives_the_bytes_of_a_local_run(run, faults, slurm, local):
    assert run.start().wait(600) == 0, run.said()
    assert same_as_local(faults, run.folder, local).keys() == local.keys()
    # prepare, one group, report
    assert states(slurm)[-3:] == ["COMPLETED"] * 3


@on_request
def test_a_failing_job_fails_the_run_and_says_why(run, slurm):
    (run.folder / "x.tsv").write_text("gene\ta\tb\nTP53\toops\t1\nPTEN\t1\t2\n")
    before = len(states(slurm))
    assert run.start(PREPARED, retries=1).wait(600) == 1
    assert "values that are not numbers, first 'oops' for gene 'TP53'" in run.said()
    assert states(slurm)[before:] == ["FAILED"] * 2
    assert not (run.folder / "results" / "few" / "prepared.h5ad").exists()


@on_request
def test_a_job_out_of_memory_is_sent_again_with_more(run, faults, slurm, local):
    before = len(states(slurm))
    assert run.start(PREPARED, mem_mb="300 if attempt == 1 else 1500").wait(600) == 0, run.said()
    ends = states(slurm)[before:]
    assert ends[0] != "COMPLETED"
    assert ends[-1] == "COMPLETED"
    same_as_local(faults, run.folder, local)


@on_request
def test_a_job_out_of_time_is_sent_again_with_more(run, faults, slurm, local):
    before = len(states(slurm))
    workflow = run.start(PREPARED, runtime="1 if attempt == 1 else 5")
    wait_for(lambda: step_process(run.folder)).suspend()
    assert workflow.wait(600) == 0, run.said()
    assert states(slurm)[before:] == ["TIMEOUT", "COMPLETED"]
    same_as_local(faults, run.folder, local)


@on_request
def test_a_node_that_goes_down_loses_nothing(run, faults, slurm, local):
    workflow = run.start(PREPARED)
    wait_for(lambda: step_process(run.folder))
    job, node = slurm_says("squeue", "-h", "-t", "RUNNING", "-o", "%i %N")
    before = len(states(slurm))
    lose_power(slurm, node, run.folder, workflow)
    # Slurm finds that out after SlurmdTimeout, and queues the job again two minutes later.
    slurm_says("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    wait_for(lambda: states(slurm)[before:])
    slurm_says("scontrol", "update", f"jobid={job}", "starttime=now")
    assert workflow.wait(600) == 0, run.said()
    assert states(slurm)[before:] == ["NODE_FAIL", "COMPLETED"]
    same_as_local(faults, run.folder, local)


@on_request
def test_scancel_in_the_middle_is_made_up_for(run, faults, slurm, local):
    before = len(states(slurm))
    workflow = run.start(PREPARED)
    wait_for(lambda: step_process(run.folder))
    slurm_says("scancel", wait_for(running_job))
    assert workflow.wait(600) == 0, run.said()
    assert states(slurm)[before:] == ["CANCELLED", "COMPLETED"]
    same_as_local(faults, run.folder, local)


@on_request
def test_the_controller_restarts_in_the_middle(run, faults, slurm, local):
    workflow = run.start(PREPARED)
    wait_for(lambda: step_process(run.folder))
    controller = psutil.Process(int((slurm / "run" / "slurmctld.pid").read_text()))
    controller.terminate()
    controller.wait(30)
    time.sleep(5)
    subprocess.run(["slurmctld", "-f", slurm / "slurm.conf"], check=True)  # noqa: S603, S607
    assert workflow.wait(600) == 0, run.said()
    same_as_local(faults, run.folder, local)


@on_request
def test_a_killed_workflow_goes_on_by_the_same_command(run, faults, local):
    workflow = run.start(PREPARED)
    wait_for(lambda: step_process(run.folder))
    workflow.send_signal(signal.SIGKILL)
    workflow.wait()
    assert run.start(PREPARED).wait(600) == 0, run.said()
    same_as_local(faults, run.folder, local)
