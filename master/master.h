// The master: accepts clients, gives each to a worker, and keeps the workers alive.
//
// It relays nothing, and it waits for nothing but its kqueue: no worker, no lock and no client can
// hold it up. What it knows of the clients is in its escrow, what it knows of the workers in its
// pool; here is only what happens when.
#pragma once

#include "master/clients/admission.h"
#include "master/clients/counters.h"
#include "master/clients/escrow.h"
#include "master/clients/listener.h"
#include "master/clients/turned_away.h"
#include "master/config/options.h"
#include "master/control/control.h"
#include "master/start/log_file.h"
#include "master/workers/takeover.h"
#include "master/workers/worker_pool.h"
#include "master/workers/worker_program.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// The idents of the master's timers.
inline constexpr uintptr_t turned_away_timer_ident = 1;
inline constexpr uintptr_t stop_timer_ident = 2;

// What the events of the master's kqueue are about.
enum class MasterEvent : uint8_t {
    listener = 1, // index: of listeners_
    channel = 2,  // generation: the worker's pid
    turned_away = 3,
    control = 4,
    signals = 5,
};

class Master {
public:
    // Opens everything that the server needs, so that what is missing is said at the start. Throws
    // Failure or std::system_error.
    Master(const Options& options, const WorkerProgram& program, LogFile& log_file);

    // Serves until it is told to stop. Returns the exit status; throws Failure where the workers
    // cannot even be started.
    [[nodiscard]] int run();

private:
    enum class Phase {
        starting,  // not every worker that can be had has been at its place once
        serving,   //
        draining,  // stopping: the workers publish what they have read
        finishing, // stopping: every client gets the rest of the log
        dismissing // stopping: the workers end
    };

    // events: master.cpp
    void watch_signals();
    void handle(const EventQueue::Event& event);
    void handle_signals();
    void handle_timer(uintptr_t ident);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep();
    [[nodiscard]] std::optional<std::chrono::nanoseconds> until_next_look() const;
    [[nodiscard]] ServedClock::duration sleep_max() const;
    void tell_standstill();

    // newcomers: accepting.cpp
    bool accept_clients(const Listener& listener);
    [[nodiscard]] std::optional<Listener::Accepted> accept_one(const Listener& listener) const;
    void take_in(Listener::Accepted newcomer);
    void turn_away(Listener::Accepted newcomer, Refusal why);
    void say_farewell(UniqueFd socket, std::string_view line);
    [[nodiscard]] EntryId entry_for_a_newcomer() const;
    void pause_accepting(int error);
    void try_to_accept_again();
    void let_go(ClientId client, Departure why);

    // what the workers say: workers.cpp
    void handle_channel(pid_t pid);
    [[nodiscard]] bool read_channel(WorkerPool::Process& process, int messages_max);
    void read_on();
    bool handle_message(WorkerPool::Process& process, const Message& message);
    void send_again_later(const WorkerPool::Process& process, std::span<const ClientId> clients);
    void send_again();
    void send_log_file_later(WorkerPool::Process& process);
    void confirm_attached(WorkerPool::Process& process, ClientId client);
    void client_closed(const WorkerPool::Process& process, const ClosedClient& closed);
    void client_throttled(const WorkerPool::Process& process, ClientId client);
    void distrust(WorkerPool::Process& process);
    void tell_confinement(Confinement in_force) const;

    // who serves which entry: manning.cpp
    void handle_exit(pid_t pid);
    void reap_children();
    void bury(WorkerPool::Process& process, int wait_status);
    void replenish_pool();
    void man_entries();
    void send_clients(EntryId entry);
    void is_served(Escrow::Held& held);
    void finish_takeover(EntryId entry);

    // fewer workers than asked for: staffing.cpp
    void look_at_staff();
    void weigh_failed_start(const WorkerPool::Departure& departure, const std::string& cause);
    [[nodiscard]] bool keep_own_rights_instead(const WorkerPool::Departure& departure);
    void limit_hold_up();
    [[nodiscard]] std::string staff_text() const;
    [[nodiscard]] uint32_t users_without_worker() const;

    // the control socket: control_requests.cpp
    void start_control();
    [[nodiscard]] std::string greeting() const;
    [[nodiscard]] std::string answer(const Control::Request& request);
    [[nodiscard]] std::string strike(const Control::Request& request);
    [[nodiscard]] std::string statistics() const;
    void tell_takeover(const Takeover& takeover, double milliseconds);

    // from start to stop: phases.cpp
    void start_serving();
    void handle_signal(int signal);
    void handle_stop(int signal);
    void open_log_again();
    void begin_stop(int signal);
    [[nodiscard]] std::chrono::milliseconds stop_limit() const;
    [[nodiscard]] int set_stop_timer(ServedClock::duration time);
    void stop_timer();
    void advance_stop();
    void tell_workers(MessageType message);

    EventQueue events_;
    ServedRecord served_{};
    ServedClock clock_; // of every limit here; the pauses before another try are the steady clock's
    EventQueue signals_; // watched by events_: a kqueue with signals in it is dear to wait for
    // Opened before anything else is said or done; later control_ has it.
    std::unique_ptr<ControlSocket> control_socket_;
    Segment segment_;
    std::vector<FdPair> doorbell_pipes_; // one per entry
    Doorbells doorbells_;
    std::vector<Listener> listeners_;
    Admission admission_;
    Counters counters_;
    Escrow escrow_;
    TakeoverBook takeovers_;
    LogFile& log_file_;
    std::optional<Control> control_;
    TurnedAway turned_away_;
    WorkerPool pool_;

    // Clients to be sent to an entry's worker: those that it was not sent yet, by entry.
    std::vector<std::vector<ClientId>> outbox_;
    std::vector<ClientId> not_received_; // to be sent again, and when
    std::optional<std::chrono::steady_clock::time_point> send_again_at_{};
    std::vector<pid_t> unread_;         // whose words were received, but not all of them heard yet
    std::vector<bool> stopped_reading_; // by entry, while draining
    std::chrono::milliseconds stall_limit_;
    std::chrono::milliseconds hang_limit_;
    uint32_t keepalive_seconds_;
    std::string worker_user_; // empty: who started the master
    bool worker_user_by_default_;
    bool keeps_own_rights_ = false;              // although worker_user_by_default_
    std::optional<uint32_t> manned_when_told_{}; // that workers are short: how many there were
    // That users without a worker keep the log full, and for how long they have.
    struct HoldUp {
        std::chrono::steady_clock::time_point last_look;
        std::chrono::nanoseconds lasted;
    };
    std::optional<HoldUp> hold_up_{};
    bool confinement_told_ = false;

    // While nobody can be accepted. (Neither for this nor for `send_again_at_` a timer of its own:
    // where descriptors are short it might not be had.)
    struct AcceptPause {
        ServedClock::time_point begun;
        std::chrono::steady_clock::time_point retry_at;
    };
    std::optional<AcceptPause> accept_pause_{};
    ServedClock::time_point stop_begun_{};
    Phase phase_ = Phase::starting;
    int exit_status_ = 0;
};

} // namespace chatserv
