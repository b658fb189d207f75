"""The machine and the sources that the bench ran on, for the report."""
import os
import pathlib
import platform
import subprocess


def _cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def machine():
    """Call this before the bench puts a load on the machine."""
    return {"cpu": _cpu_model(), "cores": len(os.sched_getaffinity(0)),
            "memory_bytes": _memory_bytes(), "kernel": platform.release(),
            "load_average": os.getloadavg()}


def commit(top):
    """The commit of the sources, with `-dirty` if they were changed; empty outside git."""
    said = subprocess.run(["git", "-C", top, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return said.stdout.strip()
