// The master: accepts clients, gives each to a worker, and keeps the workers alive.
//
// It relays nothing, and it waits for nothing but its kqueue: no worker, no lock and no client can
// hold it up. Everything that it knows belongs to one of its parts. The master itself only takes
// events, asks a part, and tells the others what follows from the answer.
#pragma once

#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/config/options.h"
#include "master/control/control_desk.h"
#include "master/preparation.h"
#include "master/shutdown.h"
#include "master/signal_watch.h"
#include "master/start/log_file.h"
#include "master/workers/worker_program.h"
#include "master/workers/workforce.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <optional>
#include <span>

namespace chatserv {

class Master {
public:
    // Gets everything that the server needs, so that the start fails here if anything is missing.
    // Throws Failure or std::system_error.
    Master(const Options& options, const WorkerProgram& program, LogFile& log_file);

    // Serves until it is told to stop. Returns the exit status; throws Failure where not even one
    // worker can be started.
    [[nodiscard]] int run();

private:
    [[nodiscard]] std::span<const EventQueue::Event> wait();
    void handle(std::span<const EventQueue::Event> events);
    void handle(const EventQueue::Event& event);
    void handle_signals();
    void open_log_again();
    void advance_stop();
    void stop(Shutdown::Step step);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep();

    const Options& options_;
    LogFile& log_file_;
    EventQueue events_;
    ServedRecord served_{};
    // Of every limit here. The pauses before another try are measured by the steady clock.
    ServedClock clock_;
    Preparation prepared_;
    ClientBook clients_;
    Acceptor acceptor_;
    Workforce workforce_;
    Shutdown shutdown_;
    SignalWatch signals_;
    ControlDesk control_;
    const Acceptor::ChooseEntry choose_entry_;
};

} // namespace chatserv
