#include "master/bridge/bridge_process.h"

#include "master/bridge/bridge_events.h"
#include "master/bridge/bridge_settings.h"
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
#include <sys/wait.h>
#include <system_error>

namespace chatserv {

namespace {

// How often its first beat is looked for, after a death. Nothing tells the master of it.
constexpr std::chrono::milliseconds first_beat_pause{5};

bool was_unusable(std::optional<int> wait_status) {
    return wait_status && WIFEXITED(*wait_status) && WEXITSTATUS(*wait_status) == exit_unusable;
}

std::span<Heartbeat> beats_of(const Segment& segment) {
    return segment.joined() ? std::span<Heartbeat>(&segment.room().beat, 1)
                            : std::span<Heartbeat>();
}

} // namespace

BridgeProcess::BridgeProcess(const Server& server) :
    server_(server), process_(server.ledger.bridge(), server.events, server.upgrade),
    counters_(server.ledger), doorbells_(server.segment.all_entries(), server.doorbells),
    hang_judge_(beats_of(server.segment), server.options.hang_limit, server.clock) {}

void BridgeProcess::repair() const {
    repair_bridge(server_.segment, doorbells_);
}

void BridgeProcess::take_over() {
    const auto left = process_.take_over([this] { repair(); });
    if (left == CompanionProcess::Left::nothing)
        return;
    hang_judge_.enter_running(CompanionProcess::seat, Clock::now());
    if (left == CompanionProcess::Left::outdated)
        end("the server is another program now");
}

bool BridgeProcess::handle_exit(pid_t pid) {
    if (pid != process_.pid())
        return false;
    if (process_.has_ended(true))
        bury();
    return true;
}

void BridgeProcess::reap_child() {
    if (process_.has_ended(false))
        bury();
}

void BridgeProcess::bury() {
    const CompanionProcess::Death death = process_.bury([this] { repair(); });
    hang_judge_.leave(CompanionProcess::seat);
    gone_since_ms_ = unix_milliseconds();
    is_unusable_ = is_unusable_ ||
                   (was_unusable(death.wait_status) && !RoomStates(server_.segment).in_force());
    if (death.is_ended || is_unusable_ || loss() != OrderLoss::none)
        return;
    if (!died_at_) // otherwise a successor has died before its first beat
        died_at_ = server_.clock.now();
    counters_.count_bridge_death();
    const std::string how = text_of_wait_status(death.wait_status);
    const std::string cause = is_struck_ ? how + ", as chaos asked" : cause_.empty() ? how : cause_;
    events::bridge_died(death.pid, cause, process_.delay_after(death));
}

void BridgeProcess::look(bool wanted) {
    if (!server_.resources.wanted())
        return;
    const Clock::time_point now = Clock::now();
    if (process_.watch_exit(now))
        bury();
    if (!wanted || is_given_up())
        end("");
    if (!wanted)
        return;
    if (!hang_judge_.hung(now).empty())
        end_hung();
    look_for_first_beat();
    if (pid() != 0)
        return;
    if (has_no_future())
        return throw_away();
    if (process_.start_is_due(now))
        start();
}

void BridgeProcess::look_for_first_beat() {
    if (pid() == 0 || process_.is_ended() || !died_at_ || !has_beaten(server_.segment.room().beat))
        return;
    const ServedClock::duration time = server_.clock.now() - *std::exchange(died_at_, {});
    const double milliseconds = std::chrono::duration<double, std::milli>(time).count();
    finished_ = {.pid = pid(), .milliseconds = milliseconds};
    events::bridge_taken_over(pid(), milliseconds);
}

std::optional<BridgeProcess::Clock::time_point> BridgeProcess::next_look() const {
    std::optional<Clock::time_point> next = process_.next_look();
    const auto take = [&next](std::optional<Clock::time_point> look) {
        if (look)
            next = std::min(next.value_or(*look), *look);
    };
    take(hang_judge_.next_look());
    if (pid() != 0 && died_at_)
        take(Clock::now() + first_beat_pause);
    return next;
}

void BridgeProcess::end(const std::string& why) {
    if (!process_.end())
        return;
    hang_judge_.ignore(CompanionProcess::seat);
    if (!why.empty())
        events::bridge_replaced(pid(), why);
}

void BridgeProcess::end_hung() {
    if (pid() == 0)
        return;
    cause_ = fmt::format(
        "it did not answer for {} ms (--hang-limit)", server_.options.hang_limit.count());
    died_at_ = server_.clock.now();
    hang_judge_.ignore(CompanionProcess::seat);
    process_.send_signal(SIGKILL);
}

std::string BridgeProcess::strike(bool kill) {
    if (!server_.resources.wanted())
        return "the server has no bridge: it has joined no room";
    if (pid() == 0 || process_.is_ended() || is_struck_ || !cause_.empty())
        return "the bridge is being replaced";
    if (is_stopped_)
        return "the bridge is stopped, and not replaced yet";
    is_stopped_ = !kill;
    is_struck_ = kill;
    if (kill) {
        died_at_ = server_.clock.now();
        hang_judge_.ignore(CompanionProcess::seat);
    }
    process_.send_signal(kill ? SIGKILL : SIGSTOP);
    return "";
}

OrderLoss BridgeProcess::loss() const {
    if (!server_.resources.wanted() || pid() != 0)
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

void BridgeProcess::start() {
    try {
        const UniqueFd settings = pipe_with(bridge_settings(server_.options));
        (void)hang_judge_.enter(Clock::now());
        process_.start(*server_.resources.program,
            [&](int lifeline) { return described(lifeline, settings.get()); });
    } catch (const std::system_error& refusal) {
        hang_judge_.leave(CompanionProcess::seat);
        events::bridge_not_started(refusal.what());
        return process_.put_off();
    }
    cause_.clear();
    is_stopped_ = false;
    is_struck_ = false;
    events::bridge_started(server_.options.room, pid());
}

// The arguments: bridge/start.h.
ProgramFile::Child BridgeProcess::described(int lifeline, int settings) const {
    const int segment = server_.segment.fd();
    const int bell = server_.doorbells.back().first.get();
    ProgramFile::Child child{.title = "chatserv: bridge",
        .arguments = first_arguments(server_.options, server_.ledger),
        .inherited = {lifeline, segment, bell, settings},
        .pid_word = {},
        .say_why_not = [](int /*error*/) {
            write_line_from_handler("chatserv: the bridge's program cannot be executed\n");
        }};
    std::string bells;
    for (size_t entry = 0; entry + 1 < server_.doorbells.size(); ++entry) {
        const int fd = server_.doorbells[entry].second.get();
        child.inherited.push_back(fd);
        bells += fmt::format("{}{}", bells.empty() ? "" : ",", fd);
    }
    child.arguments.insert(
        child.arguments.end(), {std::to_string(lifeline), std::to_string(segment),
                                   std::to_string(bell), bells, std::to_string(settings)});
    return child;
}

} // namespace chatserv
