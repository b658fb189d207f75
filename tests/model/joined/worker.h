// A worker of the model in a joined room, with at most one client, which it serves and reads.
//
// It runs the product's own code: the steps of Pass call Learning, Publisher and Deliveries. Only
// what leads to them is the model's own; the comments name what it follows.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/outbound_log.h"
#include "shared/segment/segment.h"
#include "tests/model/simulator.h"
#include "tests/model/worker_calls.h"
#include "worker/clients/roster.h"
#include "worker/lifecycle/learning.h"
#include "worker/relay/deliveries.h"
#include "worker/relay/pass.h"
#include "worker/relay/publisher.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace chatserv::model {

// The right way, and a wrong one that the model has to find: a worker that delivers all that there
// is, whether it has learned whose it is or not.
enum class Delivering { what_is_known, everything };

class JoinedWorker final : private PassSteps {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells;
        Simulator& simulator;
        Delivering delivering;
    };

    // A worker without a client.
    JoinedWorker(const Surroundings& around, uint32_t entry);

    // A client that is attached already, before everything.
    void begin_with(const WorkerCalls::Arrival& arrival);
    // A client that a predecessor has served.
    void receive(const WorkerCalls::Arrival& arrival) { newcomer_ = arrival; }
    [[noreturn]] void run();

private:
    bool attach_newcomers() override;
    std::optional<Ingest::Publish> publish() override;
    void everything_is_published() override;
    uint64_t deliverable(uint64_t head) const override;
    void deliver(uint64_t head, bool to_all) override;
    bool blocks_room(uint64_t wanted, bool first_look) override;
    bool has_clients() const override { return roster_.any_awake(); }
    bool has_fresh_clients() const override { return fresh_; }
    bool has_changes() const override { return changed_; }
    bool take_changes() override { return std::exchange(changed_, false); }
    bool waits_for_count() const override;

    [[nodiscard]] Hash knowledge() const;
    [[nodiscard]] Client& add(const WorkerCalls::Arrival& arrival);
    void read();
    void attach(const WorkerCalls::Arrival& arrival);
    void find_own_ranges(uint64_t cursor);
    void begin_to_serve();
    void settle_doubt();
    void close();
    void leave();

    const Surroundings& around_;
    WorkerCalls calls_;
    uint32_t entry_;
    WorkerEntry& shared_entry_;
    UserTable users_;
    BroadcastLog log_;
    OutboundLog outbound_;
    Doorbell doorbell_;
    Publisher publisher_;
    Deliveries deliveries_;
    Roster roster_;
    Learning learning_;
    Client* client_ = nullptr; // in the roster; null: it has none
    uint32_t connection_ = no_client;

    Pass pass_;
    InFlight doubt_;
    std::optional<WorkerCalls::Arrival> newcomer_; // has come, and is not attached
    bool fresh_ = false;                           // its client is attached, not written to yet
    bool changed_ = false;                         // its client has ended or gone
};

// Waits for an entry and its client, and is its worker from then on.
[[noreturn]] void run_joined_spare(const JoinedWorker::Surroundings& around);

} // namespace chatserv::model
