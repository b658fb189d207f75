"""What stands for the machines and devices of a recipe."""
import os
import socket

from program import PATIENCE


class SerialDevice:
    """A pseudo terminal, with a path while it is plugged in."""

    def __init__(self, path):
        self.path = path
        self.plug()

    def plug(self):
        self._device, line = os.openpty()
        self.path.symlink_to(os.ttyname(line))
        self._line = line  # so that there is a line before a server has opened it

    def unplug(self):
        self.path.unlink()
        os.close(self._line)
        os.close(self._device)

    def say(self, text):
        os.write(self._device, text.encode())

    def hear(self, text):
        heard = b""
        while len(heard) < len(text):
            heard += os.read(self._device, len(text) - len(heard))
        if heard.decode() != text:
            raise AssertionError(f"the line heard {heard!r}, not {text!r}")


class Receiver:
    """A server of the test that a `source = tcp:...` connects to."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.address = "127.0.0.1:{}".format(self._listener.getsockname()[1])
        self.connection = None

    def accept(self):
        if self.connection:
            self.connection.close()
        self.connection = self._listener.accept()[0]

    def say(self, text):
        self.connection.sendall(text.encode())

    def hang_up(self):
        self.connection.close()

    def end(self):
        self._listener.close()
        if self.connection:
            self.connection.close()
