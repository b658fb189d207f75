// The figures of the running server: what the ledger and the segment say of it at an instant.
//
// Nothing is kept between two looks, so a metrics process that is started again goes on with the
// same numbers. Each count was stored by a process that may have died since, and none of them ever
// goes down while the server runs. The numbers of clients are the word of their workers and are
// shown as they are.
#pragma once

#include "master/clients/counters.h"
#include "master/metrics/server/server_view.h"
#include "shared/segment/role.h"
#include "shared/segment/room_standing.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// An entry of the worker table.
struct WorkerFigures {
    uint32_t number = 0; // as people read it, from 1
    pid_t pid = 0;       // 0: no process serves the entry now
    bool drained = false;
    uint32_t users = 0;
    uint32_t takeovers = 0;
    uint64_t takeovers_ns = 0;     // how long all of them took
    uint64_t taken_over_at_ms = 0; // when the last one was over, since 1970
    uint64_t awake_ns = 0;         // of that pid
};

// A source in force.
struct SourceFigures {
    std::string name{}; // as in the configuration
    bool connected = false;
    uint64_t connections = 0;
    uint64_t received_bytes = 0; // as `sent_bytes` below, if there are any
    uint64_t sent_bytes = 0;
    uint64_t dropped_datagrams = 0;
};

struct Figures {
    uint64_t started_at_ms = 0; // since 1970
    bool is_ready = false;      // a master and a worker at least serve, and no stop has begun
    uint32_t users_max = 0;
    uint64_t users = 0;
    std::array<uint32_t, roles_end> users_with_role{};
    uint64_t accepted = 0;
    uint64_t throttled = 0;
    uint64_t moved = 0;
    uint64_t accept_pauses = 0;
    uint64_t dropped_datagrams = 0; // by UDP sources
    std::vector<NamedCount> refusals{};
    std::vector<NamedCount> departures{};

    uint64_t received_bytes = 0; // that were published
    uint64_t chunks = 0;         // into which those were read
    // That were written to users. Nothing where users left faster than the table could be read.
    std::optional<uint64_t> sent_bytes{};
    std::vector<SourceFigures> sources{}; // by number
    uint64_t log_bytes = 0;               // how much the log can hold
    uint64_t log_held_bytes = 0;          // what the slowest user has yet to get
    bool senders_wait = false;

    uint32_t spares = 0;
    std::vector<WorkerFigures> workers{};
    uint32_t masters_replaced = 0;
    uint32_t keepers_replaced = 0;
    uint32_t upgrades = 0;
    uint32_t metrics_starts = 0;        // of this process and those before it
    std::optional<RoomStanding> room{}; // none: no room of several hosts is joined
    uint64_t bridge_deaths = 0;
};

[[nodiscard]] Figures look_at(const ServerView& view);

} // namespace chatserv
