// The processes of the model: a worker with one client, and the master's way through a death.
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

namespace chatserv::model {

// The right way, and wrong ways that the model has to find.
enum class Sleep { right, looks_before_announcing, forgets_new_reasons };
enum class Recovery { right, without_repair, without_ringing };

class WorkerProcess final : private PassSteps {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells;
        Simulator& simulator;
        Sleep sleep;
    };

    // `newcomer`: its client has to be taken over from a predecessor first.
    WorkerProcess(const Surroundings& around, uint32_t entry, bool newcomer);

    [[noreturn]] void run();

private:
    bool attach_newcomers() override;
    std::optional<Ingest::Publish> publish() override;
    void everything_is_published() override {}
    void deliver(uint64_t head, bool to_all) override;
    bool blocks_room(uint64_t wanted, bool first_look) override;
    bool has_clients() const override;
    bool has_fresh_clients() const override { return fresh_; }
    bool has_changes() const override { return false; }
    bool take_changes() override { return false; }

    [[nodiscard]] Hash knowledge() const;
    [[nodiscard]] bool may_sleep();
    void settle_doubt();

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
    bool newcomer_;
    bool fresh_ = false; // attached, not written to yet
};

// Waits for deaths, recovers the entries and has spares take them.
[[noreturn]] void run_master(const WorkerProcess::Surroundings& around, Recovery recovery);
// Waits for an entry, and is its worker from then on.
[[noreturn]] void run_spare(const WorkerProcess::Surroundings& around);

} // namespace chatserv::model
