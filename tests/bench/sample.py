"""Documents as the bench writes them, for the tests of what it makes of them."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from servers import (BARE_RELAY_NAME, DEFAULT_NAME, FLOOR, FLOOR_NAME,  # noqa: E402
                     LINE_FLOOR_NAME, NCAT_NAME, OURS, PEER, VARIANT, YARDSTICK, variant_name)

ONE, TWO = variant_name(1), variant_name(2)
ROLES = {FLOOR_NAME: FLOOR, LINE_FLOOR_NAME: FLOOR, BARE_RELAY_NAME: YARDSTICK, DEFAULT_NAME: OURS,
         ONE: VARIANT, TWO: VARIANT, NCAT_NAME: PEER, "redis": PEER}


def run(rate=1e6, cpu=1.0, error="", **more):
    """As measure() returns it."""
    return {"lines_sent": 10, "deliveries": 1000, "missing": 0, "seconds": 0.5,
            "deliveries_per_second": rate, "load_cpu_seconds": 0.25, "cpu_seconds": 0.2,
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
