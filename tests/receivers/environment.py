"""The virtual environment that the receivers run in: made once, shared by every process that wants it."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent / "target" / "receivers"
VENV = ROOT / "venv"
PYTHON = VENV / "bin" / "python"

# The exit code that says "this machine cannot run the receivers", told apart from a failure of a receiver.
UNAVAILABLE = 3


def unavailable(why):
    """Leaves with one line that says what is missing."""
    print(f"receivers: {why}", file=sys.stderr)
    sys.exit(UNAVAILABLE)


@contextlib.contextmanager
def locked(name):
    """Holds a file lock, so that of two processes that start at once one works and the other waits."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with open(ROOT / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure():
    """Installs the environment unless it is there, and gives the path of its interpreter."""
    wanted = f"{sys.version_info[:2]}\n" + (HERE / "requirements.txt").read_text()
    marker = VENV / "installed"
    with locked("venv"):
        if not marker.exists() or marker.read_text() != wanted:
            install()
            marker.write_text(wanted)
    return PYTHON


def install():
    if sys.version_info < (3, 10):
        unavailable(f"python 3.10 or newer is needed, this is {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    step("cannot make a virtual environment", [sys.executable, "-m", "venv", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    patience = ["--retries", "2", "--timeout", "15"]
    step("cannot install the receivers", pip + patience + ["-r", str(HERE / "requirements.txt")])


def step(failure, command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or ["no output"]
        shutil.rmtree(VENV, ignore_errors=True)
        unavailable(f"{failure}: {lines[-1].strip()}")


def enter(script):
    """Runs `script` again inside the environment, unless that is where we are."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        python = ensure()
        os.execv(python, [str(python), str(script), *sys.argv[1:]])
