#include "master/commands/chaos.h"

#include "master/commands/command_options.h"
#include "master/config/option_values.h"
#include "shared/segment/served_clock.h"
#include "shared/system/errors.h"
#include "shared/system/event_queue.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fmt/core.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <sysexits.h>
#include <vector>

namespace chatserv {

namespace {

// If the whole machine stands still, the server does too. That time does not count against it.
using Clock = ServedClock;

struct ChaosOptions {
    double rate = 1;
    double seconds = 10;
    std::string mode = "kill";
    uint64_t seed = 0;
};

constexpr double rate_min = 0.01;
constexpr double rate_max = 1000;
constexpr double seconds_max = 86400;

const std::vector<std::string> modes{"kill", "stop", "mixed"};

const char* const help =
    "usage: chatserv chaos [--pid PID | --control PATH] [OPTION...]\n"
    "\n"
    "Kills or stops worker processes of a running chatserv at random moments. For each, it\n"
    "prints how long the server took to replace the worker: from the moment when the server\n"
    "learned of the death, or caused it, until all clients were served again. Clients stay\n"
    "connected and miss nothing. To end early, interrupt it (Ctrl-C).\n"
    "\n"
    "  --rate N         Average number of kills or stops per second, 0.01 to 1000 [1]\n"
    "  --for SECONDS    How long to run, up to 86400 [10]\n"
    "  --mode MODE      What to do to a worker [kill]:\n"
    "                     kill   SIGKILL: the worker dies at once\n"
    "                     stop   SIGSTOP: the server must notice it (--hang-limit)\n"
    "                     mixed  either of them, at random\n"
    "  --seed N         Repeat the choices of an earlier run, which printed its seed.\n";

CommandForm form() {
    return {"chaos",
        {{"rate", fmt::format("a number from {} to {}", rate_min, rate_max)},
            {"for", fmt::format("a number from 0 to {}, in seconds", seconds_max)},
            {"mode", "one of " + list_of(modes)},
            {"seed", fmt::format("a number from 0 to {}", std::numeric_limits<uint64_t>::max())}}};
}

ChaosOptions options_of(const CommandOptions& command_line) {
    ChaosOptions options;
    options.rate = command_line.number("rate", rate_min, rate_max).value_or(options.rate);
    options.seconds = command_line.number("for", 0, seconds_max).value_or(options.seconds);
    options.mode = command_line.one_of("mode", modes).value_or(options.mode);
    const auto seed = command_line.count("seed");
    options.seed = seed ? *seed : std::random_device()();
    return options;
}

// The smallest value that is not exceeded by a share `share` of all values.
double quantile(const std::vector<double>& sorted, double share) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

enum class ChaosEvent : uint8_t { server = 1 };

// One run: strikes workers at random moments (a Poisson process), and records what the server
// reports.
class Chaos {
public:
    Chaos(const ChaosOptions& options, ChosenServer server) :
        options_(options), server_(std::move(server.client)), random_(options.seed),
        hang_limit_(server.greeting.hang_limit), workers_(server.greeting.workers) {
        for (const int signal : {SIGINT, SIGTERM}) {
            // A shell's `&` starts a program with SIGINT ignored. It stays ignored.
            if (std::signal(signal, SIG_IGN) == SIG_IGN)
                continue;
            require(events_.watch_signal(signal), "watching for signals");
        }
        require(events_.watch_readable(server_.fd(), ChaosEvent::server), "watching the server");
    }

    int run() {
        if (workers_ == 0)
            throw Failure(EX_UNAVAILABLE, "the server has no workers");
        print(fmt::format("seed {}, {} workers, hang limit {} ms\n", options_.seed, workers_,
            hang_limit_.count()));
        const Clock::time_point end = started_ + duration(options_.seconds);
        std::exponential_distribution<double> pause(options_.rate);
        for (Clock::time_point next = started_ + duration(pause(random_)); next < end;
             next += duration(pause(random_))) {
            wait_for([] { return false; }, next);
            if (interrupted_)
                break;
            strike();
        }
        wait_for([] { return false; }, end);
        // Waits for the last takeovers, so that the measurement is complete.
        interrupted_ = false;
        wait_for([&] { return struck_ == answered_ && outstanding_ == 0; },
            clock_.now() + hang_limit_ + ControlClient::patience);
        summarize();
        if (interrupted_)
            return EX_OK;
        expect_answers(0);
        if (outstanding_ != 0)
            throw Failure(EX_SOFTWARE,
                fmt::format("workers that were not replaced in time: {}", outstanding_));
        return EX_OK;
    }

private:
    // Fewer requests than a socket can hold, so that writing one never fails for lack of room.
    static constexpr uint64_t unanswered_max = 32;

    static Clock::duration duration(double seconds) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    }

    template <typename Condition>
    void wait_for(Condition condition, Clock::time_point end) {
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

    void expect_answers(uint64_t missing_max) const {
        if (struck_ - answered_ > missing_max)
            throw Failure(
                EX_UNAVAILABLE, fmt::format("the server at {} does not answer", server_.path()));
    }

    void strike() {
        wait_for([&] { return struck_ - answered_ < unanswered_max; },
            clock_.now() + ControlClient::patience);
        if (interrupted_)
            return;
        expect_answers(unanswered_max - 1);
        const auto worker = static_cast<uint32_t>(random_() % workers_ + 1);
        const bool stop = options_.mode == "stop" || (options_.mode == "mixed" && random_() % 2);
        server_.ask(fmt::format("{} {}", stop ? "stop" : "kill", worker));
        ++struck_;
    }

    void read() {
        server_.read();
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

    void take(const std::string& event, const nlohmann::json& said) {
        const double at = std::chrono::duration<double>(clock_.now() - started_).count();
        if (event == "struck") {
            ++answered_;
            const bool kill = said.at("how") == "kill";
            ++(kill ? killed_ : stopped_);
            ++outstanding_;
            print(fmt::format("{:8.3f} s  {} worker {} (pid {})\n", at, kill ? "killed" : "stopped",
                said.at("worker").get<int>(), said.at("pid").get<int>()));
        } else if (event == "refused") {
            ++answered_;
            ++refused_;
            print(fmt::format(
                "{:8.3f} s  {}\n", at, as_one_line(said.at("reason").get<std::string>())));
        } else if (event == "taken_over") {
            // More than one death, if a successor was struck in the middle of a takeover.
            outstanding_ -= std::min(outstanding_, said.at("deaths").get<uint64_t>());
            milliseconds_.push_back(said.at("milliseconds"));
            print(fmt::format(
                "{:8.3f} s  worker {} taken over in {:.2f} ms, {} users, {} bytes settled\n", at,
                said.at("worker").get<int>(), milliseconds_.back(), said.at("users").get<int>(),
                said.at("settled_bytes").get<uint64_t>()));
        }
    }

    void summarize() {
        std::string summary = fmt::format("{} killed, {} stopped, {} not there; {} takeovers",
            killed_, stopped_, refused_, milliseconds_.size());
        if (!milliseconds_.empty()) {
            std::sort(milliseconds_.begin(), milliseconds_.end());
            summary += fmt::format(": median {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms",
                quantile(milliseconds_, 0.5), quantile(milliseconds_, 0.99), milliseconds_.back());
        }
        print(summary + "\n");
    }

    const ChaosOptions& options_;
    ControlClient server_;
    EventQueue events_;
    std::mt19937_64 random_;
    ServedRecord record_{};
    Clock clock_{record_, Clock::allowance_for(ControlClient::patience)};
    Clock::time_point started_ = clock_.now();
    std::vector<double> milliseconds_;
    std::chrono::milliseconds hang_limit_;
    uint32_t workers_;
    uint64_t struck_ = 0;
    uint64_t answered_ = 0;
    uint64_t killed_ = 0;
    uint64_t stopped_ = 0;
    uint64_t refused_ = 0;
    uint64_t outstanding_ = 0;
    bool interrupted_ = false;
};

} // namespace

int run_chaos(int argc, const char* const* argv) {
    const CommandOptions command_line(form(), help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const ChaosOptions options = options_of(command_line);
    return Chaos(options, choose_server(command_line.server())).run();
}

} // namespace chatserv
