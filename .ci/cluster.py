"""cluster.py [OPTION...] BUILD [OPTION OF CHATSERV...] : a room on several hosts, all of them on this machine.

Starts servers of NATS, which keep the room's order, and servers of chatserv, which share the room, on free
ports of 127.0.0.1. Prints where they are, and ends them all on SIGINT, SIGTERM or SIGHUP, or when one of
them ends by itself. Their files lie in a folder of their own, which is removed then.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 60  # seconds until everything has started
ROOM = "hall"
os.environ["PATH"] += ":/usr/sbin"  # where Debian has nats-server, and some users do not look


class Ended(Exception):
    """The cluster is to end; `str()` says why, if it is a failure."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.nats, self.hosts = [], []  # processes
        self.urls, self.ports = [], []
        self.until = time.monotonic() + PATIENCE
        self.told_to_end = False

    def start(self):
        self.start_nats()
        for number in range(1, self.options.hosts + 1):
            self.start_host(number)
        for number in range(1, self.options.hosts + 1):
            self.wait(f"host {number} to know the others", lambda: self.knows_the_others(number))

    def run(self, command, name):
        """What it says goes into a file of that name. Ctrl-C is for this process alone; a program that
        starts it can end all of them as its group."""
        with open(self.folder / name, "wb") as said:
            return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                    stdout=said, stderr=said,
                                    start_new_session=not self.options.ports_only)

    def wait(self, what, condition):
        while not condition():
            self.check()
            if time.monotonic() > self.until:
                raise Ended(f"waited in vain for {what}")
            time.sleep(0.02)

    def check(self):
        """Raises Ended if a server has ended, or this process was told to."""
        if self.told_to_end:
            raise Ended
        for kind, processes in (("nats", self.nats), ("host", self.hosts)):
            for number, process in enumerate(processes, 1):
                if process.poll() is not None:
                    lines = self.said(f"{kind}{number}").splitlines()[-3:]
                    raise Ended(f"{kind}{number} has ended: " + " / ".join(lines))

    def said(self, name):
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")

    def start_nats(self):
        """Each needs to know the others' ports before they run."""
        count = self.options.servers
        between = [free_port() for _ in range(count)]
        for number in range(1, count + 1):
            store = self.folder / f"store{number}"
            config = self.folder / f"nats{number}.conf"
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for index, port in enumerate(between)
                               if index != number - 1)
            cluster = f'cluster {{ name: {ROOM}, listen: "127.0.0.1:{between[number - 1]}", ' \
                      f"routes: [{routes}] }}\n" if count > 1 else ""
            config.write_text(f'server_name: nats{number}\nlisten: "127.0.0.1:-1"\n'
                              f'ports_file_dir: "{self.folder}"\n'
                              f'jetstream {{ store_dir: "{store}", max_file_store: 4GB }}\n'
                              f"{cluster}", encoding="utf-8")
            self.nats.append(self.run(["nats-server", "-c", config], f"nats{number}"))
        for number, process in enumerate(self.nats, 1):
            file = self.folder / f"nats-server_{process.pid}.ports"
            self.wait(f"nats{number} to listen", lambda: file.exists() and file.stat().st_size > 0)
            self.urls.append(json.loads(file.read_text(encoding="utf-8"))["nats"][0])

    def start_host(self, number):
        self.hosts.append(self.run(
            [self.options.build / "chatserv", "--listen", "127.0.0.1:0", "--control",
             self.control(number), *(word for url in self.urls for word in ("--join", url)), "--room", ROOM,
             "--room-replicas", min(self.options.servers, 3), "--room-retention", "1G",
             *self.options.more], f"host{number}"))
        listening = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
        self.wait(f"host{number} to listen", lambda: listening.search(self.said(f"host{number}")))
        self.ports.append(int(listening.search(self.said(f"host{number}"))[1]))

    def control(self, number):
        return self.folder / f"host{number}.sock"

    def knows_the_others(self, number):
        said = subprocess.run([self.options.build / "chatserv", "status", "--json", "--control",
                               self.control(number)], capture_output=True, text=True, check=False)
        if said.returncode != 0:
            return False
        room = json.loads(said.stdout)["room"]
        return room["link"] == "delivering" and room["others"] == self.options.hosts - 1

    def end(self):
        """The hosts first: what was said shall reach the others."""
        for processes in (self.hosts, self.nats):
            for process in processes:
                process.terminate()
            for process in processes:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    self.kill(process)

    def kill(self, process):
        if self.options.ports_only:
            process.kill()  # what is left of it ends with this process's group
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def follow(path, prefix):
    """Prints what a host's log says, as it comes."""
    with open(path, encoding="utf-8", errors="replace") as lines:
        while True:
            line = lines.readline()
            if line:
                print(f"{prefix}{line}", end="", flush=True)
            else:
                time.sleep(0.1)


def show(cluster):
    build = cluster.options.build
    print(f"{len(cluster.nats)} servers of NATS keep the order of the room {ROOM!r}:")
    for url, process in zip(cluster.urls, cluster.nats):
        print(f"    {url} (pid {process.pid})")
    print(f"{len(cluster.hosts)} servers of chatserv share the room. Talk to them from other terminals:")
    for number, port in enumerate(cluster.ports, 1):
        print(f"    nc 127.0.0.1 {port:<12} # host {number}")
    print("How a room is doing, and what happens when its processes are killed:")
    print(f"    {build}/chatserv status --control {cluster.control(1)}")
    print(f"    {build}/chatserv chaos --control {cluster.control(1)} --target bridge")
    print("Ctrl-C ends them all and removes their files. The logs of the hosts follow.", flush=True)
    for number in range(1, len(cluster.hosts) + 1):
        threading.Thread(target=follow, args=(cluster.folder / f"host{number}", f"host {number}: "),
                         daemon=True).start()


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev cluster", description=__doc__.split("\n\n")[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=3, help="servers of chatserv [3]")
    parser.add_argument("--servers", type=int, default=3, choices=(1, 3, 5),
                        help="servers of NATS, and at most three of them keep each line [3]")
    parser.add_argument("--ports-only", action="store_true",
                        help="print the hosts' ports alone, when all have joined")
    parser.add_argument("build", type=pathlib.Path, help="the folder with the programs")
    parser.add_argument("more", nargs=argparse.REMAINDER, help="options of each chatserv")
    return parser.parse_args()


def main():
    options = parse_options()
    if shutil.which("nats-server") is None:
        sys.exit("./dev cluster: there is no nats-server")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="chatserv-cluster-"))
    cluster = Cluster(options, folder)

    def end(*_):
        cluster.told_to_end = True

    why = ""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        cluster.start()
        if options.ports_only:
            print("listening on", ",".join(map(str, cluster.ports)), flush=True)
        else:
            show(cluster)
        while True:
            time.sleep(0.2)
            cluster.check()
    except Ended as ended:
        why = str(ended)
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)
    if why:
        sys.exit(f"./dev cluster: {why}")


if __name__ == "__main__":
    main()
