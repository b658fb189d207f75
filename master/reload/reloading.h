// Reloading: the options are read again while the server runs, and what has changed is put in
// force.
//
//     asked -> read (Reading) -> planned (plan_reload) -> listen sockets opened -> noted -> in
//     force
//           -> applied to every part and told to the workers -> ended
//
// Until the store that puts the new options in force, everything can fail, and nothing has changed.
// After it nothing can fail. A master that dies leaves one or the other, and its successor goes on
// from there (MW15): it begins with the options in force in any case.
//
// Nobody is disconnected by a reload, but the sources that it lets go.
#pragma once

#include "master/bridge/bridge_process.h"
#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/config/reload_plan.h"
#include "master/metrics/metrics_process.h"
#include "master/reload/listener_changes.h"
#include "master/reload/reading.h"
#include "master/reload/reload_book.h"
#include "master/reload/source_changes.h"
#include "master/start/log_file.h"
#include "master/upgrade/legacy.h"
#include "master/workers/workforce.h"
#include "shared/segment/segment.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace chatserv {

class Reloading {
public:
    using Clock = std::chrono::steady_clock;

    struct Subjects {
        Options& options; // in force; a reload changes them
        LogFile& log_file;
        const Segment& segment;
        const Ledger& ledger;
        UniqueFd& legacy; // the one in force, which a reload replaces
        int own_program;  // as Reading takes it, with the next one
        std::string program;
        ClientBook& clients;
        Acceptor& acceptor;
        Workforce& workforce;
        MetricsProcess& metrics;
        BridgeProcess& bridge;
        Sources& sources;
        Acceptor::ChooseEntry choose_entry;
    };

    // `tag`: of the events of this object's descriptor.
    Reloading(EventQueue& events, Tag tag, Subjects subjects) :
        events_(events), tag_(tag), subjects_(std::move(subjects)), book_(subjects_.ledger) {}

    // Opens the log file again, and asks for a reload. `asked_by`: the signal or the command, for
    // the log. Returns why there is no reload, as the end of a line; empty: it was asked for.
    [[nodiscard]] std::string ask(const std::string& asked_by, bool stopping);
    // The same for SIGHUP; a refusal goes to the log.
    void ask_by_signal(bool stopping);

    // In a successor, before any worker is told anything, but after the metrics process was taken
    // over: applies what the dead master may not have
    // applied, and finds what is left to be done.
    void resume();

    // In each turn of the loop, when the answer is readable, and before other children are reaped.
    // `may_begin`: a reload that was asked for can be made now. Returns true if options have
    // changed.
    [[nodiscard]] bool look(bool may_begin);
    // When look() is due at the latest; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const {
        return reading_ ? std::optional(reading_->due()) : std::nullopt;
    }
    [[nodiscard]] bool reads() const { return reading_.has_value(); }
    // The server stops: nothing is read any more.
    void cancel() { end_reading(); }

    // Where reloads are asked for, and where their ends are found.
    [[nodiscard]] ReloadBook& book() { return book_; }

private:
    void open_log_again();
    void begin();
    void end_reading();
    void conclude(ReloadReport report);
    [[nodiscard]] ReloadReport carry_out(Options wanted);
    void put_in_force(const ReloadPlan& plan, const ReloadReport& report, ListenerChanges& changes,
        const SourceChanges& sources);
    void apply();
    void renew_if_log_changed(const ReloadReport& report);
    void renew_companions() const;
    void publish_settings() const;
    void change_listeners(ListenerChanges& changes);

    EventQueue& events_;
    Tag tag_;
    Subjects subjects_;
    ReloadBook book_;
    std::optional<Reading> reading_{};
    uint32_t number_ = 0; // of the reload that reads
};

} // namespace chatserv
