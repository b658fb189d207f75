#include "master/companions/companion_process.h"

#include "master/ledger/master_point.h"
#include "master/workers/reaping.h"

#include <algorithm>
#include <csignal>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

// A process that lives this long has proven itself.
constexpr std::chrono::seconds youth{1};

bool was_killed(std::optional<int> wait_status) {
    return wait_status && WIFSIGNALED(*wait_status) && WTERMSIG(*wait_status) == SIGKILL;
}

} // namespace

// A process that was forked and has not stored its pid finds that the seat is not its own, and
// ends. What a dead process left is repaired once more: the dead master may have died before it had
// done that.
CompanionProcess::Left CompanionProcess::take_over(const Recover& recover) {
    for (const SeatBook::Seated& seated : seats_.seated()) {
        lifeline_ = UniqueFd(seated.rendezvous);
        // The pid of a process that has ended may be another process's: it may be reaped already.
        if (seated.pid == 0 || seated.state == SeatState::ended) {
            recover();
            lifeline_.reset();
            seats_.note_empty(seat);
            continue;
        }
        pid_ = seated.pid;
        is_inherited_ = true;
        exit_watch_.add(pid_);
        return seated.upgrade == upgrade_ ? Left::running : Left::outdated;
    }
    return Left::nothing;
}

bool CompanionProcess::start_is_due(Clock::time_point now) {
    if (pid_ != 0)
        return false;
    (void)delay_.take_due(now);
    return delay_.over();
}

// If this master dies before the fork, its successor finds a seat without a pid, and gives it up.
void CompanionProcess::start(const ProgramFile& program, const Describe& describe) {
    FdPair lifeline = make_stream_pair();
    ::shutdown(lifeline.second.get(), SHUT_WR); // the process can only read
    ProgramFile::Child child = describe(lifeline.second.get());
    child.pid_word = seats_.note_starting(seat, lifeline.first.get(), upgrade_);
    lifeline_ = std::move(lifeline.first);
    try {
        pid_ = program.start(child);
    } catch (const std::system_error&) {
        lifeline_.reset();
        seats_.note_empty(seat);
        throw;
    }
    is_inherited_ = false;
    is_ended_ = false;
    started_ = Clock::now();
    delay_.started();
    exit_watch_.add(pid_);
}

bool CompanionProcess::watch_exit(Clock::time_point now) {
    const std::vector<pid_t> gone = exit_watch_.look(now);
    return std::ranges::find(gone, pid_) != gone.end() && has_ended(true);
}

// One that an earlier master had started is no child, and nothing but its NOTE_EXIT tells of it.
bool CompanionProcess::has_ended(bool is_told) const {
    return pid_ != 0 && (is_inherited_ ? is_told : has_exited(pid_));
}

// The exit is noted before the process is reaped: a successor must not take another process of that
// number for it.
CompanionProcess::Death CompanionProcess::bury(const Recover& recover) {
    seats_.note_exit(seat, std::nullopt);
    master_point(MasterPoint::companion_exit_noted);
    const std::optional<int> wait_status = is_inherited_ ? std::nullopt : reap(pid_);
    master_point(MasterPoint::companion_reaped);
    recover();
    master_point(MasterPoint::companion_recovered);
    lifeline_.reset();
    seats_.note_empty(seat);
    may_reap_ = may_reap_ || is_inherited_;
    return {.pid = std::exchange(pid_, 0),
        .wait_status = wait_status,
        .is_proven = is_inherited_ || Clock::now() - started_ >= youth,
        .is_ended = is_ended_};
}

std::chrono::milliseconds CompanionProcess::delay_after(const Death& death) {
    if (!death.is_proven)
        return delay_.died_young(was_killed(death.wait_status), Clock::now());
    delay_.died_proven();
    return std::chrono::milliseconds{0};
}

bool CompanionProcess::end() {
    if (pid_ == 0 || is_ended_)
        return false;
    is_ended_ = true;
    send_signal(SIGKILL);
    return true;
}

void CompanionProcess::send_signal(int signal) const {
    ::kill(pid_, signal);
}

std::optional<CompanionProcess::Clock::time_point> CompanionProcess::next_look() const {
    const auto try_again = delay_.until();
    const auto exits = exit_watch_.next_look();
    return try_again && exits ? std::min(try_again, exits) : try_again ? try_again : exits;
}

std::vector<std::string> first_arguments(const Options& options, const Ledger& ledger) {
    const bool keeps_rights = ledger.standing().keep_own_rights != 0;
    return {options.log_level, options.log_format == LogFormat::json ? "json" : "text",
        std::to_string(keeps_rights ? ::geteuid() : options.worker_uid),
        std::to_string(keeps_rights ? ::getegid() : options.worker_gid)};
}

} // namespace chatserv
