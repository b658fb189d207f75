"""How long the clients of a killed worker or master wait: runs takeover-bench, reads its output."""
import json
import os
import time

from processes import Program


def takeovers(build, clients, rounds, limit):
    """{"results": [...], "accepts": {...}} as takeover-bench prints it, or {"error": ...}."""
    program = build / "bench/takeover-bench"
    if not program.exists():
        return {"error": "takeover-bench is not built"}
    environment = dict(os.environ, CHATSERV_BINARY=str(build / "chatserv"),
                       CHATSERV_REFERENCE=str(build / "tests/reference-server"))
    until = time.monotonic() + limit
    said = []
    try:
        command = [program, "--json", "--rounds", rounds, *clients]
        with Program(command, environment=environment, gently=False) as bench:
            while line := bench.line(until):
                said.append(line)
            document = json.loads("\n".join(said)) if said else {}
            if not document.get("results"):
                return {"error": bench.complaint() or "takeover-bench printed nothing"}
            return document
    except TimeoutError:
        return {"error": f"not finished after {limit:.0f} s"}
    except (ValueError, OSError) as failure:
        return {"error": str(failure)}
