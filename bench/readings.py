"""What the kernel reports about a server: whether it listens, and the CPU time, memory and number
of descriptors of a process with all its descendants."""
import contextlib
import pathlib


def tree(pid):
    """A process and all its descendants."""
    pids = [pid]
    for parent in pids:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # the process has ended in the meantime
                pids += [int(child) for child in task.read_text().split()]
    return pids


def cpu_seconds(pid):
    """CPU time of the processes that are alive, to the nanosecond."""
    total = 0
    for process in tree(pid):
        for task in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(task.read_text().split()[0])
    return total / 1e9


def _bytes(pid, file, name):
    total = 0
    for process in tree(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{process}/{file}").read_text().splitlines():
                if line.startswith(name + ":"):
                    total += int(line.split()[1]) * 1024
    return total


def pss_bytes(pid):
    """Proportional set size: memory that several processes share is counted once."""
    return _bytes(pid, "smaps_rollup", "Pss")


def private_bytes(pid):
    """The part without mapped files: a file's part shrinks when another process maps the file."""
    return _bytes(pid, "smaps_rollup", "Pss_Anon")


def shared_bytes(pid):
    """The part that is shared memory."""
    return _bytes(pid, "smaps_rollup", "Pss_Shmem")


def peak_rss_bytes(pid):
    """The sum of each process's peak; memory that several processes share is counted for each."""
    return _bytes(pid, "status", "VmHWM")


def descriptors(pid):
    total = 0
    for process in tree(pid):
        with contextlib.suppress(OSError):
            total += sum(1 for _ in pathlib.Path(f"/proc/{process}/fd").iterdir())
    return total


def listens(port):
    """Reads the kernel's tables, because a trial connection would count as a client."""
    listening = "0A"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as sockets:
            next(sockets)
            for line in sockets:  # listening sockets come first
                _, local, _, state, *_ = line.split()
                if state != listening:
                    break
                if int(local.rsplit(":", 1)[1], 16) == port:
                    return True
    return False
