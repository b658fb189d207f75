// The balancer: which entry serves a newcomer, and which clients move to other workers because of
// the load.
//
// About once a second, and more often while they are busy, it reads how busy the workers are
// (load_watch), decides over how many of them the room is spread (spread), and asks for the clients
// that have to move for that (placement, moving): some at a time, until the entries in use have
// about equal numbers.
#pragma once

#include "master/clients/escrow.h"
#include "master/config/options.h"
#include "master/workers/draining.h"
#include "master/workers/load_watch.h"
#include "master/workers/moving.h"
#include "master/workers/placement.h"
#include "master/workers/spread.h"
#include "shared/segment/broadcast_log.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace chatserv {

class Balancer {
public:
    using Clock = std::chrono::steady_clock;

    // The seat of the process that serves an entry; nothing if none does.
    using SeatOf = std::function<std::optional<SeatId>(EntryId)>;
    using Processors = std::function<uint32_t()>;

    // `workers`: entries in service. `processors`: that they may run on, which can change while the
    // server runs.
    Balancer(PlacementPolicy policy, uint32_t workers, const Segment& segment, const Escrow& escrow,
        Moving& moving, const Draining& draining, SeatOf seat_of, Processors processors) :
        policy_(policy),
        entries_(segment.header().workers), workers_(workers), log_(segment), escrow_(escrow),
        moving_(moving), draining_(draining), seat_of_(std::move(seat_of)),
        processors_(std::move(processors)), watch_(segment.heartbeats(), entries_) {}

    // The first `workers` entries are in service, and the others get no clients. By the policy
    // `even`, clients move once, so that a worker that is new gets its share.
    void follow(PlacementPolicy policy, uint32_t workers);

    [[nodiscard]] EntryId entry_for_newcomer() const;
    // The share of time in which the worker of the entry was awake lately, from 0 to 1.
    [[nodiscard]] double awake_share(EntryId entry) const { return watch_.load_of(entry).awake; }
    // Over how many workers the room is spread.
    [[nodiscard]] uint32_t width() const;

    // In each turn of the loop. It looks at the load if that is due.
    void look(Clock::time_point now);
    // When to look at the latest; nothing where nothing depends on it.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;
    // The server stops: no client moves any more.
    void stop() { stopped_ = true; }

private:
    [[nodiscard]] bool is_idle() const;
    [[nodiscard]] bool all_served() const;
    [[nodiscard]] std::vector<EntryLoad> loads() const;
    [[nodiscard]] Spread::Seen observe(Clock::time_point now);
    [[nodiscard]] bool is_moving() const;
    [[nodiscard]] std::vector<Shift> shifts(uint32_t clients_max) const;
    void look_at_load(Clock::time_point now);
    void even_out(Clock::time_point now);

    PlacementPolicy policy_;
    uint32_t entries_; // of the worker table
    uint32_t workers_; // entries in service
    BroadcastLog log_;
    const Escrow& escrow_;
    Moving& moving_;
    const Draining& draining_;
    SeatOf seat_of_;
    Processors processors_;
    LoadWatch watch_;
    Spread spread_;
    Clock::time_point looked_{}; // at the load
    Clock::time_point evened_{}; // when clients were last asked for, or need not be
    bool evens_out_ = false;     // clients were asked for then, and others may have to follow
    uint64_t head_ = 0;          // of the log, at the last look
    bool was_moving_ = false;    // clients were on their way at some time since the last look
    bool spreads_once_ = false;  // by the policy `even`, after a change
    bool stopped_ = false;
};

} // namespace chatserv
