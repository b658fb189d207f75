"""How far the figures of a report can be trusted, and what is not in it: a busy machine, too few
rounds, loads that were not run, servers that did not take part or failed."""
import statistics

from report.figures import loads
from servers import FLOOR, PEER, YARDSTICK

BUSY_SHARE = 0.05  # of the processors, used by other programs on average over all runs
ROUNDS_TO_JUDGE = 3


def others_share(document):
    """The share of the processors that other programs used; None if it is not known."""
    shares = [share for load in loads(document) for row in load.rows
              if (share := row.others_share()) is not None]
    return statistics.mean(shares) if shares else None


def is_busy(share):
    return share is not None and share >= BUSY_SHARE


def warnings(document):
    """What a reader has to know before all figures."""
    found = []
    share, all_loads = others_share(document), loads(document)
    if is_busy(share):
        found.append(
            f"The machine was busy: other programs used {100 * share:.0f} % of its processors "
            "while the bench measured (load average at the start: "
            f"{document['machine']['load_average'][0]:.1f}). These figures say little.")
    several = [load for load in all_loads if not load.scene["rounds_max"]]
    few = [load for load in several if load.rounds() < ROUNDS_TO_JUDGE]
    if few:
        rounds = max(load.rounds() for load in few)
        which = "" if few == several else f" for {len(few)} of {len(all_loads)} loads"
        found.append(
            f"Too few rounds to judge{which}: {rounds}, and at least {ROUNDS_TO_JUDGE} are needed. "
            "From one run to the next a figure may change by a fifth or more.")
    return found


def _listed(names):
    return "; ".join(names)


def absences(document):
    """The servers and loads that are missing from the report and why: pairs of names and words."""
    all_loads = loads(document)
    ran = {load.name for load in all_loads}
    found = [(server["name"], "not installed or not built") for server in document["servers"]
             if server["missing"]]
    found += [(server["name"], "not selected") for server in document["servers"]
              if not server["missing"] and not server["takes_part"]]
    not_run = [scene["name"] for scene in document["scenes"] if scene["name"] not in ran]
    if not_run:
        found.append((_listed(not_run), "not run, for lack of time"))
    if not document["takeover"].get("results"):
        found.append(("takeover", "not measured: "
                      f"{document['takeover'].get('error', 'not selected')}"))
    return found + _cannot_take_part(document, ran) + _failures(all_loads)


def _cannot_take_part(document, ran):
    """The floors and the bare relay are no competitors: see notes()."""
    roles = {server["name"]: server for server in document["servers"]}
    left_out = {}
    for scene in document["scenes"]:
        for name, why in scene["left_out"].items():
            server = roles.get(name)
            if scene["name"] in ran and server and server["takes_part"] and (
                    server["role"] not in (FLOOR, YARDSTICK)):
                left_out.setdefault((name, why), []).append(scene["name"])
    servers_of = {}
    for (name, why), names in left_out.items():
        words = f"{why} ({'every load' if len(names) == len(ran) else _listed(names)})"
        servers_of.setdefault(words, []).append(name)
    return [(_listed(names), words) for words, names in servers_of.items()]


def _failures(all_loads):
    """Each server with an error, and under which loads."""
    failed = {}
    for load in all_loads:
        for row in load.rows:
            for error in row.errors()[:1]:
                failed.setdefault(row.server, []).append(f"{load.name} ({error})")
    return [(f"{server} failed", _listed(where)) for server, where in failed.items()]


def notes(document):
    """Remarks for readers of the details."""
    found = [(server["name"], "it is slow, so loads without a pace are limited to "
              f"{server['deliveries_max']:,} deliveries per run")
             for server in document["servers"]
             if server.get("deliveries_max") and server["role"] == PEER]
    left_out = {}
    roles = {server["name"]: server["role"] for server in document["servers"]}
    for scene in document["scenes"]:
        for name, why in scene["left_out"].items():
            if roles.get(name) in (FLOOR, YARDSTICK):
                left_out.setdefault((name, why), []).append(scene["name"])
    return found + [(name, f"{why} ({_listed(names)})")
                    for (name, why), names in left_out.items()]
