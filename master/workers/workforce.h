// The workforce: all worker processes together, and everything that follows from what they say,
// from their exits and from the lack of them.
//
// It takes the events of the workers, asks one of its parts (worker_pool, succession, staffing
// ...), and applies the answer to the others and to the client book. The master above it decides
// when the server serves and when it stops.
#pragma once

#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/workers/balancer.h"
#include "master/workers/client_dispatch.h"
#include "master/workers/draining.h"
#include "master/workers/exit_watch.h"
#include "master/workers/hearing.h"
#include "master/workers/hold_up.h"
#include "master/workers/kicking.h"
#include "master/workers/log_file_dispatch.h"
#include "master/workers/moving.h"
#include "master/workers/renewal.h"
#include "master/workers/replacing.h"
#include "master/workers/retiring.h"
#include "master/workers/staffing.h"
#include "master/workers/standing_orders.h"
#include "master/workers/succession.h"
#include "master/workers/worker_pool.h"
#include "master/workers/worker_rights.h"
#include "shared/ipc/doorbell.h"

#include <chrono>
#include <optional>
#include <span>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

class Workforce {
public:
    using Clock = std::chrono::steady_clock;

    // `channel_tag`: as WorkerPool takes it. `doorbell_pipes`: one per entry
    // (Segment::all_entries).
    Workforce(const WorkerProgram& program, const Options& options, const Segment& segment,
        const Ledger& ledger, const std::vector<FdPair>& doorbell_pipes, ClientBook& clients,
        EventQueue& events, ServedClock& clock, Tag channel_tag);

    // Starts the first processes.
    void begin();
    // In a successor, in place of begin(): takes over the processes of the dead master, gives them
    // channels, and recovers the entries of those that have died (MW8 to MW11).
    // put_seats_in_order() was called before this process opened anything. `serving`: the server
    // had begun to serve.
    void take_over(bool serving);
    // True where a process that an earlier master had started was recovered since this was asked
    // last: the keeper may reap it now (may_reap()).
    [[nodiscard]] bool take_may_reap() { return std::exchange(may_reap_, false); }

    // These options are in force from now on. Every process is told that the settings in the
    // segment have changed (relay_settings.h).
    void follow(const Options& options);

    // Gives every process another channel, on which it introduces itself anew.
    void renew_channels();

    // Events: the channel of a process, the exit of one, and SIGCHLD. The latter two throw Failure
    // where the server starts and no worker can be had.
    void handle_channel(pid_t pid);
    void handle_exit(pid_t pid);
    void reap_children();

    // The entry that serves the next newcomer, and the newcomers that were assigned so.
    [[nodiscard]] EntryId entry_for_newcomer() const { return balancer_.entry_for_newcomer(); }
    void add(std::span<const Acceptor::Admitted> admitted);

    // In each turn of the loop. Before its events: ends hung processes, starts missing ones, and
    // reads the messages that are left from the turn before. After its events: sends what is to be
    // sent.
    void begin_turn();
    void end_turn();
    // When the next turn is due at the latest; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_turn() const;
    // A takeover, a drain or the start of a process is under way: its time is measured.
    [[nodiscard]] bool is_timed() const {
        return succession_.any_under_way() || draining_.any_under_way() ||
               pool_.staff().starting > 0;
    }
    // The takeovers that have come to their end since this was asked last.
    [[nodiscard]] std::vector<FinishedTakeover> take_finished() {
        return std::exchange(finished_, {});
    }

    // Ends a process of a former program, if there is one and it is time (Replacing).
    [[nodiscard]] Replacing::Verdict replace_former() {
        return replacing_.look(succession_.any_under_way());
    }

    // Looks whether workers are missing, while the server starts or serves. Returns true at the
    // start, once, when the server is to serve; to be asked again then. Throws Failure where no
    // worker can be had.
    [[nodiscard]] bool look_at_staff();

    // Standard error has become another file.
    void send_log_file() { log_file_dispatch_.send_to_all(); }
    // The server stops: tells every worker, and each of their successors, stop_reading or finish.
    void order(MessageType order) {
        draining_.stop();
        balancer_.stop();
        retiring_.stop();
        orders_.give(order);
    }
    // Every worker has published all that it read (StandingOrders).
    [[nodiscard]] bool all_stopped_reading() const { return orders_.all_stopped_reading(); }
    // The processes end when their channels are closed, or are killed; no others are started.
    void dismiss() {
        dismissed_ = true;
        pool_.dismiss_all();
    }
    void kill() {
        pool_.kill_all();
        dismiss();
    }
    [[nodiscard]] bool empty() const { return pool_.empty(); }

    [[nodiscard]] WorkerPool& pool() { return pool_; }
    [[nodiscard]] Draining& draining() { return draining_; }
    [[nodiscard]] Kicking& kicking() { return kicking_; }
    [[nodiscard]] const Balancer& balancer() const { return balancer_; }

private:
    [[nodiscard]] bool read_channel(WorkerProcess& process, int messages_max);
    void bury(pid_t pid);
    void bury_the_gone();
    void recover(EntryId entry, const std::string& cause, ServedClock::time_point died_at);
    void assign_spares();
    void finish_takeovers();

    const uint32_t entries_; // of the worker table
    ClientBook& clients_;
    ServedClock& clock_;
    Doorbells doorbells_;
    WorkerPool pool_;
    ExitWatch exit_watch_;
    Renewal renewal_;
    ClientDispatch dispatch_;
    LogFileDispatch log_file_dispatch_;
    Succession succession_;
    Staffing staffing_;
    StandingOrders orders_;
    Moving moving_;
    Kicking kicking_;
    Draining draining_;
    Balancer balancer_;
    HoldUp hold_up_;
    WorkerRights rights_;
    Hearing hearing_;
    Replacing replacing_;
    Retiring retiring_;
    std::vector<pid_t> unread_; // processes of whose messages only a part was read in this turn
    std::vector<FinishedTakeover> finished_;
    bool starting_ = true; // the server does not serve yet
    bool dismissed_ = false;
    bool may_reap_ = false;
};

} // namespace chatserv
