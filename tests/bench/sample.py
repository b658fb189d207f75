"""Documents as the bench writes them, for the tests of what it makes of them."""
import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from scenes import (IDLE, PACED, STORM, flood, idle, paced, scenes,  # noqa: E402
                    stalled, storm, talk)
from servers import (BARE_RELAY_NAME, DEFAULT_NAME, FLOOR, FLOOR_NAME,  # noqa: E402
                     LINE_FLOOR_NAME, NCAT_NAME, OURS, PEER, VARIANT, YARDSTICK, servers,
                     variant_name)

ONE, TWO = variant_name(1), variant_name(2)
ROLES = {FLOOR_NAME: FLOOR, LINE_FLOOR_NAME: FLOOR, BARE_RELAY_NAME: YARDSTICK, DEFAULT_NAME: OURS,
         ONE: VARIANT, TWO: VARIANT, NCAT_NAME: PEER, "redis": PEER}


def run(rate=1e6, cpu=1.0, error="", **more):
    """As measure() returns it."""
    return {"lines_sent": 10, "deliveries": 1000, "missing": 0, "seconds": 0.5,
            "torn_share": 0.001, "deliveries_per_second": rate, "load_cpu_seconds": 0.25,
            "cpu_seconds": 0.2,
            "cpu_us_per_delivery": cpu, "pss_bytes": 2**20, "error": error, **more}


def document(*scenes, takeover=None):
    """`scenes`: each a Scene and the runs of each server."""
    return {"date": "2026-11-24T10:00:00+0000", "command": ["bench/run", "<&>"], "commit": "abc",
            "machine": {"cpu": "CPU <1>", "cores": 2, "memory_bytes": 2**33, "kernel": "6.1",
                        "load_average": [0.1, 0.2, 0.3]},
            "quick": False, "rounds": 3, "seconds": 0.3, "took_seconds": 12,
            "servers": [{"name": name, "role": role, "version": "1.0", "missing": name == "redis",
                         "takes_part": True} for name, role in ROLES.items()],
            "scenes": [{**vars(scene), "seconds": 0.3} for scene, _ in scenes],
            "results": [{"scene": scene.name, "server": server, "runs": runs}
                        for scene, by_server in scenes for server, runs in by_server.items()],
            "takeover": takeover or {"error": "not selected"}}


def flood_runs(rate, cpu, **more):
    return {FLOOR_NAME: [run(10e6, 1.0)], DEFAULT_NAME: [run(rate, cpu)],
            NCAT_NAME: [run(5e6, 3.0)], **more}


def latency(p50, p99, cpu):
    return run(cpu=cpu, latency_us={"p50": p50, "p99": p99, "p99.9": p99})


def everything():
    """One round of a few loads, with all that can go wrong."""
    latency = {"p50": 100, "p99": 900, "p99.9": 1500}
    storm_run = {"connections": 1000, "seconds": 0.1, "connections_per_second": 1e4,
                 "cpu_seconds": 0.1, "cpu_us_per_connection": 90, "pss_bytes": 9, "error": ""}
    idle_run = {"connections": 1001, "seconds": 1, "cpu_seconds": 0, "error": "",
                "pss_bytes": 9, "cpu_ms_per_second": 0, "bytes_per_connection": 300,
                "shared_bytes_per_connection": 128}
    quiet = {"longest_silence_seconds": 0.9}
    return document(
        (flood(9, 64), flood_runs(8e6, 1.2, redis=[run(7e3, error="line 3 is torn <&>")])),
        (flood(10000, 64), flood_runs(8e6, 1.2)),
        (talk(10), {LINE_FLOOR_NAME: [run(1e6), run(2e6)], NCAT_NAME: [{"error": "gone"}],
                    DEFAULT_NAME: [run(2e6), run(3e6)]}),
        (paced(9, 1000), {NCAT_NAME: [run(latency_us=latency)], "redis": [{"error": "gone"}],
                          DEFAULT_NAME: [run(latency_us=latency)]}),
        (storm(1000), {DEFAULT_NAME: [storm_run]}),
        (idle(1000), {DEFAULT_NAME: [idle_run], NCAT_NAME: [idle_run]}),
        (stalled(9), {DEFAULT_NAME: [run(**quiet)], NCAT_NAME: [{"error": "frozen"}]}),
        takeover={"results": [
            {"clients": clients, "what": what, "median_ms": 1.5, "p99_ms": 9,
             "samples_ms": [1, 1.5, 9]} for clients in (10, 1000)
            for what in ("first byte, worker alive", "first byte after SIGKILL",
                         "newcomer answered after SIGKILL")],
            "accepts": {"own_us": 1.25, "shared_us": 1.5, "batches": 20}})


def whole_bench(rounds, others_cpu_share):
    """A document with every load and every server of the bench, and figures of the usual size."""
    figures = random.Random(1)
    everybody = servers(pathlib.Path("build"), pathlib.Path("folder"))
    by_scene = [(scene, {server.name: [_usual(scene, figures, others_cpu_share)
                                       for _ in range(rounds)]
                         for server in everybody if server.name not in scene.left_out})
                for scene in scenes(False)]
    takeovers = {"results": [
        {"clients": clients, "what": what, "median_ms": 1.5, "p99_ms": 9,
         "samples_ms": [figures.lognormvariate(0, 1) for _ in range(30)]}
        for clients in (10, 1000, 10000)
        for what in ("first byte, worker alive", "first byte after SIGKILL")]}
    whole = document(*by_scene, takeover=takeovers)
    whole["servers"] = [{"name": server.name, "role": server.role, "version": "1.0",
                         "missing": False, "takes_part": True,
                         "deliveries_max": server.deliveries_max} for server in everybody]
    return whole


def _usual(scene, figures, others_cpu_share):
    size = figures.lognormvariate(0, 2)
    one = run(1e6 * size, 1 / size, others_cpu_share=others_cpu_share, peak_rss_bytes=2**23 * size)
    if scene.kind == PACED:
        one["latency_us"] = {"p50": 100 * size, "p99": 400 * size, "p99.9": 900 * size}
    if scene.kind == STORM:
        one |= {"connections": 1000, "connections_per_second": 1e4 * size,
                "cpu_us_per_connection": 90 / size}
    if scene.kind == IDLE:
        one |= {"connections": 1000, "cpu_ms_per_second": size, "bytes_per_connection": 300 * size,
                "shared_bytes_per_connection": 128}
    if scene.stalled:
        one["longest_silence_seconds"] = size
    return one
