# The command that was killed can be typed again, and what was damaged since is made again.
import fcntl
import shutil
import socket
from base64 import urlsafe_b64decode
from pathlib import Path

from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import ExecMode

from resistpath.io.files import SEALS, is_damaged, set_aside

STATE = Path(".snakemake")


def clear_left_overs(locks):
    """Remove the locks of a killed run and the outputs of the jobs it was in."""
    # Snakemake marks the outputs of a running job by files named after them, in base 64.
    marks = (path for path in (STATE / "incomplete").rglob("*") if path.is_file())
    for mark in marks:
        parts = mark.relative_to(STATE / "incomplete").parts
        output = Path(urlsafe_b64decode("".join(p.lstrip("@") for p in parts)).decode())
        if output.is_dir() and not output.is_symlink():
            shutil.rmtree(output)
        else:
            output.unlink(missing_ok=True)
        for part in output.parent.glob(f".{output.name}.*.part*"):
            part.unlink()
        mark.unlink()
    for lock in locks:
        lock.unlink()


def resume_after_kill():
    """Take up what a killed run left, and hold a lock that dies with this process.

    Snakemake cannot tell the locks of a killed run from those of a living one, and asks for
    --unlock and --rerun-incomplete. The kernel can: it drops a file lock with its process. All
    runs in a folder share one; a run that gets it alone has no other beside it on this host.
    The file names the host, because not every file system takes locks from host to host: after
    a kill on another host, and beside a living run, Snakemake's own check speaks.
    """
    try:
        STATE.mkdir(exist_ok=True)
        held = open(STATE / "resistpath.lock", "a+", encoding="utf-8")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.warning("Another run of this workflow is at work in this folder.")
        fcntl.flock(held, fcntl.LOCK_SH)
        return held
    except OSError:
        return None  # a folder that cannot be written or locked: Snakemake decides and says why
    held.seek(0)
    here = socket.gethostname()
    locks = list((STATE / "locks").glob("*.lock"))
    killed_here = held.read() == here
    if locks and killed_here:
        clear_left_overs(locks)
    if killed_here or not locks:
        held.truncate(0)
        held.write(here)
        held.flush()
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def set_aside_damaged():
    """Rename results that changed since a step wrote them; Snakemake then makes them again.

    Only files newer than the record of their digest are read here. Damage that does not show in
    the time of a file is found by the step that would read it.
    """
    for cohort in COHORTS.index:
        for record in Path(RESULTS, cohort).rglob(f"{SEALS}/*"):
            path = record.parent.parent / record.name
            if not path.is_file() or path.stat().st_mtime <= record.stat().st_mtime:
                continue
            if is_damaged(path):
                aside = set_aside(path)
                logger.warning(
                    f"{path} was changed or damaged after resistpath wrote it; it is now"
                    f" {aside.name} and is made again."
                )
            else:
                record.touch()  # so that it is not read again next time


# Jobs of this run, here or on a node of a cluster, read these files too.
if workflow.exec_mode == ExecMode.DEFAULT:
    HELD = resume_after_kill()
    set_aside_damaged()
