// Serving the clients of one entry of the worker table.
//
// The relay leads the worker's events to parts that own their state, and applies their verdicts; no
// part calls another. The parts work in the order of a pass (worker/relay/pass.h).
#pragma once

#include "worker/clients/pulse.h"
#include "worker/clients/roster.h"
#include "worker/clients/socket_filters.h"
#include "worker/lifecycle/attaching.h"
#include "worker/lifecycle/closing.h"
#include "worker/lifecycle/handing_over.h"
#include "worker/lifecycle/in_doubt.h"
#include "worker/lifecycle/notices.h"
#include "worker/lifecycle/reading.h"
#include "worker/limits/idle_watch.h"
#include "worker/limits/rate_limiter.h"
#include "worker/limits/room_watch.h"
#include "worker/limits/timers.h"
#include "worker/relay/delivery.h"
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
        Heartbeat& heartbeat, SocketAccount account);

    // A client that the master has sent.
    void receive(ClientId id, UniqueFd fd) { attaching_.add(id, std::move(fd)); }
    // Clients that the master wants for another worker. Once the server stops, they stay.
    void hand_over(std::span<const ClientId> clients) {
        if (!filters_.stopped_reading())
            handing_over_.ask(clients);
    }

    // Events. settle() does what follows from them.
    void readable(ClientId id);
    void writable(ClientId id);
    void timer(Timer timer, const Instants& now);
    // The server stops. First no client is read any more; then every client gets what the log
    // holds, and is closed.
    void stop_reading() {
        filters_.stop_reading(roster_);
        handing_over_.cancel();
    }
    void finish() { closing_.finish(); }

    // Something was read and waits for the next pass, and it is not enough to fill a large write.
    [[nodiscard]] bool has_small_batch() const { return publisher_.ingest().is_small(); }
    // Makes a pass.
    void settle();
    // How long the worker may sleep now: at most `longest`, and not at all while there is work. If
    // it may sleep, its sleep has been announced.
    [[nodiscard]] std::chrono::nanoseconds time_to_sleep(
        const Doorbell& doorbell, std::chrono::nanoseconds longest);

    // The clock of all limits but the rate.
    [[nodiscard]] ServedClock& clock() { return clock_; }
    // What has happened since this was asked last.
    [[nodiscard]] Report take_report();
    // stop_reading() was called, and the log has everything that was read before, by a predecessor
    // too.
    [[nodiscard]] bool has_stopped_reading() const;

private:
    // The steps of a pass.
    bool attach_newcomers() override;
    std::optional<Ingest::Publish> publish() override;
    void everything_is_published() override;
    void deliver(uint64_t head, bool to_all) override;
    bool blocks_room(uint64_t wanted, bool first_look) override;
    bool has_clients() const override { return !roster_.empty(); }
    bool has_fresh_clients() const override { return delivery_.has_fresh(); }
    bool has_changes() const override {
        return closing_.has_changes() || handing_over_.has_changes();
    }
    bool take_changes() override;

    void begin_to_serve(Client& client);
    void settle_doubt(ClientId id);
    void resume_reading(ClientId id, Client::PauseReason reason);
    void deliver_to(Client& client, uint64_t head);
    void wait_for_write(Client& client, bool anew);
    void room_timer();
    void idle_timer(ServedClock::time_point now);
    [[nodiscard]] bool is_idle(ClientId id, ServedClock::time_point now);
    void forget(ClientId id);
    void forget_closed();

    EntryId entry_;
    LogControl* log_control_;
    ServedClock clock_;
    Pulse pulse_;
    Pass pass_;
    Roster roster_;
    SocketFilters filters_;
    Publisher publisher_;
    Delivery delivery_;
    RoomWatch room_watch_;
    RateLimiter rate_limiter_;
    IdleWatch idle_watch_;
    Notices notices_;
    Reading reading_;
    Attaching attaching_;
    InDoubt in_doubt_;
    Closing closing_;
    HandingOver handing_over_;
    std::vector<ClosedClient> closed_; // since the last report
};

} // namespace chatserv
