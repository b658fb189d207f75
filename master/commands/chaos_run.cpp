#include "master/commands/chaos_run.h"

#include "master/commands/command_options.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

enum class ChaosEvent : uint8_t { server = 1 };

// Fewer requests than a socket can hold, so that writing one never fails for lack of room.
constexpr uint64_t unanswered_max = 32;

// A server that answers sooner is not worth a line.
constexpr std::chrono::seconds worth_telling{1};

constexpr std::array<const char*, 4> names{"worker", "master", "keeper", "bridge"};

const char* name_of(ChaosTarget target) {
    return names[static_cast<size_t>(target)];
}

ServedClock::duration duration(double seconds) {
    return std::chrono::duration_cast<ServedClock::duration>(
        std::chrono::duration<double>(seconds));
}

double milliseconds(ServedClock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

} // namespace

ChaosRun::ChaosRun(const ChaosOptions& options, ChosenServer server) :
    options_(options), server_(std::move(server), events_, ChaosEvent::server),
    random_(options.seed), hang_limit_(server_.greeting().hang_limit),
    workers_(server_.greeting().workers), targets_(options.targets) {
    if (targets_.size() > 1 && !server_.greeting().bridge)
        std::erase(targets_, ChaosTarget::bridge);
    const bool has_keeper = server_.greeting().master != server_.greeting().pid;
    for (const ChaosTarget target : targets_) {
        if (target == ChaosTarget::bridge && !server_.greeting().bridge)
            throw Failure(EX_UNAVAILABLE, "the server has no bridge: it has joined no room");
        if (target == ChaosTarget::worker && workers_ == 0)
            throw Failure(EX_UNAVAILABLE, "the server has no workers");
        const bool by_keeper = target == ChaosTarget::master || target == ChaosTarget::keeper;
        if (by_keeper && !has_keeper)
            throw Failure(EX_UNAVAILABLE,
                fmt::format("the server has no keeper, so nothing replaces its {}: only --target "
                            "worker is possible",
                    name_of(target)));
    }
    for (const int signal : {SIGINT, SIGTERM}) {
        // A shell's `&` starts a program with SIGINT ignored. It stays ignored.
        if (std::signal(signal, SIG_IGN) == SIG_IGN)
            continue;
        require(events_.watch_signal(signal), "watching for signals");
    }
}

void ChaosRun::run() {
    print(fmt::format(
        "seed {}, {} workers, hang limit {} ms\n", options_.seed, workers_, hang_limit_.count()));
    const Clock::time_point end = started_ + duration(options_.seconds);
    std::exponential_distribution<double> pause(options_.rate);
    for (Clock::time_point next = started_ + duration(pause(random_)); next < end;
         next += duration(pause(random_))) {
        wait_for([] { return false; }, next);
        wait_for_server();
        if (interrupted_ || clock_.now() >= end)
            break;
        strike();
    }
    wait_for([] { return false; }, end);
    // Waits for the last takeovers, so that the measurement is complete.
    interrupted_ = false;
    wait_for_server();
    wait_for([&] { return unanswered_.empty() && outstanding_ == 0 && !bridge_outstanding_; },
        clock_.now() + hang_limit_ + ControlClient::patience);
    summarize();
    if (interrupted_)
        return;
    expect_answers(0);
    if (outstanding_ != 0)
        throw Failure(
            EX_SOFTWARE, fmt::format("workers that were not replaced in time: {}", outstanding_));
    if (bridge_outstanding_)
        throw Failure(EX_SOFTWARE, "the bridge was not replaced in time");
}

template <typename Condition>
void ChaosRun::wait_for(Condition condition, Clock::time_point end) {
    while (!interrupted_ && !condition()) {
        const Clock::time_point now = clock_.now();
        if (now >= end)
            return;
        const Clock::duration sleep =
            std::min(end - now, Clock::sleep_max(ControlClient::patience));
        clock_.about_to_sleep(sleep);
        for (const EventQueue::Event& event : events_.wait(sleep)) {
            if (is_signal(event))
                interrupted_ = true;
            else
                read();
        }
    }
}

// Waits for the master and the keeper to be there.
void ChaosRun::wait_for_server() {
    const auto is_there = [&] { return server_.answers() && !awaited_; };
    const Clock::time_point begun = clock_.now();
    const Clock::time_point late = begun + hang_limit_ + worth_telling;
    wait_for(is_there, late);
    if (interrupted_ || is_there())
        return;
    say("still waiting for the server to answer");
    wait_for(is_there, begun + hang_limit_ + ControlClient::patience);
    if (interrupted_ || is_there())
        return;
    if (!awaited_)
        throw Failure(
            EX_UNAVAILABLE, fmt::format("the server at {} does not answer", server_.path()));
    throw Failure(EX_SOFTWARE, fmt::format("the {} (pid {}) was not replaced in time",
                                   name_of(awaited_->target), awaited_->pid));
}

void ChaosRun::expect_answers(uint64_t missing_max) const {
    if (unanswered_.size() > missing_max)
        throw Failure(
            EX_UNAVAILABLE, fmt::format("the server at {} does not answer", server_.path()));
}

// By --mode, at random where it leaves the choice.
bool ChaosRun::choose_stop() {
    return options_.mode == ChaosMode::stop ||
           (options_.mode == ChaosMode::mixed && random_() % 2 == 1);
}

// The keeper is never stopped: no process replaces a stopped keeper, and it replaces none.
void ChaosRun::strike() {
    switch (targets_.size() == 1 ? targets_[0] : targets_[random_() % targets_.size()]) {
    case ChaosTarget::worker:
        return ask_for_strike(ChaosTarget::worker, std::to_string(random_() % workers_ + 1));
    case ChaosTarget::bridge:
        return ask_for_strike(ChaosTarget::bridge, "bridge");
    case ChaosTarget::master:
        return strike_process(ChaosTarget::master, choose_stop());
    case ChaosTarget::keeper:
        return strike_process(ChaosTarget::keeper, false);
    }
}

void ChaosRun::ask_for_strike(ChaosTarget target, const std::string& which) {
    wait_for([&] { return unanswered_.size() < unanswered_max; },
        clock_.now() + ControlClient::patience);
    if (interrupted_)
        return;
    expect_answers(unanswered_max - 1);
    unanswered_.push_back(target);
    if (server_.ask(fmt::format("{} {}", choose_stop() ? "stop" : "kill", which)))
        forget_unanswered();
}

// The connection that is there may still be answered by the struck process, if that is the keeper:
// its master greets whoever connects until it learns of the death. It is closed when the next
// master begins, and read() connects again.
void ChaosRun::strike_process(ChaosTarget target, bool stop) {
    const Greeting& greeting = server_.greeting();
    const pid_t pid = target == ChaosTarget::master ? greeting.master : greeting.pid;
    const Clock::time_point now = clock_.now();
    if (::kill(pid, stop ? SIGSTOP : SIGKILL) == -1) {
        if (errno != ESRCH)
            throw Failure(EX_NOPERM, fmt::format("the {} (pid {}) can not be struck: {}",
                                         name_of(target), pid, std::strerror(errno)));
        ++tally_of(target).not_there;
        say(fmt::format("the {} (pid {}) is being replaced", name_of(target), pid));
        return;
    }
    awaited_ = {.target = target, .pid = pid, .since = now};
    count_strike(tally_of(target), stop, fmt::format("the {} (pid {})", name_of(target), pid));
    forget_unanswered();
    server_.connect_again();
}

void ChaosRun::read() {
    if (server_.read())
        return forget_unanswered();
    while (const auto message = server_.next()) {
        try {
            take(message->event, nlohmann::json::parse(message->line));
        } catch (const nlohmann::json::exception& failure) {
            throw Failure(EX_UNAVAILABLE,
                fmt::format("the server at {} sent a message that no chatserv sends: {}",
                    server_.path(), failure.what()));
        }
    }
}

// The connection has ended, and with it the master that would have answered.
void ChaosRun::forget_unanswered() {
    tally_of(ChaosTarget::worker).unheard += outstanding_;
    tally_of(ChaosTarget::bridge).unheard += bridge_outstanding_ ? 1 : 0;
    for (const ChaosTarget target : std::exchange(unanswered_, {}))
        ++tally_of(target).unheard;
    outstanding_ = 0;
    bridge_outstanding_ = false;
}

// Answers come in the order of the requests.
ChaosTarget ChaosRun::answered() {
    const ChaosTarget target = unanswered_.empty() ? ChaosTarget::worker : unanswered_.front();
    if (!unanswered_.empty())
        unanswered_.pop_front();
    return target;
}

void ChaosRun::take(const std::string& event, const nlohmann::json& said) {
    StrikeTally& workers = tally_of(ChaosTarget::worker);
    if (event == "hello") {
        look_for_successor();
    } else if (event == "struck") {
        const ChaosTarget target = answered();
        const bool is_bridge = target == ChaosTarget::bridge;
        bridge_outstanding_ = bridge_outstanding_ || is_bridge;
        outstanding_ += is_bridge ? 0 : 1;
        const std::string whom =
            is_bridge ? "the bridge" : fmt::format("worker {}", said.at("worker").get<int>());
        count_strike(tally_of(target), said.at("how") != "kill",
            fmt::format("{} (pid {})", whom, said.at("pid").get<int>()));
    } else if (event == "refused") {
        ++tally_of(answered()).not_there;
        say(as_one_line(said.at("reason").get<std::string>()));
    } else if (event == "taken_over") {
        // More than one death, if a successor was struck in the middle of a takeover.
        outstanding_ -= std::min(outstanding_, said.at("deaths").get<uint64_t>());
        workers.times_ms.push_back(said.at("milliseconds"));
        say(fmt::format("worker {} taken over in {:.2f} ms, {} users, {} bytes settled",
            said.at("worker").get<int>(), workers.times_ms.back(), said.at("users").get<int>(),
            said.at("settled_bytes").get<uint64_t>()));
    } else if (event == "bridge_taken_over") {
        bridge_outstanding_ = false;
        const double time_ms = said.at("milliseconds");
        tally_of(ChaosTarget::bridge).times_ms.push_back(time_ms);
        say(fmt::format(
            "bridge taken over in {:.2f} ms by pid {}", time_ms, said.at("pid").get<int>()));
    }
}

// A master has greeted this process.
void ChaosRun::look_for_successor() {
    const Greeting& greeting = server_.greeting();
    if (!awaited_)
        return;
    const ChaosTarget target = awaited_->target;
    const pid_t now = target == ChaosTarget::master ? greeting.master : greeting.pid;
    if (now == awaited_->pid)
        return;
    std::vector<double>& times_ms = tally_of(target).times_ms;
    times_ms.push_back(milliseconds(clock_.now() - awaited_->since));
    awaited_.reset();
    say(fmt::format("{} taken over in {:.2f} ms by pid {}, {} users", name_of(target),
        times_ms.back(), now, greeting.users));
}

void ChaosRun::count_strike(StrikeTally& tally, bool stop, const std::string& whom) {
    ++(stop ? tally.stopped : tally.killed);
    say(fmt::format("{} {}", stop ? "stopped" : "killed", whom));
}

void ChaosRun::say(std::string_view text) {
    print(fmt::format("{:8.3f} s  {}\n", milliseconds(clock_.now() - started_) / 1000, text));
}

void ChaosRun::summarize() const {
    for (const ChaosTarget target : targets_) {
        const std::string text = tallies_[static_cast<size_t>(target)].text();
        if (targets_.size() == 1)
            print(text + "\n");
        else
            print(fmt::format("{}: {}\n", name_of(target), text));
    }
}

} // namespace chatserv
