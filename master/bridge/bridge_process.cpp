#include "master/bridge/bridge_process.h"

#include "master/bridge/bridge_events.h"
#include "master/bridge/bridge_settings.h"
#include "master/ledger/master_point.h"
#include "master/workers/reaping.h"
#include "master/workers/takeover.h"
#include "shared/ipc/bridge_status.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/outbound_log.h"
#include "shared/segment/room_state.h"
#include "shared/system/handler_line.h"
#include "shared/system/wall_clock.h"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr SeatId seat{0}; // the only one

// A process that lives this long has proven itself.
constexpr std::chrono::seconds youth{1};

// How often its first beat is looked for, after a death. Nothing tells the master of it.
constexpr std::chrono::milliseconds first_beat_pause{5};

bool was_unusable(std::optional<int> wait_status) {
    return wait_status && WIFEXITED(*wait_status) && WEXITSTATUS(*wait_status) == exit_unusable;
}

bool was_killed(std::optional<int> wait_status) {
    return wait_status && WIFSIGNALED(*wait_status) && WTERMSIG(*wait_status) == SIGKILL;
}

std::span<Heartbeat> beats_of(const Segment& segment) {
    return segment.joined() ? std::span<Heartbeat>(&segment.room().beat, 1)
                            : std::span<Heartbeat>();
}

} // namespace

BridgeProcess::BridgeProcess(const Server& server) :
    server_(server), seats_(server.ledger.bridge()), counters_(server.ledger),
    doorbells_(server.segment.all_entries(), server.doorbells), exit_watch_(server.events),
    hang_judge_(beats_of(server.segment), server.options.hang_limit, server.clock) {}

// A process that was forked and has not stored its pid finds that the seat is not its own, and
// ends. The logs are repaired once more: the dead master may have died before it had done that.
void BridgeProcess::take_over() {
    for (SeatBook::Seated& seated : seats_.seated()) {
        lifeline_ = UniqueFd(seated.rendezvous);
        // The pid of a process that has ended may be another process's: it may be reaped already.
        if (seated.pid == 0 || seated.state == SeatState::ended) {
            repair_bridge(server_.segment, doorbells_);
            lifeline_.reset();
            seats_.note_empty(seat);
            continue;
        }
        pid_ = seated.pid;
        is_inherited_ = true;
        exit_watch_.add(pid_);
        hang_judge_.enter_running(seat, Clock::now());
        if (seated.upgrade != server_.upgrade)
            end("the server is another program now");
    }
}

// Late word can come of an earlier process of that number: this one has not exited then. One that
// an earlier master had started is no child, and nothing but its NOTE_EXIT tells of it.
bool BridgeProcess::handle_exit(pid_t pid) {
    if (pid_ == 0 || pid != pid_)
        return false;
    if (is_inherited_ || has_exited(pid))
        bury();
    return true;
}

void BridgeProcess::reap_child() {
    if (pid_ != 0 && !is_inherited_ && has_exited(pid_))
        bury();
}

// The exit is noted before the process is reaped: a successor must not take another process of that
// number for it.
void BridgeProcess::bury() {
    seats_.note_exit(seat, std::nullopt);
    master_point(MasterPoint::bridge_exit_noted);
    const std::optional<int> wait_status = is_inherited_ ? std::nullopt : reap(pid_);
    master_point(MasterPoint::bridge_reaped);
    repair_bridge(server_.segment, doorbells_);
    master_point(MasterPoint::bridge_recovered);
    lifeline_.reset();
    seats_.note_empty(seat);
    hang_judge_.leave(seat);
    may_reap_ = may_reap_ || is_inherited_;
    const pid_t dead = std::exchange(pid_, 0);
    gone_since_ms_ = unix_milliseconds();
    is_unusable_ =
        is_unusable_ || (was_unusable(wait_status) && !RoomStates(server_.segment).in_force());
    if (is_ended_ || is_unusable_ || loss() != OrderLoss::none)
        return;
    const Clock::time_point now = Clock::now();
    std::chrono::milliseconds delay{0};
    if (is_inherited_ || now - started_ >= youth)
        delay_.died_proven();
    else
        delay = delay_.died_young(was_killed(wait_status), now);
    if (!died_at_) // otherwise a successor has died before its first beat
        died_at_ = server_.clock.now();
    counters_.count_bridge_death();
    const std::string how = text_of_wait_status(wait_status);
    const std::string cause = is_struck_ ? how + ", as chaos asked" : cause_.empty() ? how : cause_;
    events::bridge_died(dead, cause, delay);
}

void BridgeProcess::look(bool wanted) {
    if (!server_.resources.wanted())
        return;
    const Clock::time_point now = Clock::now();
    for (const pid_t gone : exit_watch_.look(now))
        (void)handle_exit(gone);
    if (!wanted || is_given_up())
        end("");
    if (!wanted)
        return;
    if (!hang_judge_.hung(now).empty())
        end_hung();
    look_for_first_beat();
    if (pid_ != 0)
        return;
    if (has_no_future())
        return throw_away();
    (void)delay_.take_due(now);
    if (delay_.over())
        start();
}

void BridgeProcess::look_for_first_beat() {
    if (pid_ == 0 || is_ended_ || !died_at_ || !has_beaten(server_.segment.room().beat))
        return;
    const ServedClock::duration time = server_.clock.now() - *std::exchange(died_at_, {});
    const double milliseconds = std::chrono::duration<double, std::milli>(time).count();
    finished_ = {.pid = pid_, .milliseconds = milliseconds};
    events::bridge_taken_over(pid_, milliseconds);
}

std::optional<BridgeProcess::Clock::time_point> BridgeProcess::next_look() const {
    std::optional<Clock::time_point> next = delay_.until();
    const auto take = [&next](std::optional<Clock::time_point> look) {
        if (look)
            next = std::min(next.value_or(*look), *look);
    };
    take(exit_watch_.next_look());
    take(hang_judge_.next_look());
    if (pid_ != 0 && died_at_)
        take(Clock::now() + first_beat_pause);
    return next;
}

void BridgeProcess::end(const std::string& why) {
    if (pid_ == 0 || is_ended_)
        return;
    is_ended_ = true;
    hang_judge_.ignore(seat);
    if (!why.empty())
        events::bridge_replaced(pid_, why);
    ::kill(pid_, SIGKILL);
}

void BridgeProcess::end_hung() {
    if (pid_ == 0)
        return;
    cause_ = fmt::format(
        "it did not answer for {} ms (--hang-limit)", server_.options.hang_limit.count());
    died_at_ = server_.clock.now();
    hang_judge_.ignore(seat);
    ::kill(pid_, SIGKILL);
}

std::string BridgeProcess::strike(bool kill) {
    if (!server_.resources.wanted())
        return "the server has no bridge: it has joined no room";
    if (pid_ == 0 || is_ended_ || is_struck_ || !cause_.empty())
        return "the bridge is being replaced";
    if (is_stopped_)
        return "the bridge is stopped, and not replaced yet";
    is_stopped_ = !kill;
    is_struck_ = kill;
    if (kill) {
        died_at_ = server_.clock.now();
        hang_judge_.ignore(seat);
    }
    ::kill(pid_, kill ? SIGKILL : SIGSTOP);
    return "";
}

OrderLoss BridgeProcess::loss() const {
    if (!server_.resources.wanted() || pid_ != 0)
        return OrderLoss::none;
    return static_cast<OrderLoss>(load_acquire(server_.segment.room().report.loss));
}

bool BridgeProcess::is_given_up() const {
    return load_acquire(server_.ledger.standing().room_given_up) != 0;
}

bool BridgeProcess::has_no_future() const {
    return is_given_up() || is_unusable_ || loss() != OrderLoss::none;
}

// It is noted first: a successor must not start a bridge, which would publish what was thrown away.
void BridgeProcess::give_up() {
    store_release(server_.ledger.standing().room_given_up, 1U);
    end("");
}

// There is no bridge, and none will be: this process counts in its place.
void BridgeProcess::throw_away() const {
    const OutboundLog outbound(server_.segment);
    const uint64_t head = outbound.head();
    if (outbound.counted() == head)
        return;
    (void)outbound.count_up_to(head);
    doorbells_.ring_all();
}

uint64_t BridgeProcess::waiting_bytes() const {
    const Segment& segment = server_.segment;
    if (!segment.joined() || has_no_future())
        return 0;
    const uint64_t counted = load_acquire(segment.room().counted);
    const uint64_t head = load_acquire(segment.outbound_control().head);
    return head - std::min(head, counted);
}

// If this master dies before the fork, its successor finds a seat without a pid, and gives it up.
void BridgeProcess::start() {
    try {
        FdPair lifeline = make_stream_pair();
        ::shutdown(lifeline.second.get(), SHUT_WR); // the process can only read
        const UniqueFd settings = pipe_with(bridge_settings(server_.options));
        (void)hang_judge_.enter(Clock::now());
        const PidWord pid_word = seats_.note_starting(seat, lifeline.first.get(), server_.upgrade);
        lifeline_ = std::move(lifeline.first);
        start_with(lifeline.second.get(), settings.get(), pid_word);
    } catch (const std::system_error& refusal) {
        lifeline_.reset();
        hang_judge_.leave(seat);
        seats_.note_empty(seat);
        events::bridge_not_started(refusal.what());
        return delay_.refused(Clock::now());
    }
    cause_.clear();
    is_inherited_ = false;
    is_ended_ = false;
    is_stopped_ = false;
    is_struck_ = false;
    started_ = Clock::now();
    delay_.started();
    exit_watch_.add(pid_);
    events::bridge_started(server_.options.room, pid_);
}

// The arguments: bridge/start.h.
void BridgeProcess::start_with(int lifeline, int settings, PidWord pid_word) {
    const Options& options = server_.options;
    const bool keeps_rights = server_.ledger.standing().keep_own_rights != 0;
    const int segment = server_.segment.fd();
    const int bell = server_.doorbells.back().first.get();
    ProgramFile::Child child{.title = "chatserv: bridge",
        .arguments = {options.log_level, options.log_format == LogFormat::json ? "json" : "text",
            std::to_string(keeps_rights ? ::geteuid() : options.worker_uid),
            std::to_string(keeps_rights ? ::getegid() : options.worker_gid),
            std::to_string(lifeline), std::to_string(segment), std::to_string(bell)},
        .inherited = {lifeline, segment, bell, settings},
        .pid_word = pid_word,
        .say_why_not = [](int /*error*/) {
            write_line_from_handler("chatserv: the bridge's program cannot be executed\n");
        }};
    std::string bells;
    for (size_t entry = 0; entry + 1 < server_.doorbells.size(); ++entry) {
        const int fd = server_.doorbells[entry].second.get();
        child.inherited.push_back(fd);
        bells += fmt::format("{}{}", bells.empty() ? "" : ",", fd);
    }
    child.arguments.insert(child.arguments.end(), {bells, std::to_string(settings)});
    pid_ = server_.resources.program->start(child);
}

} // namespace chatserv
