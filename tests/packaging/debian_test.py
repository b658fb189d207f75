"""Debian's package in a root that has nothing but Debian's base: it is installed, upgraded while people
talk, removed and purged. There is no systemd in that root. Needs root and the network."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from bare_root import BareRoot, of_version, package_of_this_tree
from package_scene import PATIENCE, needs, run

SERVER = ("chatserv", "--config", "/etc/chatserv/chatserv.conf", "--listen", "127.0.0.1:0",
          "--log-file", "/var/log/chatserv/log")


@unittest.skipIf(os.geteuid() != 0, "only root can make a root")
@needs("debootstrap", "dpkg-buildpackage", "lintian", "unshare", "nsenter")
class DebianPackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.package = cls.folder / "chatserv.deb"
        built = pathlib.Path(package_of_this_tree())
        shutil.copy(built, cls.package)
        cls.bridge = next(built.parent.glob("chatserv-bridge_*.deb"))
        cls.root = BareRoot(cls.folder / "root")
        cls.addClassCleanup(cls.root.end)

    def setUp(self):
        self.install(self.package)
        self.addCleanup(self.root.run, "dpkg", "--purge", "chatserv")

    def install(self, package):
        shutil.copy(package, self.root.file("/package.deb"))
        return self.root.run("dpkg", "--install", "/package.deb")

    def start(self):
        """Starts the server as an administrator without systemd does, and returns its port."""
        for folder in ("/run/chatserv", "/var/log/chatserv"):
            self.root.run("install", "-d", "-o", "chatserv", "-g", "chatserv", folder)
        log = self.root.file("/var/log/chatserv/log")
        log.unlink(missing_ok=True)
        self.root.run("start-stop-daemon", "--start", "--background", "--chuid", "chatserv",
                      "--exec", "/usr/bin/chatserv", "--", *SERVER[1:])
        with subprocess.Popen(["tail", "-F", "-n", "+1", log], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL) as lines:
            port = next(int(found[1]) for found in map(
                re.compile(r"listening on 127\.0\.0\.1:(\d+)").search, lines.stdout) if found)
            lines.kill()
        return port

    def two_people(self, port):
        people = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(2)]
        for person in people:
            self.addCleanup(person.close)
        # A line that comes before the other one has joined is not meant for it.
        people[1].settimeout(0.1)
        while True:
            people[0].sendall(b"hello\n")
            try:
                people[1].recv(1000)
                break
            except TimeoutError:
                pass
        people[1].settimeout(PATIENCE)
        return people

    def talk(self, people):
        people[1].sendall(b"still here\n")
        self.assertEqual(people[0].recv(100), b"still here\n")

    def server_pid(self):
        control = next(self.root.file("/run/chatserv").glob("*.sock")).name
        said = self.root.run("chatserv", "stats", "--control", f"/run/chatserv/{control}")
        return re.search(r'"pid":(\d+)', said)[1]

    def server_program(self):
        return self.root.run("readlink", f"/proc/{self.server_pid()}/exe").strip()

    def test_installs_a_user_a_configuration_and_a_unit(self):
        self.assertRegex(self.root.run("getent", "passwd", "chatserv"),
                         r"^chatserv:x:\d+:\d+:TCP chat relay,*:/nonexistent:/usr/sbin/nologin")
        self.assertIn("/etc/chatserv/chatserv.conf",
                      self.root.run("dpkg-query", "-W", "-f", "${Conffiles}", "chatserv"))
        self.assertTrue(self.root.file("/lib/systemd/system/chatserv.service").exists())
        self.assertIn("users = 10", self.root.run("chatserv", "--check-config", "--config",
                                                  "/etc/chatserv/chatserv.conf"))

    def test_the_bridge_alone_needs_the_library_of_nats(self):
        def depends(package):
            return run("dpkg-deb", "--field", package, "Depends")

        version = run("dpkg-deb", "--field", self.package, "Version").strip()
        self.assertNotIn("libnats", depends(self.package))
        self.assertIn("libnats", depends(self.bridge))
        self.assertIn(f"chatserv (= {version})", depends(self.bridge))
        contents = run("dpkg-deb", "--contents", self.bridge)
        self.assertIn("./usr/libexec/chatserv/chatserv-bridge\n", contents)
        self.assertNotIn("chatserv-bridge", run("dpkg-deb", "--contents", self.package))

    def test_an_upgrade_disconnects_nobody_and_keeps_the_configuration(self):
        configuration = self.root.file("/etc/chatserv/chatserv.conf")
        configuration.write_text("users = 7\n", encoding="utf-8")
        people = self.two_people(self.start())
        self.install(of_version(self.package, "9.0"))
        self.talk(people)
        self.assertEqual(configuration.read_text(encoding="utf-8"), "users = 7\n")

    def test_an_upgrade_upgrades_the_server(self):
        if self.root.run_anyhow("chatserv", "help", "upgrade").returncode != 0:
            self.skipTest("this version has no upgrade of a running server")
        people = self.two_people(self.start())
        self.install(of_version(self.package, "9.1"))
        self.assertEqual(self.server_program(), "/usr/bin/chatserv")  # not "... (deleted)"
        self.talk(people)

    def test_a_removal_stops_the_server_and_a_purge_leaves_nothing(self):
        people = self.two_people(self.start())
        self.root.run("dpkg", "--remove", "chatserv")
        for person in people:
            person.settimeout(PATIENCE)
            while person.recv(1000):
                pass
        self.assertTrue(self.root.file("/etc/chatserv/chatserv.conf").exists())
        self.assertFalse(self.root.file("/usr/bin/chatserv").exists())
        programs = self.root.run_anyhow("sh", "-c", "readlink /proc/[0-9]*/exe").stdout
        self.assertIn("/usr/bin/sleep", programs)
        self.assertNotIn("chatserv", programs)
        self.root.run("dpkg", "--purge", "chatserv")
        for path in ("/etc/chatserv", "/var/log/chatserv", "/lib/systemd/system/chatserv.service"):
            self.assertFalse(self.root.file(path).exists(), path)


if __name__ == "__main__":
    unittest.main()
