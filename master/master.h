// The master: accepts clients, gives each to a worker, and keeps the workers alive.
//
// It relays nothing, and it waits for nothing but its kqueue: no worker, no lock and no client can
// hold it up. Everything that it knows belongs to one of its parts. The master itself only takes
// events, asks a part, and tells the others what follows from the answer.
#pragma once

#include "master/bridge/bridge_events.h"
#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/clients/listener_store.h"
#include "master/companions.h"
#include "master/config/options.h"
#include "master/control/control_desk.h"
#include "master/events.h"
#include "master/keeper/keeper.h"
#include "master/preparation.h"
#include "master/reload/reloading.h"
#include "master/shutdown.h"
#include "master/signal_watch.h"
#include "master/sources/sources.h"
#include "master/start/log_file.h"
#include "master/start/service_manager.h"
#include "master/upgrade/upgrading.h"
#include "master/watched.h"
#include "master/workers/worker_program.h"
#include "master/workers/workforce.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <unistd.h>

namespace chatserv {

class Master {
public:
    // `options`: in force; a reload changes them. `prepared`: borrowed, like everything here.
    // `keeper`: null for none. Throws Failure or std::system_error.
    Master(Options& options, const WorkerProgram& program, LogFile& log_file, Preparation& prepared,
        KeeperLink* keeper);
    Master(const Master&) = delete;
    Master& operator=(const Master&) = delete;

    // Newcomers that a dead master had accepted, and that are noted nowhere (inheriting.h).
    // Before run(), which judges them.
    void note_newcomers(std::span<const Newcomer> newcomers) {
        for (const Newcomer& newcomer : newcomers)
            (void)clients_.newcomers().note(newcomer.socket, newcomer.role, newcomer.proxied);
    }

    // Serves until it is told to stop, the keeper has died or is to become another program. In the
    // latter two cases the clients go on. Throws Failure where not even one worker can be started.
    [[nodiscard]] MasterEnd run();

private:
    void begin();
    void begin_as_successor();
    [[nodiscard]] bool keeper_is_dead() const {
        return keeper_ != nullptr && keeper_->keeper_is_dead();
    }
    void turn();
    // Waits for events, and says so in the log if the server stood still meanwhile. Shorter
    // standstills are normal for a machine under too much load.
    [[nodiscard]] std::span<const EventQueue::Event> wait() {
        const std::span<const EventQueue::Event> events = events_.wait(time_to_sleep());
        (void)clock_.now();
        if (const auto stood_still = clock_.take_found(); stood_still >= std::chrono::seconds(1))
            events::stood_still(stood_still);
        return events;
    }
    // Newcomers come last, because clients that leave in the same turn make room for them.
    void handle(std::span<const EventQueue::Event> events) {
        for (const EventQueue::Event& event : events)
            if (!is_listener(event))
                handle(event);
        for (const EventQueue::Event& event : events)
            if (is_listener(event))
                workforce_.add(
                    acceptor_.accept(tag_of(event).generation(), clients_, choose_entry_));
    }
    void handle(const EventQueue::Event& event);
    void handle_signals();
    [[nodiscard]] std::string why_no_upgrade() const {
        return chatserv::why_no_upgrade(
            keeper_ != nullptr, shutdown_.starting(), shutdown_.stopping(), reloading_.reads());
    }
    void advance_upgrade() {
        upgrading_.look();
        if (!shutdown_.stopping() && !shutdown_.starting())
            upgrading_.advance(workforce_.replace_former());
        if (const auto finished = upgrading_.take_finished())
            control_.tell(*finished);
    }
    void advance_reload() {
        if (reloading_.look(!shutdown_.stopping() && !shutdown_.starting() &&
                            upgrading_.state() == UpgradeState::none))
            shutdown_.follow(options_.stall_limit);
        if (const auto finished = reloading_.book().take_finished())
            control_.tell(*finished);
    }
    void advance_stop() {
        while (shutdown_.stopping()) {
            const auto step = shutdown_.advance({.no_clients = clients_.escrow().empty(),
                .all_stopped_reading = workforce_.all_stopped_reading(),
                .untold_bytes = companions_.bridge().waiting_bytes()});
            if (step == Shutdown::Step::none)
                return;
            stop(step);
        }
    }
    void stop(Shutdown::Step step);
    [[nodiscard]] bool is_done() {
        return shutdown_.dismissing() && workforce_.empty() && companions_.empty() &&
               !sources_.has_processes();
    }
    // Those that are still held were served when the time was over and the workers were killed.
    void tell_who_has_not_read() {
        const uint64_t users =
            clients_.counters().left_because(LeaveReason::room_unread) + clients_.escrow().held();
        if (shutdown_.room_is_over() && users > 0)
            events::room_not_read(options_.room, users);
    }
    // It is told before the stop is noted. A master that dies in between has its successor tell it
    // again, since it is the one line that says why the server ends.
    void advance_room() {
        BridgeProcess& bridge = companions_.bridge();
        if (const auto finished = bridge.take_finished())
            control_.tell(*finished);
        const OrderLoss loss = bridge.loss();
        if (room_end_told_ || shutdown_.room_is_over() ||
            (loss == OrderLoss::none && !bridge.is_unusable()))
            return;
        room_end_told_ = true;
        if (loss != OrderLoss::none)
            events::room_over(options_.room, loss);
        else
            events::room_unusable(options_.room);
        stop(shutdown_.handle_room_end(
            loss != OrderLoss::none ? room_over_status : room_unusable_status));
    }
    void advance_sources() {
        const bool serves = !shutdown_.starting() && !shutdown_.stopping();
        workforce_.add(sources_.look(serves                   ? Sources::Phase::making
                                     : shutdown_.dismissing() ? Sources::Phase::ending
                                                              : Sources::Phase::as_is));
        if (sources_.take_stop() && !shutdown_.stopping())
            stop(shutdown_.handle_stop(SIGTERM, clients_.escrow().held()));
    }
    void tell_finished() {
        for (const FinishedTakeover& finished : workforce_.take_finished()) {
            upgrading_.note_takeover(finished.milliseconds);
            control_.tell(finished);
        }
        for (const FinishedDrain& finished : workforce_.draining().take_finished())
            control_.tell(finished);
    }
    void tell_service_manager() {
        if (!shutdown_.starting() && !shutdown_.stopping())
            listener_store_.look(acceptor_.listeners(), service_manager_);
        service_manager_.look({.main_process = keeper_ == nullptr ? ::getpid() : keeper_->keeper(),
            .serving = !shutdown_.starting(),
            .stopping = shutdown_.stopping(),
            .users = clients_.escrow().held(),
            .workers = options_.workers});
    }
    [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep();

    Options& options_;
    EventQueue events_;
    ServedRecord served_{};
    // Of every limit here. The pauses before another try are measured by the steady clock.
    ServedClock clock_;
    Preparation& prepared_;
    KeeperLink* keeper_;
    ClientBook clients_;
    Acceptor acceptor_;
    Workforce workforce_;
    Companions companions_;
    Shutdown shutdown_;
    Upgrading upgrading_;
    const Acceptor::ChooseEntry choose_entry_;
    Sources sources_;
    Reloading reloading_;
    SignalWatch signals_;
    ControlDesk control_;
    ServiceManager service_manager_{ServiceManager::contact_of_environment()};
    ListenerStore listener_store_{prepared_.kept_names};
    bool room_end_told_ = false;
};

} // namespace chatserv
