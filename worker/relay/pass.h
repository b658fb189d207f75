// A pass: what a worker does in each turn of its loop, and how it falls asleep without losing a
// wake-up.
//
// A pass attaches the clients that wait to be attached, publishes what was read, writes to every
// client what the client lacks, and looks for clients that block the room in the log. Load makes
// the batches; a lone line leaves at once. A pass never waits: what cannot be done now becomes a
// reason to be woken.
//
// The order of these steps, and the words that a worker remembers between two passes, decide
// whether every byte is delivered and every sleeper woken. So they stand here by themselves: the
// worker (worker/relay.h) and the model that tries every interleaving (tests/model) run this code,
// each with its own steps. No memory is allocated here, since the model copies its processes.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/broadcast_log.h"
#include "worker/relay/ingest.h"

#include <cstdint>
#include <optional>

namespace chatserv {

// The steps of a pass, as far as they depend on who makes it.
class PassSteps {
public:
    // Attaches the clients that wait to be attached. False if another process holds the log's lock.
    [[nodiscard]] virtual bool attach_newcomers() = 0;
    // Publishes the batch. Nothing if it must not be published yet, since a client is in doubt.
    [[nodiscard]] virtual std::optional<Ingest::Publish> publish() = 0;
    // The staging area is empty: clients that waited for that can go on.
    virtual void everything_is_published() = 0;
    // Writes what is missing in a log that ends at `head`: to all clients that take bytes, or only
    // to those that have not been written to since they were attached.
    virtual void deliver(uint64_t head, bool to_all) = 0;
    // Up to where the clients may be served of a log that ends at `head`.
    [[nodiscard]] virtual uint64_t deliverable(uint64_t head) const = 0;
    // Whether a client's cursor is below `wanted`. `first_look`: for the first time since an
    // appender has asked for that offset.
    [[nodiscard]] virtual bool blocks_room(uint64_t wanted, bool first_look) = 0;

    [[nodiscard]] virtual bool has_clients() const = 0;
    // Clients were attached and have not been written to.
    [[nodiscard]] virtual bool has_fresh_clients() const = 0;
    // Something besides the log has changed, so that all clients have to be looked at.
    // take_changes() forgets that.
    [[nodiscard]] virtual bool has_changes() const = 0;
    // A client waits for what it has sent to come back through a joined room's order.
    [[nodiscard]] virtual bool waits_for_count() const = 0;
    [[nodiscard]] virtual bool take_changes() = 0;

protected:
    ~PassSteps() = default;
};

class Pass {
public:
    // What a worker remembers from one pass to the next.
    struct State {
        uint64_t delivered_head = 0;   // the offset up to which clients that take bytes were served
        uint64_t seen_room_wanted = 0; // the demand for room that all clients were compared with
        uint64_t told_room_wanted = 0; // the last demand for room that this worker told the others
        bool again = false;            // a client may lack bytes although the head has not moved
        bool waits_for_lock = false;   // another worker was appending
        bool waits_for_room = false;   // a batch is staged for which the log had no room
        bool blocks_room = false;      // a client of this worker is below seen_room_wanted
    };

    Pass(const Segment& segment, EntryId entry, const Doorbells& doorbells) :
        log_(segment), doorbells_(doorbells), entry_(entry), joined_(segment.joined()) {}

    [[nodiscard]] const State& state() const { return state_; }

    // Another pass is needed, with a delivery to all clients, even if the head does not move.
    void run_again() { state_.again = true; }
    // A client that a takeover has brought is below the offset that the others were compared with.
    void note_blocked_room() { state_.blocks_room = true; }

    void run(PassSteps& steps);
    // Only these two steps, to make room for reading.
    void publish_and_deliver(PassSteps& steps);

    // Whether the worker may sleep now. If so, its sleep has been announced (doorbell.h).
    [[nodiscard]] bool may_sleep(PassSteps& steps, const Doorbell& doorbell);

    // What may_sleep() is made of, in this order: whether work is left whatever other workers do;
    // what would have to wake the worker; and, after that has been announced, whether a second look
    // finds work.
    [[nodiscard]] bool has_work(const PassSteps& steps) const;
    [[nodiscard]] uint32_t wake_reasons(const PassSteps& steps) const;
    [[nodiscard]] bool finds_work(PassSteps& steps, uint32_t announced);

private:
    void attach_and_publish(PassSteps& steps);
    void publish(PassSteps& steps);
    void tell_room_wanted();
    [[nodiscard]] uint64_t room_wanted(const PassSteps& steps) const;
    void deliver(PassSteps& steps);
    void watch_room(PassSteps& steps);

    BroadcastLog log_;
    const Doorbells& doorbells_;
    EntryId entry_;
    bool joined_; // what is published is for the bridge to read (room_records.h)
    State state_;
};

} // namespace chatserv
