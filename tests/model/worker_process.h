// The processes of the model: a worker with at most one client, and the master's way through a
// death and through the move of a client from one worker to another.
//
// A worker runs the product's own code: Pass decides the order of its steps, and the steps call
// Ingest, FanOut, LogAppender and Doorbell. Only the loop around them is the model's own.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/segment.h"
#include "tests/model/simulator.h"
#include "worker/relay/fan_out.h"
#include "worker/relay/ingest.h"
#include "worker/relay/pass.h"

#include <cstdint>
#include <utility>

namespace chatserv::model {

// The right way, and wrong ways that the model has to find.
enum class Sleep { right, looks_before_announcing, forgets_new_reasons };
enum class Recovery { right, without_repair, without_ringing, before_last_words };
enum class LettingGo { right, unpublished };

class WorkerProcess final : private PassSteps {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells;
        Simulator& simulator;
        Sleep sleep;
        LettingGo letting_go = LettingGo::right;
    };

    // `slot`: of its client; no_client: it has none. `newcomer`: the client has to be taken over
    // from a predecessor first.
    WorkerProcess(const Surroundings& around, uint32_t entry, uint32_t slot, bool newcomer);

    [[noreturn]] void run();

private:
    bool attach_newcomers() override;
    std::optional<Ingest::Publish> publish() override;
    void everything_is_published() override;
    void deliver(uint64_t head, bool to_all) override;
    bool blocks_room(uint64_t wanted, bool first_look) override;
    bool has_clients() const override;
    bool has_fresh_clients() const override { return fresh_; }
    bool has_changes() const override { return changed_; }
    bool take_changes() override { return std::exchange(changed_, false); }

    [[nodiscard]] Hash knowledge() const;
    [[nodiscard]] bool may_sleep();
    void settle_doubt();
    void begin_to_serve();
    void let_go();
    void report();

    const Surroundings& around_;
    Kernel kernel_;
    uint32_t entry_;
    WorkerEntry& shared_entry_;
    UserTable users_;
    BroadcastLog log_;
    LogControl& control_;
    Doorbell doorbell_;
    Ingest ingest_;
    FanOut fan_out_;
    Client client_;

    Pass pass_;
    InFlight doubt_;
    bool newcomer_;               // its client has come, and is not attached
    bool serves_;                 // its client is attached
    bool fresh_ = false;          // attached, not written to yet
    bool asked_ = false;          // its client is wanted elsewhere
    bool changed_ = false;        // it has let its client go
    uint32_t untold_ = no_client; // the client that it has let go, and not told of
};

// The time of an entry's served clock, and for how long its client has been quiet by it.
[[nodiscard]] constexpr uint64_t now_ns(uint32_t entry) {
    return 1000 * (entry + 1);
}
inline constexpr uint64_t quiet_ns = 7;

// The client of entry `from` is to be served by entry `to`, which has none.
struct WantedMove {
    uint32_t from = no_client;
    uint32_t to = no_client;

    [[nodiscard]] bool any() const { return from != no_client; }
};

// Waits for deaths, recovers the entries and has spares take them; moves a client.
[[noreturn]] void run_master(
    const WorkerProcess::Surroundings& around, Recovery recovery, WantedMove move);
// Waits for an entry, and is its worker from then on.
[[noreturn]] void run_spare(const WorkerProcess::Surroundings& around);

} // namespace chatserv::model
