#include "master/chaos.h"

#include "master/control_client.h"
#include "master/failure.h"
#include "shared/event_queue.h"
#include "shared/served_clock.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <sysexits.h>
#include <vector>

namespace chatserv {

namespace {

// Where the whole machine stands still, so does the server: its answer is not late for that.
using Clock = ServedClock;

struct ChaosOptions {
    MasterChoice master{};
    double rate = 1;
    double seconds = 10;
    std::string mode = "kill";
    uint64_t seed = 0;
    bool help = false;
};

ChaosOptions parse(int argc, const char* const* argv) {
    CLI::App app("Kills or stops workers of a running chatserv at random, and says how long each\n"
                 "takeover took as the server measured it: from the instant at which it knew of "
                 "the death\n(or caused it) until all clients were served again.",
        "chatserv chaos");
    ChaosOptions options;
    options.seed = std::random_device()();
    declare_master_choice(app, options.master);
    app.add_option("--rate", options.rate, "Strikes a second, on average, 0.01 to 1000 [1]")
        ->check(CLI::Range(0.01, 1000.0));
    app.add_option("--for", options.seconds, "Seconds, up to 86400 [10]")
        ->check(CLI::Range(0.0, 86400.0));
    app.add_option("--mode", options.mode,
           "kill (SIGKILL), stop (SIGSTOP: the server must find out), or mixed [kill]")
        ->check(CLI::IsMember({"kill", "stop", "mixed"}));
    app.add_option("--seed", options.seed, "Repeats the choices of an earlier run");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked_for_text) {
        app.exit(asked_for_text);
        options.help = true;
        return options;
    } catch (const CLI::Error& failure) {
        throw Failure(EX_USAGE, fmt::format("{} (see chatserv chaos --help)", failure.what()));
    }
    return options;
}

// The smallest value that `share` of all do not exceed.
double quantile(const std::vector<double>& sorted, double share) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

// One run: strikes at random instants (a Poisson process) while the server's word is written down.
class Chaos {
public:
    explicit Chaos(const ChaosOptions& options) :
        options_(options), server_(options.master), random_(options.seed) {
        for (const int signal : {SIGINT, SIGTERM}) {
            std::signal(signal, SIG_IGN);
            must_change(events_.change(static_cast<uintptr_t>(signal), EVFILT_SIGNAL, EV_ADD),
                "watching for signals");
        }
        must_change(events_.change(static_cast<uintptr_t>(server_.fd()), EVFILT_READ, EV_ADD),
            "watching the server");
    }

    int run() {
        wait_for([&] { return workers_ > 0; }, clock_.now() + patience);
        if (workers_ == 0)
            throw Failure(EX_UNAVAILABLE, "the server does not answer");
        fmt::print("seed {}, {} workers, hang limit {} ms\n", options_.seed, workers_,
            hang_limit_.count());
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
        // What was struck last is still to be taken over; only then is the measure complete.
        interrupted_ = false;
        wait_for([&] { return struck_ == answered_ && outstanding_ == 0; },
            clock_.now() + hang_limit_ + patience);
        summarize();
        return outstanding_ == 0 ? EX_OK : EX_SOFTWARE;
    }

private:
    static constexpr std::chrono::seconds patience{10};

    static Clock::duration duration(double seconds) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    }

    template <typename Condition>
    void wait_for(Condition condition, Clock::time_point end) {
        while (!interrupted_ && !condition()) {
            const Clock::time_point now = clock_.now();
            if (now >= end)
                return;
            const Clock::duration sleep = std::min(end - now, Clock::sleep_max(patience));
            clock_.about_to_sleep(sleep);
            for (const EventQueue::Event& event : events_.wait(sleep)) {
                if (event.filter == EVFILT_SIGNAL)
                    interrupted_ = true;
                else
                    read();
            }
        }
    }

    void strike() {
        const auto worker = static_cast<uint32_t>(random_() % workers_ + 1);
        const bool stop = options_.mode == "stop" || (options_.mode == "mixed" && random_() % 2);
        server_.ask(fmt::format("{} {}", stop ? "stop" : "kill", worker));
        ++struck_;
    }

    void read() {
        server_.read();
        while (const auto line = server_.next_line())
            take(nlohmann::json::parse(*line));
    }

    void take(const nlohmann::json& said) {
        const std::string event = said.at("event");
        const double at = std::chrono::duration<double>(clock_.now() - started_).count();
        if (event == "hello") {
            workers_ = said.at("workers");
            hang_limit_ = std::chrono::milliseconds(said.at("hang_limit_ms"));
        } else if (event == "struck") {
            ++answered_;
            const bool kill = said.at("how") == "kill";
            ++(kill ? killed_ : stopped_);
            ++outstanding_;
            fmt::print("{:8.3f} s  {} worker {} (pid {})\n", at, kill ? "killed" : "stopped",
                said.at("worker").get<int>(), said.at("pid").get<int>());
        } else if (event == "refused") {
            ++answered_;
            ++refused_;
            fmt::print("{:8.3f} s  {}\n", at, said.at("reason").get<std::string>());
        } else if (event == "taken_over") {
            // More deaths than one where a successor was struck in the midst of a takeover.
            outstanding_ -= std::min(outstanding_, said.at("deaths").get<uint64_t>());
            milliseconds_.push_back(said.at("milliseconds"));
            fmt::print("{:8.3f} s  worker {} taken over in {:.2f} ms, {} users, {} bytes settled\n",
                at, said.at("worker").get<int>(), milliseconds_.back(), said.at("users").get<int>(),
                said.at("settled_bytes").get<uint64_t>());
        }
        std::fflush(stdout);
    }

    void summarize() {
        fmt::print("{} killed, {} stopped, {} not there; {} takeovers", killed_, stopped_, refused_,
            milliseconds_.size());
        if (!milliseconds_.empty()) {
            std::sort(milliseconds_.begin(), milliseconds_.end());
            fmt::print(": median {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms",
                quantile(milliseconds_, 0.5), quantile(milliseconds_, 0.99), milliseconds_.back());
        }
        fmt::print("\n");
    }

    const ChaosOptions& options_;
    ControlClient server_;
    EventQueue events_;
    std::mt19937_64 random_;
    ServedRecord record_{};
    Clock clock_{record_, Clock::allowance_for(patience)};
    Clock::time_point started_ = clock_.now();
    std::vector<double> milliseconds_;
    std::chrono::milliseconds hang_limit_{};
    uint32_t workers_ = 0;
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
    const ChaosOptions options = parse(argc, argv);
    if (options.help)
        return EX_OK;
    return Chaos(options).run();
}

} // namespace chatserv
