// Serving the clients of one entry of the worker table.
//
// The relay leads the worker's events to parts that own their state, and applies their verdicts; no
// part calls another. The parts work in the order of a pass (worker/relay/pass.h).
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/room_records.h"
#include "shared/system/panic.h"
#include "worker/clients/pulse.h"
#include "worker/clients/roster.h"
#include "worker/clients/socket_filters.h"
#include "worker/lifecycle/attaching.h"
#include "worker/lifecycle/closing.h"
#include "worker/lifecycle/handing_over.h"
#include "worker/lifecycle/in_doubt.h"
#include "worker/lifecycle/learning.h"
#include "worker/lifecycle/notices.h"
#include "worker/lifecycle/reading.h"
#include "worker/lifecycle/resuming.h"
#include "worker/lifecycle/untaken.h"
#include "worker/limits/idle_watch.h"
#include "worker/limits/rate_limiter.h"
#include "worker/limits/room_watch.h"
#include "worker/limits/timers.h"
#include "worker/relay/deliveries.h"
#include "worker/relay/pass.h"
#include "worker/relay/publisher.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace chatserv {

// What the master has to be told.
struct Report {
    std::optional<uint64_t> settled_bytes{}; // see Settled in protocol.h
    std::vector<ClientId> attached{};
    std::vector<ClientId> throttled{};
    std::vector<ClientId> handed_over{};
    std::vector<ClosedClient> closed{};
};

class Relay final : private PassSteps {
public:
    // `account`: asked about a client that a predecessor left in doubt.
    Relay(const Segment& segment, EntryId entry, EventQueue& events, const Doorbells& doorbells,
        Heartbeat& heartbeat, SocketAccount account, const RelaySettings& settings);

    // The settings have changed. A limit that runs on a client begins anew, so that no client has
    // to leave because of the change itself.
    void follow(const RelaySettings& settings);

    // A client that the master has sent. One that this worker serves already is confirmed at once:
    // it may be let go before the next newcomers are attached, and must not come back with them.
    void receive(ClientId id, UniqueFd fd) {
        handing_over_.forget(id);
        if (roster_.find(id) != nullptr)
            attaching_.confirm(id);
        else
            attaching_.add(id, std::move(fd));
    }
    // Clients that the master wants for another worker. Once the server stops, they stay.
    void hand_over(std::span<const ClientId> clients) {
        if (!filters_.stopped_reading())
            handing_over_.ask(clients);
    }

    // Clients that an operator ends.
    void kick(std::span<const ClientId> clients) { closing_.send_away(clients); }

    // Events. settle() does what follows from them.
    // `at_end`: nothing can follow the bytes that wait in the client's socket.
    void readable(ClientId id, bool at_end = false);
    void writable(ClientId id);
    void timer(Timer timer, const Instants& now);
    // The server stops. First no client is read any more; then every client gets what the log
    // holds, and is closed. `reason`: as Closing::finish() takes it.
    void stop_reading() {
        filters_.stop_reading(roster_);
        handing_over_.cancel();
        if (room_ != nullptr && load_acquire(room_->report.loss) != 0)
            room_watch_.end_demands(); // the bridge has ended and is the last that appended
    }
    void finish(LeaveReason reason) { closing_.finish(reason); }

    // Something was read and waits for the next pass, and it is not enough to fill a large write.
    [[nodiscard]] bool has_small_batch() const { return publisher_.ingest().is_small(); }
    // It came in small pieces, and larger ones would cost less.
    [[nodiscard]] bool has_pieces() const { return publisher_.ingest().is_in_pieces(); }
    // Makes a pass.
    void settle();
    // How long the worker may sleep now: at most `longest`, and not at all while there is work. If
    // it may sleep, its sleep has been announced.
    [[nodiscard]] std::chrono::nanoseconds time_to_sleep(
        const Doorbell& doorbell, std::chrono::nanoseconds longest);

    // The clock of all limits but the rate.
    [[nodiscard]] ServedClock& clock() { return clock_; }
    // What has happened since this was asked last.
    [[nodiscard]] Report take_report() {
        forget_closed();
        untaken_closed_.add(closed_);
        return {.settled_bytes = in_doubt_.take_settled_bytes(),
            .attached = attaching_.take_attached(),
            .throttled = rate_limiter_.take_throttled(),
            .handed_over = handing_over_.take_handed_over(),
            .closed = std::exchange(closed_, {})};
    }
    // A new channel leads to the master: the next report says everything that the master may not
    // know, and what was asked over the old channel is forgotten (protocol.h).
    void tell_again() {
        handing_over_.cancel();
        handing_over_.tell_again();
        in_doubt_.tell_again();
        attaching_.tell_again(roster_);
        rate_limiter_.tell_again();
        untaken_closed_.add(std::exchange(closed_, {}));
        closed_ = untaken_closed_.take_all();
    }
    // stop_reading() was called, and the log has everything that was read before, by a predecessor
    // too.
    [[nodiscard]] bool has_stopped_reading() const {
        return filters_.stopped_reading() && attaching_.empty() && !in_doubt_.any() &&
               publisher_.ingest().empty();
    }

private:
    // The steps of a pass.
    bool attach_newcomers() override;
    std::optional<Ingest::Publish> publish() override;
    void everything_is_published() override;
    uint64_t deliverable(uint64_t head) const override { return learning_.known_up_to(head); }
    void deliver(uint64_t head, bool to_all) override;
    bool blocks_room(uint64_t wanted, bool first_look) override {
        return room_watch_.any_blocks(roster_, wanted, first_look);
    }
    // Those who rest need nothing of the log: its growth does not wake a worker that has no others.
    bool has_clients() const override { return roster_.any_awake(); }
    bool has_fresh_clients() const override { return delivery_.has_fresh(); }
    bool has_changes() const override {
        return closing_.has_changes() || handing_over_.has_changes();
    }
    bool waits_for_count() const override { return closing_.waits_for_count(); }
    bool take_changes() override {
        const bool closed = closing_.take_changes();
        return handing_over_.take_changes() || closed;
    }

    void begin_to_serve(Client& client);
    // Those that have said from where they resume. False if another worker holds the log's lock.
    [[nodiscard]] bool place_resuming() {
        const std::optional<std::vector<Client*>> placed = resuming_.place(roster_);
        for (Client* const client : placed.value_or(std::vector<Client*>())) {
            roster_.wake(*client);
            delivery_.add_fresh(client->id);
            if (const int error = filters_.have_first_line(*client))
                closing_.end(*client, LeaveReason::read_error, error);
        }
        return placed.has_value();
    }
    // What a client has said meanwhile counts: this worker may have been stopped for long.
    void resume_timer(Resuming::Clock::time_point now) {
        for (const ClientId id : resuming_.take_due(now)) {
            readable(id);
            if (const Client* const client = roster_.find(id))
                resuming_.serve_from_now(*client);
        }
    }
    void settle_doubt(ClientId id) {
        Client* const client = roster_.find(id);
        invariant(client != nullptr, "other clients were attached before the client in doubt");
        if (!in_doubt_.settle(*client, publisher_.ingest(), RateLimiter::line_bytes_max))
            closing_.drop(*client, LeaveReason::in_doubt, 0);
    }
    void resume_reading(ClientId id, Client::PauseReason reason);
    void deliver_to(Client& client, uint64_t head);
    void wait_for_write(Client& client, bool anew);
    void room_timer();
    void idle_timer(ServedClock::time_point now);
    [[nodiscard]] bool is_idle(ClientId id, ServedClock::time_point now);
    void forget_closed() {
        for (const ClosedClient& closed : closing_.take_closed()) {
            forget(closed.client);
            closed_.push_back(closed);
        }
    }
    // The watches know clients by their ids and bear with one that has left, so they are told late.
    void forget(ClientId id) {
        room_watch_.forget(id);
        rate_limiter_.forget(id);
        idle_watch_.forget(id);
        resuming_.forget(id);
    }

    EntryId entry_;
    LogControl* log_control_;
    LogControl* outbound_control_; // null if no room is joined, as the next one
    const RoomControl* room_;
    ServedClock clock_;
    Pulse pulse_;
    Pass pass_;
    Roster roster_;
    SocketFilters filters_;
    Publisher publisher_;
    Deliveries delivery_;
    RoomWatch room_watch_;
    RateLimiter rate_limiter_;
    IdleWatch idle_watch_;
    Notices notices_;
    Reading reading_;
    Learning learning_;
    Attaching attaching_;
    Resuming resuming_;
    InDoubt in_doubt_;
    Closing closing_;
    HandingOver handing_over_;
    std::vector<ClosedClient> closed_; // since the last report
    Untaken<ClosedClient> untaken_closed_;
};

} // namespace chatserv
