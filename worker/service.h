// Serving the clients of one entry of the worker table: the way of each through its phases, and of
// each byte through ingest and fan-out.
//
// A pass over the work (settle) attaches who is new, publishes what was read, then writes to every
// client what it lacks: batching comes from load, and a lone line leaves at once. Nothing here
// waits; what cannot be done now says what it waits for (wake_reasons).
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/ipc/protocol.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/heartbeat.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"
#include "worker/clients/roster.h"
#include "worker/limits/deadlines.h"
#include "worker/limits/one_shot_timer.h"
#include "worker/limits/rate_limit.h"
#include "worker/limits/stall_watch.h"
#include "worker/relay/fan_out.h"
#include "worker/relay/ingest.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

class Service {
public:
    Service(const Segment& segment, uint32_t entry, EventQueue& events, const Doorbells& doorbells,
        Heartbeat& heartbeat);

    // Events. Each says what happened; settle() then does what follows from it.
    void receive(ClientId id, UniqueFd fd);
    void readable(ClientId id);
    void writable(ClientId id);
    void stall_timer();
    void linger_timer();
    void throttle_timer(RateLimit::Clock::time_point now);
    void idle_timer(ServedClock::time_point now);
    void stop_reading(); // no client is read any more
    void finish();       // every client is to get what the log holds now, and is closed

    void settle();

    // By which all limits but the rate are measured.
    [[nodiscard]] ServedClock& clock() { return clock_; }
    // Until the worker must look at that clock again: see there.
    [[nodiscard]] ServedClock::duration sleep_max() const;

    // Before sleeping, in this order (doorbell.h): pending work, announce, look again.
    [[nodiscard]] bool has_work() const { return pass_needed_ || !fresh_.empty(); }
    [[nodiscard]] uint32_t wake_reasons() const;
    [[nodiscard]] bool look_again();

    // stop_reading() has been called, and the log has all that was read before, by a predecessor
    // too.
    [[nodiscard]] bool stopped_reading() const {
        return stop_reading_ && newcomers_.empty() && doubt_.operation == Operation::none &&
               ingest_.empty();
    }

    // What the master has to be told; taken away by the caller.
    [[nodiscard]] std::vector<ClientId> take_attached() { return std::exchange(attached_, {}); }
    [[nodiscard]] std::vector<ClosedClient> take_closed() { return std::exchange(closed_, {}); }
    // Who was held up by the rate limit, once each.
    [[nodiscard]] std::vector<ClientId> take_throttled() {
        return std::exchange(newly_throttled_, {});
    }
    // Once: what was in flight when the predecessor died is settled, by so many bytes.
    [[nodiscard]] std::optional<uint64_t> take_settled_bytes() {
        return std::exchange(settled_bytes_, std::nullopt);
    }

private:
    struct Newcomer {
        ClientId id;
        UniqueFd fd;
    };

    void attach_newcomers();
    [[nodiscard]] Client* attach(Newcomer& newcomer);
    void find_own_ranges(const std::vector<Client*>& newcomers);
    void start_reading(Client& client);
    [[nodiscard]] bool client_in_doubt_is_missing();
    void settle_doubt();
    void settled(uint64_t bytes);

    void publish();
    void tell_room_wanted();
    void after_publishing();

    void hold_reading(Client& client, Client::ReadHold why);
    void release_reading(Client& client, Client::ReadHold why);
    [[nodiscard]] size_t allowance_of(Client& client);
    void heard(Client& client, uint64_t bytes);
    void tell_throttled();
    void note_heard(Client& client);
    [[nodiscard]] ServedClock::time_point idle_deadline_of(
        Client& client, ServedClock::time_point now);
    void watch_idle(Client& client);
    [[nodiscard]] bool is_idle(ClientId id, ServedClock::time_point now);

    void deliver_to_all();
    void deliver_to(Client& client);
    static void skip_to(Client& client, uint64_t log_offset);
    void mute(Client& client, int error);
    [[nodiscard]] uint64_t target_of(const Client& client) const;
    void wait_for_write(Client& client);
    void disable_write_filter(Client& client);
    void watch_room();
    void watch_room_of(Client& newcomer);

    void end(Client& client, LeaveReason reason, int error);
    void begin_closing(Client& client);
    void delivered_all_to_closing(Client& client);
    void drop(Client& client, LeaveReason reason, int error);
    void discard_input(Client& client);
    void leave(Client& client);
    void arm_stall_timer();
    // In the midst of a pass that takes its time.
    void beat() { (void)clock_.now(chatserv::beat(heartbeat_)); }

    uint32_t entry_;
    WorkerEntry* shared_entry_;
    EventQueue& events_;
    const Doorbells& doorbells_;
    Heartbeat& heartbeat_;
    std::chrono::milliseconds stall_limit_;
    std::chrono::milliseconds idle_timeout_; // 0: nobody is idle
    ServedClock clock_;
    UserTable users_;
    BroadcastLog log_;
    LogControl* log_control_;
    Ingest ingest_;
    FanOut fan_out_;
    Roster roster_;
    StallWatch stalls_;
    OneShotTimer<ServedClock> stall_timer_;
    RateLimit rate_;
    Deadlines<RateLimit::Clock> throttled_; // not read until then
    OneShotTimer<RateLimit::Clock> throttle_timer_;
    std::string too_fast_line_;
    Deadlines<ServedClock> idle_; // everybody, where there is a timeout
    OneShotTimer<ServedClock> idle_timer_;

    // The operation in the midst of which a predecessor died. Until the kernel has been asked how
    // far it got, nothing is published, read or written: the staging area may hold bytes that no
    // record names, and the entry's word for what is in flight is taken.
    InFlight doubt_;
    std::optional<uint64_t> settled_bytes_;
    std::vector<Newcomer> newcomers_; // received, not yet attached
    std::vector<ClientId> fresh_;     // attached, not yet written to
    std::vector<ClientId> held_;      // not read until the batch is published
    std::vector<ClientId> ended_;     // to be closed once their last bytes are published
    std::vector<ClientId> lingering_; // see Client::Phase
    std::vector<ClientId> to_tell_;   // that they send too fast
    std::vector<ClientId> newly_throttled_;
    std::vector<ClientId> attached_;
    std::vector<ClosedClient> closed_;

    uint64_t delivered_head_ = 0;   // the head up to which the flowing clients were served
    uint64_t seen_room_wanted_ = 0; // the demand for room that the clients were checked against
    bool pass_needed_ = false;      // somebody may be behind although the head has not moved
    uint64_t told_room_wanted_ = 0; // the last demand for room that this worker told the others
    bool waits_for_lock_ = false;   // somebody else was appending
    bool waits_for_room_ = false;   // a batch is staged that did not fit
    bool blocks_room_ = false;      // a client of ours is below seen_room_wanted_
    bool stop_reading_ = false;
    bool finishing_ = false;
};

// The idents of a worker's timers.
inline constexpr uintptr_t stall_timer_ident = 1;
inline constexpr uintptr_t linger_timer_ident = 2;
inline constexpr uintptr_t throttle_timer_ident = 3;
inline constexpr uintptr_t idle_timer_ident = 4;

} // namespace chatserv
