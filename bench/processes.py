"""Programs that the bench starts. Their output is read with a time limit. They are ended with all
that they started, whatever happens to the bench.

SIGINT, SIGTERM and SIGHUP raise Interrupted, but never between the start of a program and its entry
in Program.running, nor while a program is being ended.
"""
import contextlib
import os
import select
import signal
import subprocess
import time


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asks the bench to end."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


class _Signals:
    held = 0
    pending = None


def interrupt_on_signals():
    def interrupt(number, _):
        if _Signals.held:
            _Signals.pending = number
        else:
            raise Interrupted(number)

    for number in SIGNALS:
        signal.signal(number, interrupt)


def end_by_signal(number):
    """Ends all programs and then the bench, as if it had not caught the signal."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    end_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextlib.contextmanager
def uninterrupted():
    _Signals.held += 1
    try:
        yield
    finally:
        _Signals.held -= 1
        if not _Signals.held and _Signals.pending is not None:
            number, _Signals.pending = _Signals.pending, None
            raise Interrupted(number)


class Program:
    """A program in its own process group, with its standard input and output piped to the bench."""

    running = set()
    patience = 3  # seconds from SIGTERM to SIGKILL

    def __init__(self, command, *, environment=None, gently=True, core=None):
        """`core`: the only one that the program may use, with all processes that it starts."""
        self._gently, self._read = gently, b""
        with uninterrupted():
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if not gently else subprocess.DEVNULL,
                env=environment, start_new_session=True,
                preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}))
            Program.running.add(self)
        self.pid = self._process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def has_ended(self):
        return self._process.poll() is not None

    def say(self, line):
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def line(self, until):
        """The next line of output, empty after the last one. Raises TimeoutError at `until`."""
        out = self._process.stdout.fileno()
        while b"\n" not in self._read:
            if not select.select([out], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError
            got = os.read(out, 65536)
            if not got:
                break
            self._read += got
        line, _, self._read = self._read.partition(b"\n")
        return line.decode(errors="replace")

    def complaint(self):
        """What a program that has ended by itself wrote to standard error."""
        return self._process.stderr.read().decode(errors="replace").strip()

    def cpu_seconds_when_ended(self, until):
        """CPU time of a program that ends by itself. Raises TimeoutError at `until`."""
        while True:
            with uninterrupted():
                pid, status, usage = os.wait4(self.pid, os.WNOHANG)
                if pid:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    return usage.ru_utime + usage.ru_stime
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(0.002)

    def end(self):
        with uninterrupted():
            if self not in Program.running:
                return
            if not self.has_ended() and self._gently:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=self.patience)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # the program, or what it left behind
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            Program.running.discard(self)


def end_all():
    for program in list(Program.running):
        program.end()
