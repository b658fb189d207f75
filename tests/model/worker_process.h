// The processes of the model: the way of worker/worker.cpp and worker/service.cpp from event to
// event, for one client, and the master's way through a death.
//
// What is said here once more is the order in which a worker attaches, publishes, delivers, tells
// the others and sleeps (Service's functions of the same names). What it calls is the product's
// own: Ingest, FanOut, LogAppender, Doorbell, recover_entry.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/segment.h"
#include "tests/model/simulator.h"
#include "worker/relay/fan_out.h"
#include "worker/relay/ingest.h"

#include <cstdint>

namespace chatserv::model {

// The right way, and wrong ones that the model has to find.
enum class Sleep { right, looks_before_announcing, forgets_new_reasons };
enum class Recovery { right, without_repair, without_ringing };

class WorkerProcess {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells;
        Simulator& simulator;
        Sleep sleep;
    };

    // `newcomer`: its client is yet to be taken over from a predecessor.
    WorkerProcess(const Surroundings& around, uint32_t entry, bool newcomer);

    [[noreturn]] void run();

private:
    [[nodiscard]] Hash knowledge() const;
    [[nodiscard]] bool nothing_to_do();
    [[nodiscard]] bool look_again();
    [[nodiscard]] uint32_t wake_reasons() const;
    void settle();
    void attach_newcomer();
    void settle_doubt();
    void publish();
    void tell_room_wanted();
    void deliver();
    void watch_room();
    [[nodiscard]] bool listens() const;

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

    InFlight doubt_;
    bool newcomer_;
    uint64_t delivered_head_ = 0;
    uint64_t seen_room_wanted_ = 0;
    uint64_t told_room_wanted_ = 0;
    bool pass_needed_ = true;
    bool waits_for_lock_ = false;
    bool waits_for_room_ = false;
    bool blocks_room_ = false;
};

// Waits for deaths, recovers the entries and has spares take them.
[[noreturn]] void run_master(const WorkerProcess::Surroundings& around, Recovery recovery);
// Waits for an entry, and is its worker from then on.
[[noreturn]] void run_spare(const WorkerProcess::Surroundings& around);

} // namespace chatserv::model
