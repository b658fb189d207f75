"""A command of a recipe while it runs: what it writes is collected, and it never outlives its test."""
import os
import signal
import subprocess
import threading
import time

PATIENCE = 60  # seconds; reached only when something is broken


def wait_until(condition, what):
    """Waits for a state, never for a time. Returns what the condition returns."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what() if callable(what) else what}")
        time.sleep(0.005)
    return value


class Collected:
    """What comes from a descriptor, to its end, by a thread of its own."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self.bytes = b""
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self):
        # EIO is the end of a terminal.
        try:
            while more := os.read(self._descriptor, 65536):
                self.bytes += more
        except OSError:
            pass
        os.close(self._descriptor)

    @property
    def text(self):
        return self.bytes.decode("utf-8", "replace")

    @property
    def ended(self):
        return not self._thread.is_alive()

    def join(self):
        self._thread.join(PATIENCE)


class Program:
    """`line`: as it is typed in a shell. `terminal`: whether its input and output are a terminal."""

    def __init__(self, line, folder, environment, terminal=False):
        self.line = line
        if terminal:
            self._keys, other = os.openpty()
            streams = {"stdin": other, "stdout": other}
        else:
            streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(["sh", "-c", line], cwd=folder, env=environment,
                                         stderr=subprocess.PIPE, start_new_session=True, **streams)
        if terminal:
            os.close(other)
            self.output = Collected(os.dup(self._keys))
        else:
            self._keys = self._process.stdin.fileno()
            self.output = Collected(os.dup(self._process.stdout.fileno()))
            self._process.stdout.close()
        self._terminal = terminal
        self._ended = False
        self.errors = Collected(os.dup(self._process.stderr.fileno()))
        self._process.stderr.close()

    @property
    def pid(self):
        return self._process.pid

    def type(self, text):
        os.write(self._keys, text.encode())

    def end_input(self):
        self._process.stdin.close()

    def wait_for(self, text, times=1):
        """Waits for the text in the output."""
        wait_until(lambda: self.output.text.count(text) >= times,
                   lambda: f"{text!r} from `{self.line}`, which has written {self.output.text!r} "
                           f"and {self.errors.text!r}")

    def wait_for_exit(self):
        return self._process.wait(PATIENCE)

    def signal(self, number):
        self._process.send_signal(number)

    def end(self):
        """Leaves no process behind: the whole group is killed, whatever it is doing."""
        if self._ended:
            return
        self._ended = True
        streams = (self.output, self.errors)
        # A group can outlive its leader, and its number is not given anew while it exists.
        if self._process.poll() is None or not all(stream.ended for stream in streams):
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait(PATIENCE)
        for stream in streams:
            stream.join()
        if self._terminal:
            os.close(self._keys)
        elif not self._process.stdin.closed:
            self._process.stdin.close()
