"""The services of systemd, FreeBSD and macOS, as far as this machine can tell: what the unit exposes,
whether it allows what the server does, and whether the files are what their readers expect."""
import contextlib
import json
import os
import pathlib
import plistlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from package_scene import BUILD, CHATSERV, PATIENCE, TOP, needs, run, run_anyhow

EXPOSURE_MAX = 1.5
NATS_PATH = os.environ["PATH"] + ":/usr/sbin"  # where Debian has nats-server
UNIT = BUILD / "packaging/systemd/chatserv.service"
PACKAGING = TOP / "packaging"
SOCKET_UNIT = PACKAGING / "systemd/chatserv.socket"


def filled(template):
    text = (PACKAGING / template).read_text(encoding="utf-8")
    return text.replace("@BINDIR@", "/usr/bin").replace("@SYSCONFDIR@", "/etc")


class UnitTest(unittest.TestCase):
    def setUp(self):
        if not UNIT.exists():
            self.skipTest("this system has no systemd")

    @needs("systemd-analyze")
    def test_exposes_little(self):
        said = run_anyhow("systemd-analyze", "security", "--offline=true", "--no-pager",
                          UNIT).stdout
        exposure = re.search(r"Overall exposure level for chatserv.service: ([\d.]+)", said)
        self.assertIsNotNone(exposure, said)
        self.assertLessEqual(float(exposure[1]), EXPOSURE_MAX, said)

    @needs("systemd-analyze")
    def test_is_a_unit(self):
        """With an executable program in each Exec line and without manuals, nothing is left to say. The
        unit of the sockets is verified with it."""
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / UNIT.name
            text = re.sub(r"^(Exec\w+)=\S+", rf"\1={CHATSERV}", UNIT.read_text("utf-8"),
                          flags=re.MULTILINE)
            unit.write_text(text, encoding="utf-8")
            sockets = pathlib.Path(shutil.copy(SOCKET_UNIT, folder))
            verified = run_anyhow("systemd-analyze", "verify", "--man=no", unit, sockets)
        self.assertEqual((verified.stdout, verified.stderr, verified.returncode), ("", "", 0))

    @needs("systemd-socket-activate")
    def test_serves_the_addresses_of_its_sockets(self):
        """Each of them, handed over in place of the default, by systemd's own tool."""
        addresses = re.findall(r"^ListenStream=(.+)$", SOCKET_UNIT.read_text("utf-8"), re.MULTILINE)
        self.assertEqual(addresses, ["127.0.0.1:9999", "[::1]:9999"])
        with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
            folder = pathlib.Path(name)
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            probe.close()
            server = subprocess.Popen(
                ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", CHATSERV, "--control",
                 folder / "control", "--log-file", folder / "log"], stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            with server:
                next(line for line in server.stderr if "Listening on" in line)
                with socket.create_connection(("127.0.0.1", port), PATIENCE):
                    life = Life(folder / "control", folder / "log")
                    life.wait_for(rf"(listening on 127\.0\.0\.1:{port} \(handed over)")
                    life.wait_for(r"(user 0 joined)")
                    server.terminate()
            self.assertEqual(server.returncode, 0)

    @unittest.skipIf(os.environ.get("CHATSERV_SANITIZERS", "none") != "none",
                     "a sanitizer's runtime makes more system calls, and does not stand a tracer")
    @needs("systemd-analyze", "strace")
    def test_allows_every_system_call_of_the_server(self):
        allowed = self.allowed_calls()
        self.assertIn("epoll_ctl", allowed)
        self.assertNotIn("mount", allowed)
        used = self.calls_of_a_life()
        self.assertIn("memfd_create", used)
        self.assertEqual(sorted(used - allowed), [])

    @staticmethod
    def allowed_calls():
        groups = {}
        for line in run("systemd-analyze", "syscall-filter", "--no-pager").splitlines():
            if line.startswith("@"):
                groups[line] = members = []
            elif line.startswith("    ") and not line.strip().startswith("#"):
                members.append(line.strip())

        def expanded(name):
            if not name.startswith("@"):
                return {name}
            return set().union(*map(expanded, groups[name]))

        allowed = set()
        for words in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE):
            calls = set().union(*map(expanded, words.lstrip("~").split()))
            allowed = allowed - calls if words.startswith("~") else allowed | calls
        return allowed

    @staticmethod
    def calls_of_a_life():
        """Of a server that relays, loses a worker, its bridge, its master and its keeper, and is stopped;
        and the processes that it starts. As in the unit, root does not start it. Without a server of NATS it
        has no bridge."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            folder.chmod(0o777)
            metrics = (BUILD / "chatserv-metrics").exists()
            nats = (BUILD / "chatserv-bridge").exists() and shutil.which("nats-server", path=NATS_PATH)
            for program in (("chatserv", "chatserv-worker") + ("chatserv-metrics",) * metrics +
                            ("chatserv-bridge",) * bool(nats)):
                shutil.copy(BUILD / program, folder)
            somebody = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
            with room_for(nats, folder) as joined, subprocess.Popen(
                ["strace", "-f", "-qq", "-e", "signal=none", "-o", folder / "trace",
                 folder / "chatserv", "--listen", "127.0.0.1:0", "--listen", "[::1]:0",
                 "--control", folder / "control", "--log-file", folder / "log",
                 "--idle-timeout", "60", *(["--metrics", "127.0.0.1:0"] * metrics), *joined],
                    stdin=subprocess.DEVNULL, **somebody) as server:
                Life(folder / "control", folder / "log").live(("bridge",) * bool(nats))
                server.wait(timeout=PATIENCE)
            text = (folder / "trace").read_text(encoding="utf-8")
            return set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))


@contextlib.contextmanager
def room_for(nats, folder):
    """A server of NATS, if there is one: the options with which a server joins a room on it."""
    if not nats:
        yield []
        return
    config = folder / "nats.conf"
    config.write_text(f'listen: "127.0.0.1:-1"\nports_file_dir: "{folder}"\n'
                      f'jetstream {{ store_dir: "{folder}/nats", max_file_store: 1GB }}\n', encoding="utf-8")
    with subprocess.Popen([nats, "-c", config], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            ports = folder / f"nats-server_{process.pid}.ports"
            until = time.monotonic() + PATIENCE
            while not ports.exists() or not ports.read_text("utf-8"):
                if process.poll() is not None or time.monotonic() > until:
                    raise AssertionError("nats-server does not listen")
                time.sleep(0.02)
            yield ["--join", json.loads(ports.read_text("utf-8"))["nats"][0], "--room", "test",
                   "--room-retention", "16M"]
        finally:
            process.terminate()


class Life:
    """What a server meets. Each step waits for the line of the log that tells of it."""

    def __init__(self, control, log):
        self.control = control
        self.log = log

    def live(self, more_targets):
        port = int(self.wait_for(r"listening on 127\.0\.0\.1:(\d+)"))
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as first, \
                socket.create_connection(("127.0.0.1", port), PATIENCE) as second:
            self.wait_for(r"(user 1 joined)")
            self.relay(first, second)
            for target in ("worker", *more_targets, "master", "keeper"):
                run(CHATSERV, "chaos", "--control", self.control, "--target", target, "--rate", "50",
                    "--for", "0.1")
                self.relay(first, second)
            os.kill(self.pid(), signal.SIGHUP)
            self.wait_for(r"(SIGHUP)")
            run(CHATSERV, "drain", "1", "--control", self.control)
            self.relay(second, first)
        os.kill(self.pid(), signal.SIGTERM)

    def pid(self):
        return int(re.search(r'"pid":(\d+)', run(CHATSERV, "stats", "--control", self.control))[1])

    def relay(self, sender, receiver):
        sender.sendall(b"hello\n")
        if receiver.recv(100) != b"hello\n":
            raise AssertionError("not relayed")

    def wait_for(self, pattern):
        with subprocess.Popen(["tail", "-F", "-n", "+1", self.log], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as lines:
            try:
                return next(found[1] for found in map(re.compile(pattern).search, lines.stdout)
                            if found)
            finally:
                lines.kill()


class OtherServicesTest(unittest.TestCase):
    def test_the_script_of_freebsd_is_a_script(self):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(filled("freebsd/chatserv.in"))
            file.flush()
            run("sh", "-n", file.name)
            if shutil.which("shellcheck"):
                run("shellcheck", file.name)

    def test_the_script_of_freebsd_starts_and_stops_a_server(self):
        """With an rc.subr that does what FreeBSD's does for a script that brings its own commands."""
        FreeBsdScene(self).check()

    def test_the_property_list_of_macos_is_one(self):
        service = plistlib.loads(filled("macos/chatserv.plist.in").encode())
        self.assertEqual(service["ProgramArguments"],
                         ["/usr/bin/chatserv", "--config", "/etc/chatserv/chatserv.conf"])
        self.assertEqual(service["Label"], "chatserv")


class FreeBsdScene:
    RC_SUBR = """
        load_rc_config() { . "$SCENE/rc.conf"; }
        wait_for_pids() { while kill -0 "$@" 2>/dev/null; do sleep 0.05; done; }
        run_rc_command() { eval "\\$${1}_cmd"; }
    """

    def __init__(self, case):
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        self.case = case
        self.folder = pathlib.Path(folder.name)
        user = run("id", "-un").strip()
        for name, text in {
                "rc.subr": self.RC_SUBR,
                "rc.conf": f"chatserv_user={user}\nchatserv_options='--listen 127.0.0.1:0'\n",
                "chatserv.conf": "users = 3\n",
                "daemon": '#!/bin/sh\nshift 3\nsetsid "$@" </dev/null >/dev/null 2>&1 &\n'}.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / "daemon").chmod(0o755)
        script = (PACKAGING / "freebsd/chatserv.in").read_text(encoding="utf-8")
        for old, new in {"@BINDIR@": str(BUILD), "@SYSCONFDIR@/chatserv": str(self.folder),
                         "/etc/rc.subr": f"{self.folder}/rc.subr",
                         "/usr/sbin/daemon": f"{self.folder}/daemon",
                         "/var/run": f"{self.folder}/run", "/var/log": str(self.folder)}.items():
            script = script.replace(old, new)
        (self.folder / "script").write_text(script, encoding="utf-8")
        (self.folder / "run").mkdir()

    def rc(self, verb):
        return run_anyhow("sh", self.folder / "script", verb,
                          env={**os.environ, "SCENE": str(self.folder)})

    def check(self):
        life = Life(self.folder / "run/chatserv/chatserv.sock", self.folder / "chatserv.log")
        self.case.assertEqual(self.rc("status").returncode, 1)
        self.case.assertIn("users = 3", self.rc("configtest").stdout)
        self.case.assertEqual(self.rc("start").returncode, 0)
        try:
            life.wait_for(r"(listening on 127\.0\.0\.1)")
            self.case.assertIn("is running as pid", self.rc("status").stdout)
            self.case.assertIn("already running", self.rc("start").stdout)
            self.case.assertEqual(self.rc("reload").returncode, 0)
            life.wait_for(r"(chatserv reload: reading the options again)")
        finally:
            self.case.assertEqual(self.rc("stop").returncode, 0)
        self.case.assertEqual(self.rc("status").returncode, 1)


if __name__ == "__main__":
    unittest.main()
