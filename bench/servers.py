"""The servers that are compared, and how each is started with its most favourable settings."""
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import typing

# The role of a server. OURS: chatserv as it is started without options, the row that is judged.
# VARIANT: chatserv with a fixed number of workers. ROOM: a room of chatserv on several hosts, which is not
# judged.
OURS, VARIANT, PEER, YARDSTICK, FLOOR = "chatserv", "variant", "peer", "yardstick", "floor"
ROOM = "room"
SPARE_CONNECTIONS = 8
WORKERS = (1, 2, 4)
LINE_WORKERS = (1, 2)  # with --framing line, if that is asked for
ROOM_HOSTS = (1, 2, 3)
CLUSTER = pathlib.Path(__file__).resolve().parent.parent / ".ci/cluster.py"
ADAPT_SECONDS = 5  # chatserv looks at its load, wants to be sure, and tries another worker
WARM_UP_SECONDS = 1  # for what is compared with it: connections and memory that were used before

DEFAULT_NAME = "chatserv"
FLOOR_NAME = "floor"
LINE_FLOOR_NAME = "floor, single lines"
BARE_RELAY_NAME = "bare relay, 64 KiB"
NCAT_NAME = "ncat --broker"
REDIS_NAME = "redis"
NATS_NAME = "nats"


def variant_name(workers, lines=False):
    return (f"{DEFAULT_NAME}, {workers} worker{'s' if workers > 1 else ''}"
            f"{', whole lines' if lines else ''}")


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    role: str
    protocol: str  # for chatserv-load --protocol
    command: typing.Callable  # takes a scene, a port and the seconds of a run
    program: str  # a path, or a name on PATH
    version: typing.Callable = lambda: ""
    prints_port: bool = False  # chooses a free port itself, and prints it
    # Limits a run without a rate of a slow server. Without the limit its runs would take far longer
    # than others: the buffers of a socket alone hold some 40,000 lines for each listener. 0: none.
    deliveries_max: int = 0
    connect_pause_us: int = 0  # between two connections, for a server with a short listen queue
    # The same load is put on it for so long before a run.
    warm_up_seconds: float = 0
    start_seconds: float = 0.1  # to start and end it and the load

    def missing(self):
        return shutil.which(self.program) is None


def _version_of(*command):
    def version():
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"\d+(\.\d+)+\w*", said.stdout + said.stderr)
        return found.group() if found else ""
    return version


def _boost_version():
    header = pathlib.Path("/usr/include/boost/version.hpp")
    found = header.exists() and re.search(r'BOOST_LIB_VERSION "([\d_]+)"', header.read_text())
    return found.group(1).replace("_", ".") if found else ""


def _stall_limit(scene):
    return ["--stall-limit", 1] if scene.stalled else []


def connections(scene):
    return scene.listeners + scene.senders + scene.stalled + SPARE_CONNECTIONS


def _floors(build):
    program = str(build / "bench/chatserv-floor")

    def command(write_bytes):
        return lambda scene, port, seconds: (
            [program, scene.listeners, scene.line, write_bytes(scene), seconds] +
            ([scene.lines] if scene.lines else []))

    return [Server(FLOOR_NAME, FLOOR, "floor", command(lambda scene: 65536), program,
                   prints_port=True),
            Server(LINE_FLOOR_NAME, FLOOR, "floor", command(lambda scene: scene.line), program,
                   prints_port=True)]


def _chatserv(build, workers=None, lines=False):
    """Without `workers`, chatserv chooses for itself how many it needs, and takes a few seconds for
    that. With `workers`, all of them serve an equal part of the clients from the beginning.
    `lines`: it relays whole lines."""
    program = str(build / "chatserv")

    def command(scene, port, _):
        return [program, "--listen", f"127.0.0.1:{port}", "--users", connections(scene),
                "--control", "none", "--log-level", "off",
                *(["--workers", workers, "--placement", "even"] if workers else []),
                *(["--framing", "line"] if lines else []),
                *_stall_limit(scene)]

    return Server(variant_name(workers, lines) if workers else DEFAULT_NAME,
                  VARIANT if workers else OURS, "raw", command, program,
                  _version_of(program, "--version"),
                  warm_up_seconds=WARM_UP_SECONDS if workers else ADAPT_SECONDS)


def room_name(hosts):
    return f"room of {hosts} host{'s' if hosts > 1 else ''}"


def _room(build, hosts):
    """So many servers of chatserv, and three of NATS that keep their order in three replicas on files. The
    clients are spread over the hosts."""
    def command(scene, _port, _seconds):
        return [sys.executable, "-B", CLUSTER, "--ports-only", "--hosts", hosts, build, "--users",
                connections(scene), *_stall_limit(scene)]

    return Server(room_name(hosts), ROOM, "raw", command, "nats-server",
                  _version_of("nats-server", "--version"), prints_port=True,
                  deliveries_max=500_000, warm_up_seconds=WARM_UP_SECONDS, start_seconds=10)


def rooms(build: pathlib.Path, folder: pathlib.Path):
    """Rooms on one to three hosts, and what they are compared with: one chatserv, which has the room to
    itself, one server of NATS without JetStream and one of Redis, which keep nothing."""
    alone, redis = (next(server for server in servers(build, folder) if server.name == name)
                    for name in (DEFAULT_NAME, REDIS_NAME))
    return [alone, _nats(folder), redis, *(_room(build, hosts) for hosts in ROOM_HOSTS)]


def _nats(folder):
    def command(_scene, port, _seconds):
        config = folder / "nats.conf"
        config.write_text(f'host: "127.0.0.1"\nport: {port}\nmax_connections: 100000\n'
                          'max_pending: 1GB\nwrite_deadline: "60s"\nping_interval: "1h"\n')
        return ["nats-server", "-c", config]

    return Server(NATS_NAME, PEER, "nats", command, "nats-server",
                  _version_of("nats-server", "--version"), deliveries_max=2_000_000)


def _mosquitto(folder):
    def command(_scene, port, _seconds):
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_connections -1\n"
                          "max_queued_messages 0\nset_tcp_nodelay true\nlog_type none\n")
        return ["mosquitto", "-c", config]

    return Server("mosquitto", PEER, "mqtt", command, "mosquitto", _version_of("mosquitto", "-h"),
                  deliveries_max=50_000)


def servers(build: pathlib.Path, folder: pathlib.Path, framing=False):
    """All servers, in the order of their turns. `folder`: where servers may store files.
    `framing`: chatserv with whole lines is among them."""
    def plain(name, role, path, version=lambda: "", deliveries_max=0, warm_up_seconds=0.0):
        program = str(build / path)
        return Server(name, role, "raw", lambda *_: [program], program, version, True,
                      deliveries_max, warm_up_seconds=warm_up_seconds)

    def reference(scene, port, _seconds):
        return [build / "tests/reference-server", "--listen", f"127.0.0.1:{port}", "--users",
                connections(scene), *_stall_limit(scene)]

    def ncat(scene, port, _seconds):
        return ["ncat", "--broker", "-l", "127.0.0.1", port, "--max-conns", connections(scene)]

    def redis(scene, port, _seconds):
        return ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
                "--appendonly", "no", "--maxclients", connections(scene) + 100,
                "--client-output-buffer-limit", "pubsub 0 0 0", "--dir", folder]

    return [
        *_floors(build),
        plain(BARE_RELAY_NAME, YARDSTICK, "bench/chatserv-bare-relay",
              warm_up_seconds=WARM_UP_SECONDS),
        _chatserv(build),
        *(_chatserv(build, workers) for workers in WORKERS),
        *(_chatserv(build, workers, lines=True) for workers in LINE_WORKERS if framing),
        Server(NCAT_NAME, PEER, "raw", ncat, "ncat", _version_of("ncat", "--version"),
               deliveries_max=5_000_000, connect_pause_us=1000),
        Server("reference server", PEER, "raw", reference, str(build / "tests/reference-server")),
        plain("boost asio", PEER, "bench/chatserv-asio-chat", _boost_version,
              deliveries_max=100_000),
        Server(REDIS_NAME, PEER, "redis", redis, "redis-server",
               _version_of("redis-server", "--version"), deliveries_max=2_000_000),
        _nats(folder),
        _mosquitto(folder),
    ]
