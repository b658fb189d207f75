#include "master/keeper/keeper.h"

#include "master/keeper/keeper_events.h"
#include "master/keeper/server_signals.h"
#include "master/keeper/stand_in.h"
#include "master/workers/hindrance.h"
#include "master/workers/reaping.h"
#include "master/workers/worker_events.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/failure.h"
#include "shared/system/shared_table.h"
#include "shared/system/sleep_time.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fmt/core.h>
#include <span>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

// So many masters in a row that die young by themselves will not be followed by a better one.
constexpr uint32_t hopeless_deaths = 3;

bool was_killed(int wait_status) {
    return WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
}

// As a shell has it: 128 and the signal. A master that exits leaves its status in the words, so one
// that did not was ended by something else.
int status_of_dead(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : EX_SOFTWARE;
}

} // namespace

Keeper::Keeper(KeeperWords& words, Plan plan) :
    words_(words), plan_(std::move(plan)), signals_(server_signals()),
    clock_(served_, ServedClock::allowance_for(std::chrono::hours(1))),
    judge_(std::span(&words.beat, 1), plan_.hang_limit, clock_), retiring_(stand_in_of(words)),
    generation_(words.generation) {}

int Keeper::run() {
    take_office();
    for (;;) {
        if (master_ == 0 && (delay_.over() || delay_.take_due(Clock::now())))
            start_master();
        take_signals();
        if (plan_.look_at_settings)
            plan_.look_at_settings();
        if (const auto exit_status = look_for_end())
            return *exit_status;
        hand_over();
        retire_stand_in();
        reap_others();
        end_hung_master();
    }
}

// This process is the keeper from now on: at the start, or because the keeper has died, when the
// handlers and the mask of a master are in force.
void Keeper::take_office() {
    signals_.begin();
    self_ = ::getpid();
    if (words_.keeper != 0 && words_.keeper != static_cast<uint32_t>(self_))
        store_release(words_.keepers_replaced, words_.keepers_replaced + 1);
    store_release(words_.keeper, static_cast<uint32_t>(self_));
    become_subreaper();
    plan_.appear_as(Role::keeper);
}

// Killed after the new process exists, the keeper leaves a master that finds no keeper, and keeps.
// The words of the master before are void: the new one can have the same pid.
void Keeper::start_master() {
    ++generation_;
    store_release(words_.generation, generation_);
    store_release(words_.serving, 0);
    seat_ = judge_.enter(Clock::now()); // before the master can beat
    const pid_t pid = start_sharing_descriptors();
    if (pid == 0)
        return be_master();
    if (pid > 0) {
        master_ = pid;
        delay_.started();
        return;
    }
    const int error = errno;
    judge_.leave(seat_);
    if (generation_ == 1)
        throw Failure(EX_UNAVAILABLE, fmt::format("the master could not be started: {}; {}",
                                          std::strerror(error), remedy_of(error)));
    events::master_not_started(error);
    delay_.refused(Clock::now());
}

// In the new process. Returns if it has to be the keeper; there is no master then, so the next turn
// of the loop starts one.
void Keeper::be_master() {
    signals_.end();
    plan_.appear_as(Role::master);
    if (!claim_connections(words_, self_))
        ::_exit(EX_OK);
    KeeperLink link(words_, self_, generation_);
    const MasterEnd end = plan_.run_master(link);
    switch (end.how) {
    case MasterEnd::How::final:
        note_final(words_, ::getpid(), end.exit_status);
        ::_exit(end.exit_status);
    case MasterEnd::How::failed:
        ::_exit(end.exit_status);
    case MasterEnd::How::keeper_died:
        break;
    case MasterEnd::How::stands_in:
        stand_in_for_next_program(words_, self_, signals_, plan_.hang_limit);
        break;
    }
    judge_.leave(seat_);
    retiring_ = 0;
    take_office();
    events::keeper_died(link.keeper(), self_);
}

// The master that stands in was alive a moment ago: look_for_end(). If it dies now, this process
// has the connections alone for as long as it takes to start a master, as after any master's death.
void Keeper::hand_over() {
    if (master_ == 0 || stand_in_of(words_) != master_)
        return;
    plan_.become_next();
    judge_.leave(seat_);
    retiring_ = std::exchange(master_, 0);
}

// The master that has died may not have claimed the connections: then another one stands in still.
void Keeper::return_to_former() {
    if (!plan_.is_to_return || !plan_.is_to_return())
        return;
    if (retiring_ != 0 && stand_in_of(words_) == retiring_)
        return plan_.become_former();
    const pid_t pid = start_sharing_descriptors();
    if (pid == 0) {
        stand_in_for_next_program(words_, self_, signals_, plan_.hang_limit);
        retiring_ = 0;
        const pid_t dead = self_;
        take_office();
        return events::keeper_died(dead, self_);
    }
    retiring_ = std::max(pid, 0);
    wait_for_stand_in();
    plan_.become_former();
}

// Without one, this process has the connections alone while it becomes a program. That is better
// than to wait for a process that has died, or that is stopped. Signals stay pending meanwhile.
void Keeper::wait_for_stand_in() {
    constexpr timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
    for (auto left = plan_.hang_limit; retiring_ != 0 && stand_in_of(words_) != retiring_; --left) {
        if (::waitpid(retiring_, nullptr, WNOHANG) != 0)
            retiring_ = 0;
        else if (left.count() <= 0)
            return; // retire_stand_in() ends it
        else
            ::nanosleep(&moment, nullptr);
    }
}

// It is killed as soon as a master has the connections, though it would end by itself: it may be
// stopped.
void Keeper::retire_stand_in() {
    if (retiring_ == 0)
        return;
    if (stand_in_of(words_) != retiring_)
        ::kill(retiring_, SIGKILL);
    if (const pid_t gone = ::waitpid(retiring_, nullptr, WNOHANG); gone == retiring_ || gone == -1)
        retiring_ = 0;
}

std::optional<std::chrono::nanoseconds> Keeper::time_to_sleep() {
    const Clock::time_point now = Clock::now();
    (void)clock_.now(now);
    SleepTime sleep(now);
    if (master_ != 0)
        sleep.wake_at(judge_.next_look());
    else
        sleep.wake_at(delay_.until().value_or(now));
    clock_.about_to_sleep(sleep.longest());
    return sleep.timeout();
}

// Waits until there is a signal or it is time for something else, and takes the signals that are
// there, each of which is pending once at most. Each is counted before the master is told, so that
// none is lost if either of them dies.
void Keeper::take_signals() {
    bool passed_on = false;
    for (size_t taken = 0; taken < passed_signals_end; ++taken) {
        const auto signal =
            signals_.wait(taken == 0 ? time_to_sleep() : std::chrono::nanoseconds::zero());
        if (!signal)
            break;
        if (*signal == SIGCHLD || static_cast<size_t>(*signal) >= passed_signals_end)
            continue;
        uint32_t& sent = words_.sent[static_cast<size_t>(*signal)];
        store_release(sent, sent + 1);
        passed_on = true;
    }
    (void)clock_.now();
    if (passed_on && master_ != 0)
        ::kill(master_, SIGCHLD);
}

// The exit status, if the server has ended.
std::optional<int> Keeper::look_for_end() {
    int wait_status = 0;
    if (master_ == 0 || ::waitpid(master_, &wait_status, WNOHANG) != master_)
        return std::nullopt;
    return bury(wait_status);
}

std::optional<int> Keeper::bury(int wait_status) {
    const pid_t dead = std::exchange(master_, 0);
    judge_.leave(seat_);
    if (const auto exit_status = final_of(words_, dead))
        return exit_status;
    store_release(words_.ended_status, static_cast<uint32_t>(wait_status));
    store_release(words_.ended_master, static_cast<uint32_t>(dead));
    const std::string cause = text_of_wait_status(wait_status);
    std::chrono::milliseconds delay{0};
    const bool killed = was_killed(wait_status);
    if (load_acquire(words_.serving) == static_cast<uint32_t>(dead))
        delay_.died_proven();
    else
        delay = delay_.died_young(killed, Clock::now());
    if (stop_is_hopeless(killed)) {
        events::stop_given_up(dead, cause);
        return status_of_dead(wait_status);
    }
    events::master_died(dead, cause, delay);
    if (load_acquire(words_.serving) != static_cast<uint32_t>(dead))
        return_to_former();
    return std::nullopt;
}

// Otherwise a server whose masters cannot begin could be stopped only by SIGKILL to all of it.
bool Keeper::stop_is_hopeless(bool killed) const {
    if (killed || delay_.deaths() < hopeless_deaths)
        return false;
    for (size_t signal = 1; signal < passed_signals_end; ++signal)
        if (is_stop(static_cast<int>(signal)) && words_.sent[signal] != 0)
            return true;
    return false;
}

// Children that no living process started: workers of dead masters, and whatever was left to this
// process. waitid(2) tells of one without reaping it; while that one may not be reaped yet, it
// hides those behind it, which then wait as well.
void Keeper::reap_others() const {
    for (;;) {
        siginfo_t ended{};
        if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == -1 || ended.si_pid == 0)
            return;
        // A master that has ended since it was looked for: its SIGCHLD is pending.
        if (ended.si_pid == master_ || ended.si_pid == retiring_ || !plan_.may_reap(ended.si_pid))
            return;
        events::stranger_reaped(ended.si_pid, reap(ended.si_pid));
    }
}

// Its death is found in a later turn.
void Keeper::end_hung_master() {
    if (master_ == 0)
        return;
    for ([[maybe_unused]] const SeatId seat : judge_.hung(Clock::now())) {
        judge_.ignore(seat_);
        events::master_hangs(master_, plan_.hang_limit);
        ::kill(master_, SIGKILL);
    }
}

} // namespace chatserv
