"""One run: one server under one load, and its figures.

A run that fails or exceeds its time limit has an `error`. All programs that it started have ended
when it returns.
"""
import json
import os
import socket
import time

import readings
from others import Others
from processes import Program
from scenes import FLOOD, IDLE, STORM, TALK

SLOW_BYTES_MAX = 500_000_000  # delivered by a server that has deliveries_max
QUIET_SECONDS = 0.05
QUIET_CPU_SHARE = 0.02


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def load_options(server, scene, port, seconds):
    options = ["--port", port, "--protocol", server.protocol, "--listeners", scene.listeners,
               "--line", scene.line]
    if scene.kind == STORM:
        return options + ["--storm"]
    if scene.kind == IDLE:
        return options + ["--silent", "--seconds", seconds]
    options += ["--senders", scene.senders, "--write", scene.write, "--seconds", seconds]
    options += ["--all-talk"] if scene.all_talk else []
    if server.protocol == "floor":
        return options  # the floor gets its other options on its own command line
    options += ["--rate", scene.rate] if scene.rate else []
    if server.warm_up_seconds:
        options += ["--warm-up", server.warm_up_seconds]
    options += ["--stalled", scene.stalled] if scene.stalled else []
    options += ["--connect-pause", server.connect_pause_us] if server.connect_pause_us else []
    lines = lines_max(server, scene)
    return options + (["--lines", lines] if lines else [])


def lines_max(server, scene):
    """The maximum number of lines from all senders together; 0: as many as the time permits."""
    of_server = 0
    if server.deliveries_max and scene.kind in (FLOOD, TALK):
        deliveries = min(server.deliveries_max, SLOW_BYTES_MAX // scene.line)
        of_server = max(deliveries // scene.listeners, scene.senders)
    return min(filter(None, (scene.lines, of_server)), default=0)


def wait_until_it_listens(process, port, until):
    while not readings.listens(port):
        if process.has_ended():
            raise RuntimeError("it ended before it listened")
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.01)


def wait_until_it_is_quiet(process, connections, until):
    """Waits until the server has accepted all connections and its CPU use has settled."""
    while readings.descriptors(process.pid) < connections:
        if time.monotonic() > until:
            raise RuntimeError(f"it did not accept all of the {connections} connections")
        time.sleep(QUIET_SECONDS)
    used, before = readings.cpu_seconds(process.pid), -1.0
    while used - before > QUIET_CPU_SHARE * QUIET_SECONDS and time.monotonic() < until:
        time.sleep(QUIET_SECONDS)
        used, before = readings.cpu_seconds(process.pid), used


def cores_of(scene):
    """To which core the server is confined, and to which the load; None: to none."""
    if not scene.parted:
        return None, None
    if not hasattr(os, "sched_setaffinity") or len(cores := sorted(os.sched_getaffinity(0))) < 2:
        raise RuntimeError("server and load cannot have a core each here")
    return cores[0], cores[1]


def measure(build, server, scene, seconds, limit):
    """One run of `seconds`, given up after `limit` seconds. Returns its figures."""
    until = time.monotonic() + limit
    port = free_port()
    try:
        server_core, load_core = cores_of(scene)
        with Program(server.command(scene, port, seconds), core=server_core) as process:
            if server.prints_port:
                said = process.line(until).split()
                if not said:
                    raise RuntimeError("it ended before it listened")
                port = said[-1]  # of a room: those of its hosts, divided by commas
            else:
                wait_until_it_listens(process, port, until)
            empty = readings.private_bytes(process.pid), readings.shared_bytes(process.pid)
            load_command = [build / "bench/chatserv-load",
                            *load_options(server, scene, port, seconds)]
            with Program(load_command, gently=False, core=load_core) as load:
                run = _figures_of(server, scene, process, load, empty, until)
        return run
    except TimeoutError:
        return {"error": f"not finished after {limit:.0f} s", "gave_up": True}
    except (RuntimeError, ValueError, OSError) as failure:
        return {"error": str(failure).partition("\n")[0] or type(failure).__name__}


def _figures_of(server, scene, process, load, empty, until):
    if load.line(until).strip() != "ready":
        raise RuntimeError(load.complaint() or "the load did not begin")
    if scene.kind == IDLE:
        return _idle_figures(scene, process, load, empty, until)
    memory = readings.pss_bytes(process.pid)
    others, before = Others(), readings.cpu_seconds(process.pid)
    run = _result_of(load, until)
    others.end()
    run["others_cpu_share"] = others.cpu_share
    if server.protocol == "floor":  # the floor ends by itself
        run["cpu_seconds"] = process.cpu_seconds_when_ended(until) - before
        run["pss_bytes"] = memory
    else:
        run["cpu_seconds"] = readings.cpu_seconds(process.pid) - before
        run["pss_bytes"] = readings.pss_bytes(process.pid)
        run["peak_rss_bytes"] = readings.peak_rss_bytes(process.pid)
    if scene.kind == STORM:
        run["cpu_us_per_connection"] = run["cpu_seconds"] * 1e6 / max(run["connections"], 1)
    else:
        run["torn_share"] = run["torn_lines"] / max(run["deliveries"], 1)
        run["cpu_us_per_delivery"] = run["cpu_seconds"] * 1e6 / max(run["deliveries"], 1)
        if run["missing"] and not run["error"]:
            run["error"] = f"{run['missing']} lines are missing"
    return run


def _result_of(load, until):
    """The load stays connected until it is ended, so that the figures include no disconnects."""
    load.say("go")
    said = load.line(until)
    if not said:
        raise RuntimeError(load.complaint() or "the load ended without a result")
    return json.loads(said)


def _idle_figures(scene, process, load, empty, until):
    wait_until_it_is_quiet(process, scene.listeners, until)
    memory = readings.private_bytes(process.pid), readings.shared_bytes(process.pid)
    pss = readings.pss_bytes(process.pid)
    others, before = Others(), readings.cpu_seconds(process.pid)
    run = _result_of(load, until)
    used = readings.cpu_seconds(process.pid) - before
    others.end()
    run["others_cpu_share"], seconds = others.cpu_share, others.seconds
    private, shared = ((now - then) / run["connections"] for now, then in zip(memory, empty))
    return run | {"cpu_seconds": used, "pss_bytes": pss, "cpu_ms_per_second": used * 1e3 / seconds,
                  "bytes_per_connection": private + shared, "shared_bytes_per_connection": shared}
