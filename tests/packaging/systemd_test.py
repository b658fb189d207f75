"""Debian's package on a system that is booted by systemd, in a container: the service starts with all
that the unit takes from it, serves, survives its workers and masters, and is not restarted by an upgrade
of the package. Where it is restarted, no connection is refused. Needs root and the network."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from bare_root import make_root, of_version, package_of_this_tree
from package_scene import PATIENCE, needs, run, run_anyhow


class BootedRoot:
    def __init__(self, path):
        self.path = path
        console = path.parent / "console"
        with console.open("w") as output:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", path, "--register=no", "--keep-unit",
                 "--boot"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        with subprocess.Popen(["tail", "-F", "-n", "+1", console], stdout=subprocess.PIPE) as lines:
            # There is no line end after it.
            while b"login:" not in lines.stdout.read1():
                pass
            lines.kill()
        self.first = run("pgrep", "--parent", self.process.pid).strip()

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)

    def command(self, *words):
        return ["nsenter", "--target", self.first, "--all", "env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words]

    def run(self, *words):
        return run(*self.command(*words))

    def run_anyhow(self, *words):
        return run_anyhow(*self.command(*words))


@unittest.skipIf(os.geteuid() != 0, "only root can boot a system")
@needs("debootstrap", "dpkg-buildpackage", "lintian", "nsenter", "systemd-nspawn")
class SystemdTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        folder = pathlib.Path(folder.name)
        self.package = folder / "chatserv.deb"
        shutil.copy(package_of_this_tree(), self.package)
        root = folder / "root"
        make_root(root, "systemd", "systemd-sysv")
        self.install_before_boot(root)
        self.system = BootedRoot(root)
        self.addCleanup(self.system.end)
        # No matter whether another service of the container fails.
        self.system.run_anyhow("systemctl", "is-system-running", "--wait")

    def install_before_boot(self, root):
        shutil.copy(self.package, root / "package.deb")
        run("chroot", root, "dpkg", "--install", "/package.deb")
        (root / "etc/chatserv/chatserv.conf").write_text("listen = 127.0.0.1:0\n", "utf-8")

    def property(self, name):
        return self.system.run(
            "systemctl", "show", f"--property={name}", "--value", "chatserv").strip()

    def wait_for_main_process(self):
        """A master says which process is the keeper when it serves."""
        for _ in range(100 * PATIENCE):
            if self.property("MainPID") == str(json.loads(self.commands("stats"))["pid"]):
                return
        self.fail("systemd does not know the keeper")

    def commands(self, *words):
        return self.system.run("runuser", "-u", "chatserv", "--", "chatserv", *words)

    def test_the_service_of_the_package(self):
        log = self.system.run("journalctl", "--unit=chatserv", "--output=cat", "--no-pager")
        self.assertIn("confined to their clients by seccomp", log)
        port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", log)[1])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as first, \
                socket.create_connection(("127.0.0.1", port), PATIENCE) as second:
            self.say_until_heard(first, second)
            self.assertEqual(self.property("NRestarts"), "0")
            for target in ("worker", "master", "keeper"):
                self.commands("chaos", "--target", target, "--rate", "20", "--for", "1")
            self.wait_for_main_process()
            self.assertEqual(self.property("NRestarts"), "0")
            self.assertIn("2 users, ", self.property("StatusText"))
            main_pid = self.property("MainPID")
            self.system.run("systemctl", "reload", "chatserv")
            shutil.copy(of_version(self.package, "9.0"), self.system.path / "package.deb")
            self.system.run("dpkg", "--install", "/package.deb")
            second.sendall(b"still here\n")
            self.assertEqual(first.recv(100), b"still here\n")
        self.assertEqual(self.property("MainPID"), main_pid)
        self.check_priorities()
        self.check_kept_sockets(port)
        self.check_socket_unit(port)
        self.system.run("dpkg", "--purge", "chatserv")
        self.assertNotIn("chatserv", self.system.run("sh", "-c", "cat /proc/[0-9]*/cmdline"))
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), PATIENCE)

    def check_priorities(self):
        warnings = self.system.run("journalctl", "--unit=chatserv", "--output=cat", "--no-pager",
                                   "--priority=warning")
        self.assertRegex(warnings, r"(?m)^warning (master|keeper): .* died")
        self.assertNotIn("joined from", warnings)

    def check_kept_sockets(self, port):
        """The port was free by chance at the start, and stays the server's now."""
        (self.system.path / "etc/chatserv/chatserv.conf").write_text(
            f"listen = 127.0.0.1:{port}\n", "utf-8")
        self.restart_while_people_come(port)
        self.assertIn(f"listening on 127.0.0.1:{port} (kept by the service manager",
                      self.log_of_this_start())

    def check_socket_unit(self, port):
        self.assertEqual(self.system.run_anyhow(
            "systemctl", "is-enabled", "chatserv.socket").stdout, "disabled\n")
        self.system.run("systemctl", "stop", "chatserv.service")
        drop_in = self.system.path / "etc/systemd/system/chatserv.socket.d/listen.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n", "utf-8")
        self.system.run("systemctl", "daemon-reload")
        self.system.run("systemctl", "start", "chatserv.socket")
        self.assertEqual(self.property("ActiveState"), "inactive")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as first, \
                socket.create_connection(("127.0.0.1", port), PATIENCE) as second:
            self.say_until_heard(first, second)
        self.restart_while_people_come(port)
        self.assertIn(f"listening on 127.0.0.1:{port} (handed over by the service manager",
                      self.log_of_this_start())

    def log_of_this_start(self):
        return self.system.run("journalctl", "--output=cat", "--no-pager",
                               f"_SYSTEMD_INVOCATION_ID={self.property('InvocationID')}")

    def restart_while_people_come(self, port):
        """A connection that is refused raises an exception."""
        came = 0
        with subprocess.Popen(self.system.command("systemctl", "restart", "chatserv.service"),
                              stdin=subprocess.DEVNULL) as restart:
            while restart.poll() is None:
                with socket.create_connection(("127.0.0.1", port), PATIENCE):
                    came += 1
        self.assertEqual(restart.returncode, 0)
        self.assertGreater(came, 0)

    def say_until_heard(self, speaker, listener):
        """A line that comes before the listener has joined is not meant for it."""
        listener.settimeout(0.1)
        for _ in range(10 * PATIENCE):
            speaker.sendall(b"hello\n")
            try:
                self.assertIn(b"hello\n", listener.recv(1000))
                break
            except TimeoutError:
                pass
        listener.settimeout(PATIENCE)


if __name__ == "__main__":
    unittest.main()
