"""How much CPU time programs that are no part of the bench use while it measures.

Counts the processes, not the machine's idle time: part of what the kernel does for the bench is
done in interrupts, which some systems charge to the process that they interrupt and others to
nobody. In a container, programs outside of it are not seen.
"""
import contextlib
import os
import pathlib
import time

from readings import tree

KERNEL_THREAD = 0x00200000  # PF_KTHREAD: such threads work for the bench too
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def process_ticks(stat):
    """CPU time of a process and of its children that have ended: proc_pid_stat(5). So nothing is
    lost when a process ends: its time is then its parent's."""
    fields = stat.rpartition(")")[2].split()
    if int(fields[6]) & KERNEL_THREAD:
        return 0
    return sum(map(int, fields[11:15]))


def _ticks():
    """CPU time of all processes but the bench's, and the time that a hypervisor gave to others."""
    ours = set(map(str, tree(os.getpid())))
    total = 0
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name not in ours:
            with contextlib.suppress(OSError):  # the process has ended in the meantime
                total += process_ticks((folder / "stat").read_text(errors="replace"))
    with open("/proc/stat", encoding="ascii") as lines:
        return total + int(next(lines).split()[8])


class Others:
    """The time from its making to end()."""

    def __init__(self):
        self._ticks, self._began = _ticks(), time.monotonic()
        self.seconds, self.cpu_share = 0.0, 0.0

    def end(self):
        self.seconds = time.monotonic() - self._began
        used = max(0, _ticks() - self._ticks) / TICKS_PER_SECOND
        self.cpu_share = used / (self.seconds * os.cpu_count())  # of all processors
