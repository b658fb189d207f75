// A worker of the model, with at most one client.
//
// A worker runs the product's own code: Pass decides the order of its steps, and the steps call
// Ingest, FanOut, LogAppender, Doorbell and Untaken. Only the loop around them is the model's own.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/log_replay.h"
#include "shared/segment/segment.h"
#include "tests/model/simulator.h"
#include "tests/model/worker_calls.h"
#include "tests/model/worker_words.h"
#include "worker/relay/fan_out.h"
#include "worker/relay/ingest.h"
#include "worker/relay/pass.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace chatserv::model {

// The right way, and wrong ways that the model has to find.
enum class Sleep { right, looks_before_announcing, forgets_new_reasons };
enum class LettingGo { right, unpublished };

class WorkerProcess final : private PassSteps {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells;
        Simulator& simulator;
        Sleep sleep;
        LettingGo letting_go;
        Introduction introduction;
        uint64_t replay_bytes;
    };

    // A worker without a client.
    WorkerProcess(const Surroundings& around, uint32_t entry);

    // What the master has sent: a client, and that it is wanted elsewhere.
    void take_orders(uint32_t events);
    // A client that is attached already, before everything.
    void begin_with(const WorkerCalls::Arrival& arrival);
    [[noreturn]] void run();

private:
    bool attach_newcomers() override;
    std::optional<Ingest::Publish> publish() override;
    void everything_is_published() override;
    uint64_t deliverable(uint64_t head) const override { return head; }
    void deliver(uint64_t head, bool to_all) override;
    bool blocks_room(uint64_t wanted, bool first_look) override;
    bool has_clients() const override;
    bool has_fresh_clients() const override { return fresh_; }
    bool has_changes() const override { return changed_; }
    bool take_changes() override { return std::exchange(changed_, false); }
    bool waits_for_count() const override { return false; }

    [[nodiscard]] Hash knowledge() const;
    [[nodiscard]] bool may_sleep();
    void handle(uint32_t events);
    void read();
    void receive(const WorkerCalls::Arrival& arrival);
    void set_client(const WorkerCalls::Arrival& arrival);
    [[nodiscard]] bool attach();
    void settle_doubt();
    void begin_to_serve();
    void let_go();
    void close();
    void leave();

    const Surroundings& around_;
    WorkerCalls calls_;
    uint32_t entry_;
    WorkerEntry& shared_entry_;
    UserTable users_;
    BroadcastLog log_;
    LogControl& control_;
    Doorbell doorbell_;
    Ingest ingest_;
    FanOut fan_out_;
    Client client_;
    uint32_t connection_ = no_client; // the client's

    Pass pass_;
    InFlight doubt_;
    bool newcomer_ = false; // its client has come, and is not attached
    bool serves_ = false;   // its client is attached
    bool fresh_ = false;    // attached, not written to yet
    bool asked_ = false;    // its client is wanted elsewhere
    bool changed_ = false;  // its client has gone
    WorkerWords words_;
};

// The time of an entry's served clock, and for how long its client has been quiet by it.
[[nodiscard]] constexpr uint64_t now_ns(uint32_t entry) {
    return 1000 * (entry + 1);
}
inline constexpr uint64_t quiet_ns = 7;

// Waits for an entry, and is its worker from then on.
[[noreturn]] void run_spare(const WorkerProcess::Surroundings& around);

} // namespace chatserv::model
