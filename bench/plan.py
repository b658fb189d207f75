"""The order of the runs: the servers take turns under each load, round by round, until the time of
the bench is used up.

A round of a load is run for all servers or for none, so that all have the same number of runs. The
length of a run is estimated for the first round and measured from then on.
"""
import dataclasses
import time

from scenes import IDLE, STALLED, STORM, TAKEOVER

CONNECT_SECONDS = 0.0002
LIMIT_SECONDS = 4  # how much longer a run may take than expected


@dataclasses.dataclass(frozen=True)
class Extent:
    """How much of a bench is run, unless its options say otherwise."""
    rounds: int
    seconds: float  # of most runs
    budget_seconds: float  # enough for every load
    takeover_seconds: float
    takeover_rounds: int
    takeover_clients: tuple


WHOLE = Extent(rounds=3, seconds=0.3, budget_seconds=1500, takeover_seconds=45,
               takeover_rounds=100, takeover_clients=(10, 1000, 10000))
QUICK = Extent(rounds=1, seconds=0.2, budget_seconds=110, takeover_seconds=12,
               takeover_rounds=30, takeover_clients=(10, 1000))


class Plan:
    def __init__(self, scenes, servers, *, rounds, seconds, budget_seconds=None,
                 takeover_seconds=0):
        self.scenes, self.servers = scenes, servers
        self.rounds, self.seconds, self._budget = rounds, seconds, budget_seconds
        self._takeover_seconds = takeover_seconds
        self._began = time.monotonic()
        self._took = {}  # seconds, by scene and server
        self._gave_up = set()
        self.runs_done = 0

    def turns(self):
        """Yields the scene and the server of each run in order, and (TAKEOVER, None) once."""
        for turn in range(self.rounds):
            for scene in self.scenes:
                servers = self.of(scene) if turn < self._rounds_of(scene) else []
                if not servers or not self._has_time_for(scene, first=turn == 0):
                    continue
                # Each round begins with another server and goes the other way round than the one
                # before, so that no server always runs after the same one.
                step = -1 if turn % 2 else 1
                for i in range(len(servers)):
                    yield scene, servers[(turn + step * i) % len(servers)]
            if turn == 0 and self._takeover_seconds:
                yield TAKEOVER, None
                self._takeover_seconds = 0

    def _rounds_of(self, scene):
        return min(self.rounds, scene.rounds_max or self.rounds)

    def of(self, scene):
        """The servers that run under a load, without those that exceeded their time limit."""
        return [server for server in self.servers if server.name not in scene.left_out and
                (scene.name, server.name) not in self._gave_up]

    def run_seconds(self, scene):
        """How long the load lasts."""
        return self.seconds * scene.stretch

    def limit_seconds(self, scene, server):
        if scene.kind == STALLED:  # with some servers, the other listeners receive nothing more
            return LIMIT_SECONDS + self.run_seconds(scene) + server.warm_up_seconds
        return LIMIT_SECONDS + 2 * self._expected(scene, server)

    def took(self, scene, server, seconds, gave_up):
        self._took[scene.name, server.name] = seconds
        self.runs_done += 1
        if gave_up:
            self._gave_up.add((scene.name, server.name))

    def elapsed(self):
        return time.monotonic() - self._began

    def total_seconds(self):
        """An estimate of how long the whole bench takes."""
        wanted = sum(self._turn_seconds(scene) * self._rounds_of(scene) for scene in self.scenes)
        return min(wanted + self._takeover_seconds, self._budget or float("inf"))

    def _has_time_for(self, scene, first):
        if self._budget is None:
            return True
        left = self._budget - self.elapsed() - (self._takeover_seconds if first else 0)
        return self._turn_seconds(scene) < left

    def _turn_seconds(self, scene):
        return sum(self._took.get((scene.name, server.name), self._expected(scene, server))
                   for server in self.of(scene))

    def _expected(self, scene, server):
        warm_up = 0 if scene.kind in (STORM, IDLE) else server.warm_up_seconds
        return (server.start_seconds + warm_up + 1.1 * self.run_seconds(scene) +
                CONNECT_SECONDS * scene.listeners)
