#include "master/metrics/metrics_process.h"

#include "master/metrics/metrics_events.h"
#include "master/workers/reaping.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/handler_line.h"

#include <algorithm>
#include <csignal>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr SeatId seat{0}; // the only one

// A process that lives this long has proven itself.
constexpr std::chrono::seconds youth{1};

bool was_killed(std::optional<int> wait_status) {
    return wait_status && WIFSIGNALED(*wait_status) && WTERMSIG(*wait_status) == SIGKILL;
}

} // namespace

MetricsProcess::MetricsProcess(const MetricsResources& resources, const Options& options,
    const Segment& segment, const Ledger& ledger, EventQueue& events, uint32_t upgrade) :
    resources_(resources),
    options_(options), segment_(segment), ledger_(ledger), upgrade_(upgrade),
    seats_(ledger.metrics()), exit_watch_(events) {}

// A process that was forked and has not stored its pid finds that the seat is not its own, and
// ends.
void MetricsProcess::take_over() {
    for (SeatBook::Seated& seated : seats_.seated()) {
        lifeline_ = UniqueFd(seated.rendezvous);
        // The pid of a process that has ended may be another process's: it may be reaped already.
        if (seated.pid == 0 || seated.state == SeatState::ended) {
            lifeline_.reset();
            seats_.note_empty(seat);
            continue;
        }
        pid_ = seated.pid;
        is_inherited_ = true;
        exit_watch_.add(pid_);
        if (seated.upgrade != upgrade_)
            end();
    }
}

// Late word can come of an earlier process of that number: this one has not exited then. One that
// an earlier master had started is no child, and nothing but its NOTE_EXIT tells of it.
bool MetricsProcess::handle_exit(pid_t pid) {
    if (pid_ == 0 || pid != pid_)
        return false;
    if (is_inherited_ || has_exited(pid))
        bury();
    return true;
}

void MetricsProcess::reap_child() {
    if (pid_ != 0 && !is_inherited_ && has_exited(pid_))
        bury();
}

// The exit is noted before the process is reaped: a successor must not take another process of that
// number for it.
void MetricsProcess::bury() {
    seats_.note_exit(seat, std::nullopt);
    const std::optional<int> wait_status = is_inherited_ ? std::nullopt : reap(pid_);
    lifeline_.reset();
    seats_.note_empty(seat);
    may_reap_ = may_reap_ || is_inherited_;
    const pid_t dead = std::exchange(pid_, 0);
    if (is_ended_)
        return;
    const Clock::time_point now = Clock::now();
    std::chrono::milliseconds delay{0};
    if (is_inherited_ || now - started_ >= youth)
        delay_.died_proven();
    else
        delay = delay_.died_young(was_killed(wait_status), now);
    events::metrics_died(dead, text_of_wait_status(wait_status), delay);
}

void MetricsProcess::look(bool wanted) {
    const Clock::time_point now = Clock::now();
    for (const pid_t gone : exit_watch_.look(now))
        (void)handle_exit(gone);
    if (!wanted)
        return end();
    if (pid_ != 0 || !resources_.wanted())
        return;
    (void)delay_.take_due(now);
    if (delay_.over())
        start();
}

std::optional<MetricsProcess::Clock::time_point> MetricsProcess::next_look() const {
    const auto try_again = delay_.until();
    const auto exits = exit_watch_.next_look();
    return try_again && exits ? std::min(try_again, exits) : try_again ? try_again : exits;
}

void MetricsProcess::end() {
    if (pid_ == 0 || is_ended_)
        return;
    is_ended_ = true;
    ::kill(pid_, SIGKILL);
}

// If this master dies before the fork, its successor finds a seat without a pid, and gives it up.
void MetricsProcess::start() {
    try {
        FdPair lifeline = make_stream_pair();
        ::shutdown(lifeline.second.get(), SHUT_WR); // the process can only read
        const UniqueFd segment = open_to_read(segment_.fd());
        const UniqueFd ledger = open_to_read(ledger_.fd());
        const PidWord pid_word = seats_.note_starting(seat, lifeline.first.get(), upgrade_);
        lifeline_ = std::move(lifeline.first);
        pid_ = resources_.program->start(
            described(lifeline.second.get(), segment.get(), ledger.get(), pid_word));
    } catch (const std::system_error& refusal) {
        lifeline_.reset();
        seats_.note_empty(seat);
        events::metrics_not_started(refusal.what());
        return delay_.refused(Clock::now());
    }
    is_inherited_ = false;
    is_ended_ = false;
    started_ = Clock::now();
    delay_.started();
    exit_watch_.add(pid_);
    events::metrics_started(resources_.listeners, pid_);
}

// The arguments: master/metrics/server/start.h.
ProgramFile::Child MetricsProcess::described(
    int lifeline, int segment, int ledger, PidWord pid_word) const {
    const bool keeps_rights = ledger_.standing().keep_own_rights != 0;
    ProgramFile::Child child{.title = "chatserv: metrics",
        .arguments = {options_.log_level, options_.log_format == LogFormat::json ? "json" : "text",
            std::to_string(keeps_rights ? ::geteuid() : options_.worker_uid),
            std::to_string(keeps_rights ? ::getegid() : options_.worker_gid)},
        .inherited = {lifeline, segment, ledger},
        .pid_word = pid_word,
        .say_why_not = [](int /*error*/) {
            write_line_from_handler("chatserv: the metrics program cannot be executed\n");
        }};
    for (const Listener& listener : resources_.listeners)
        child.inherited.push_back(listener.fd());
    for (const int fd : child.inherited)
        child.arguments.push_back(std::to_string(fd));
    return child;
}

} // namespace chatserv
