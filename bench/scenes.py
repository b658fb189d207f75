"""The loads, and which servers each of them leaves out."""
import dataclasses

from servers import (BARE_RELAY_NAME, FLOOR_NAME, LINE_FLOOR_NAME, NATS_NAME, NCAT_NAME, REDIS_NAME,
                     variant_name)

FLOOD, TALK, PACED, STORM, IDLE, STALLED = "flood", "talk", "paced", "storm", "idle", "stalled"
TAKEOVER = "takeover"  # not a load: bench/takeover.py
KINDS = (FLOOD, TALK, PACED, STORM, IDLE, STALLED)


@dataclasses.dataclass(frozen=True)
class Scene:
    """One kind of load."""
    name: str
    kind: str
    listeners: int
    senders: int = 1
    line: int = 64  # bytes
    write: int = 65536  # bytes per write by a sender
    all_talk: bool = False  # the senders listen too
    rate: float = 0  # lines per second; 0: as many as the server takes
    lines: int = 0  # maximum from all senders together; 0: as many as the time permits
    stalled: int = 0  # additional listeners that do not read
    stretch: float = 1  # how many times longer a run is than usual
    parted: bool = False  # the server has one core, the load another one
    rounds_max: int = 0  # for a load whose figures hardly vary; 0: as many as there are
    left_out: dict = dataclasses.field(default_factory=dict)  # why, by name of the server


NO_TRAFFIC = dict.fromkeys((FLOOR_NAME, LINE_FLOOR_NAME), "the server writes nothing in this load")
LARGE_WRITES = {LINE_FLOOR_NAME: "lines are sent in large writes in this load"}
NO_PACE = {FLOOR_NAME: "each line is sent alone in this load"}
BEYOND_SELECT = {NCAT_NAME: "it uses select(2), which is limited to 1,024 descriptors"}
SHORT_QUEUE = {NCAT_NAME: "its listen queue holds ten, so connecting this many clients takes "
                          "seconds"}
SLOW_TO_CONNECT = {"mosquitto": "it takes five seconds to connect this many clients"}
NOT_QUICK = "the quick bench leaves it out"
ONE_CORE = "this load compares one process with the bare relay"
TOO_SLOW = "it does not finish within the time of a run"


def flood(listeners, line, **more):
    return Scene(f"flood, {listeners} listeners, {line} B", FLOOD, listeners, line=line,
                 **{"left_out": LARGE_WRITES, **more})


# A relay of bytes reads until its buffer is full, which is in the middle of a line unless the
# line's length divides the buffer's. What it reads next may be another sender's, so that line is
# torn. It is no fault: such a relay promises the order of bytes, not of lines. The load puts torn
# lines together again, checks and counts them (load/receiver.h).
def talk(talkers, listeners=0, line=61):
    """`talkers` send and listen, and `listeners` more only listen."""
    others = f", {listeners} listen" if listeners else ""
    return Scene(f"{talkers} talk{others}, {line} B", TALK, talkers + listeners, senders=talkers,
                 line=line, write=line, all_talk=True)


# Longer than the other loads: a percentile needs many lines.
def paced(listeners, rate, **more):
    return Scene(f"paced, {listeners} listeners", PACED, listeners, rate=rate, line=61,
                 **{"stretch": 4, "left_out": NO_PACE, **more})


# With both cores for both, the scheduler decides how often a delivery wakes the load on another
# core, and that costs more than all that a relay does beside its writes.
def parted(listeners, rate):
    others = (*map(variant_name, (2, 4)), NCAT_NAME, REDIS_NAME, NATS_NAME, "boost asio", "mosquitto")
    scene = paced(listeners, rate, left_out=NO_PACE | dict.fromkeys(others, ONE_CORE))
    return dataclasses.replace(scene, name=f"{scene.name}, a core for the server", parted=True)


def storm(listeners, **more):
    return Scene(f"storm of {listeners} connections", STORM, listeners,
                 **{"left_out": NO_TRAFFIC, **more})


def idle(listeners, **more):
    return Scene(f"{listeners} idle connections", IDLE, listeners, stretch=2.5, rounds_max=1,
                 **{"left_out": NO_TRAFFIC, **more})


# It lasts for several stall limits: within the first one, the room waits for the stalled listener.
def stalled(listeners, **more):
    left_out = LARGE_WRITES | {"mosquitto": TOO_SLOW} | more.pop("left_out", {})
    return Scene(f"flood, {listeners} listeners, one stalled", STALLED, listeners, line=61,
                 stalled=1, left_out=left_out, **{"stretch": 20, **more})


# So far apart that each is on its way alone: what a line costs that waits for no other one.
def lone(listeners):
    return Scene(f"lone lines, {listeners} listeners", PACED, listeners, rate=50, line=61, stretch=10,
                 left_out=NO_PACE)


# A rate is half of what one core can write in single lines, so that no queue lasts long.
# 61 and 1,021 are prime: a server's buffers do not end where such lines end. Lines of 64 bytes fit
# into buffers without a rest, which may flatter a server.
def scenes(quick):
    return _quick_scenes() if quick else _all_scenes()


def room_scenes():
    """What tells something of a room on several hosts."""
    return [lone(9), paced(9, 1000), paced(100, 200), flood(9, 61), flood(100, 61), flood(9, 1021),
            talk(10, 90)]


def _quick_scenes():
    never = dict.fromkeys((variant_name(2), variant_name(4), "boost asio", "mosquitto"), NOT_QUICK)
    few = dict.fromkeys((FLOOR_NAME, BARE_RELAY_NAME, variant_name(1)), NOT_QUICK)
    chosen = (flood(9, 61), flood(100, 61),
              flood(1000, 61, lines=10000, left_out=LARGE_WRITES | SHORT_QUEUE),
              talk(10, 90), paced(9, 1000, stretch=2.5), paced(100, 200, stretch=2.5),
              storm(1000, left_out=NO_TRAFFIC | SHORT_QUEUE),
              idle(1000, left_out=NO_TRAFFIC | SHORT_QUEUE), stalled(9, stretch=15, left_out=few))
    return [dataclasses.replace(scene, left_out=scene.left_out | never) for scene in chosen]


def _all_scenes():
    many = {"left_out": LARGE_WRITES | BEYOND_SELECT |
                        dict.fromkeys(("mosquitto", "boost asio"), TOO_SLOW)}
    return [
        *(flood(9, line) for line in (61, 64, 1021)),
        *(flood(100, line) for line in (61, 1021)),
        flood(1000, 61, lines=20000), flood(1000, 1021, lines=2500),
        talk(10), talk(100, 20), *(talk(10, 90, line) for line in (61, 64, 1021)),
        paced(9, 1000), paced(100, 200), paced(1000, 20),
        *(parted(listeners, rate) for listeners, rate in ((9, 1000), (100, 200), (1000, 20))),
        storm(1000), stalled(9),
        flood(10000, 61, lines=2000, **many),
        paced(10000, 2, stretch=2.5, left_out=NO_PACE | BEYOND_SELECT | SLOW_TO_CONNECT),
        idle(10000, left_out=NO_TRAFFIC | BEYOND_SELECT | SLOW_TO_CONNECT),
    ]
