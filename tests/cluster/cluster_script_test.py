"""./dev cluster: what one says on one host is heard on the others, and Ctrl-C leaves nothing behind."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CHATSERV_BUILD", TOP / "build"))
SCRIPT = [sys.executable, "-B", TOP / ".ci/cluster.py"]
PATIENCE = 120  # seconds; reached only when something is broken


class ClusterScript(unittest.TestCase):
    def start(self, *options):
        """In a process group of its own, so that nothing of it can outlive the test."""
        cluster = subprocess.Popen([*SCRIPT, *options], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        self.addCleanup(cluster.stdout.close)
        self.addCleanup(cluster.stderr.close)
        self.addCleanup(self.end, cluster)
        return cluster

    def end(self, cluster):
        if cluster.poll() is None:
            cluster.terminate()
            cluster.wait(timeout=PATIENCE)

    def expect_conversation(self, ports):
        people = [socket.create_connection(("127.0.0.1", port), PATIENCE) for port in ports]
        for person in people:
            self.addCleanup(person.close)
        # A line that comes before the others have joined is not meant for them.
        waiting = people[1:]
        for listener in waiting:
            listener.settimeout(0.1)
        for _ in range(PATIENCE * 10):
            people[0].sendall(b"hello\n")
            for listener in list(waiting):
                try:
                    self.assertEqual(listener.recv(6), b"hello\n")
                    waiting.remove(listener)
                except TimeoutError:
                    pass
            if not waiting:
                return
        self.fail("the others do not hear what one says")

    def test_three_hosts_share_a_room_until_control_c(self):
        cluster = self.start(BUILD, "--users", "5")
        pids, ports, folder = [], [], None
        for line in cluster.stdout:
            pids += map(int, re.findall(r"nats://127\.0\.0\.1:\d+ \(pid (\d+)\)", line))
            ports += map(int, re.findall(r"nc 127\.0\.0\.1 (\d+)", line))
            folder = folder or re.search(r"--control (\S+)/host1\.sock", line)
            if "Ctrl-C" in line:
                break
        self.assertEqual((len(pids), len(ports)), (3, 3), "it has not started")
        self.assertTrue(pathlib.Path(folder[1]).is_dir())
        self.expect_conversation(ports)
        cluster.send_signal(signal.SIGINT)
        _, errors = cluster.communicate(timeout=PATIENCE)
        self.assertEqual((cluster.returncode, errors), (0, ""))
        self.assertFalse(pathlib.Path(folder[1]).exists(), "files are left behind")
        for pid in pids:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), "a server of NATS runs on")
        for port in ports:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), PATIENCE)

    def test_a_bench_is_told_the_ports_alone(self):
        cluster = self.start("--ports-only", "--hosts", "2", "--servers", "1", BUILD)
        said = re.fullmatch(r"listening on (\d+),(\d+)\n", cluster.stdout.readline())
        self.assertTrue(said)
        self.expect_conversation([int(port) for port in said.groups()])

    def test_a_host_that_does_not_start_ends_all_and_is_shown(self):
        cluster = self.start("--servers", "1", BUILD, "--users", "none")
        output, errors = cluster.communicate(timeout=PATIENCE)
        self.assertEqual((cluster.returncode, output), (1, ""))
        self.assertRegex(errors, r"\A\./dev cluster: host1 has ended: .*--users.*\n\Z")


if __name__ == "__main__":
    unittest.main()
