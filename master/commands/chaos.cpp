#include "master/commands/chaos.h"

#include "master/commands/chaos_run.h"
#include "master/commands/command_options.h"
#include "master/config/option_values.h"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <random>
#include <string>
#include <sysexits.h>
#include <vector>

namespace chatserv {

namespace {

constexpr double rate_min = 0.01;
constexpr double rate_max = 1000;
constexpr double seconds_max = 86400;

// In the order of ChaosTarget, then all of them.
const std::vector<std::string> targets{"worker", "master", "keeper", "bridge", "any"};
// In the order of ChaosMode.
const std::vector<std::string> modes{"kill", "stop", "mixed"};

size_t place_of(const std::string& word, const std::vector<std::string>& words) {
    return static_cast<size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

const char* const help =
    "usage: chatserv chaos [--pid PID | --control PATH] [OPTION...]\n"
    "\n"
    "Kills or stops processes of a running chatserv at random moments. For each, it prints\n"
    "how long the server took to replace the process. For a worker: from the moment when the\n"
    "server learned of the death, or caused it, until all clients were served again; for the\n"
    "bridge: until the next one worked. For the master and the keeper: from the signal until\n"
    "the next master answered this command.\n"
    "Clients stay connected and miss nothing. To end early, interrupt it (Ctrl-C).\n"
    "\n"
    "  --rate N         Average number of kills or stops per second, 0.01 to 1000 [1]\n"
    "  --for SECONDS    How long to run, up to 86400 [10]\n"
    "  --target WHICH   Which process to strike [worker]:\n"
    "                     worker  any of the workers\n"
    "                     master  the process that accepts clients and watches the workers\n"
    "                     keeper  the process that watches the master: the server's pid\n"
    "                     bridge  the process that is connected to the room of several hosts\n"
    "                     any     any of these that the server has, at random\n"
    "                   The next strike waits until a master or keeper is replaced: the two\n"
    "                   replace each other, and the death of both at once ends the server.\n"
    "  --mode MODE      What to do to a process [kill]:\n"
    "                     kill   SIGKILL: the process dies at once\n"
    "                     stop   SIGSTOP: the server must notice it (--hang-limit)\n"
    "                     mixed  either of them, at random\n"
    "                   The keeper is only killed: no process replaces a stopped keeper.\n"
    "  --seed N         Repeat the choices of an earlier run, which printed its seed.\n";

CommandForm form() {
    return {"chaos",
        {{"rate", fmt::format("a number from {} to {}", rate_min, rate_max)},
            {"for", fmt::format("a number from 0 to {}, in seconds", seconds_max)},
            {"target", "one of " + list_of(targets)}, {"mode", "one of " + list_of(modes)},
            {"seed", fmt::format("a number from 0 to {}", std::numeric_limits<uint64_t>::max())}}};
}

ChaosOptions options_of(const CommandOptions& command_line) {
    ChaosOptions options;
    options.rate = command_line.number("rate", rate_min, rate_max).value_or(options.rate);
    options.seconds = command_line.number("for", 0, seconds_max).value_or(options.seconds);
    if (const auto target = command_line.one_of("target", targets)) {
        if (*target == "any")
            options.targets = {
                ChaosTarget::worker, ChaosTarget::master, ChaosTarget::bridge, ChaosTarget::keeper};
        else
            options.targets = {static_cast<ChaosTarget>(place_of(*target, targets))};
    }
    if (const auto mode = command_line.one_of("mode", modes))
        options.mode = static_cast<ChaosMode>(place_of(*mode, modes));
    if (options.mode == ChaosMode::stop && options.targets.back() == ChaosTarget::keeper) {
        if (options.targets.size() == 1)
            throw form().misuse("--mode stop: cannot be used with --target keeper, since no "
                                "process replaces a stopped keeper");
        options.targets.pop_back();
    }
    const auto seed = command_line.count("seed");
    options.seed = seed ? *seed : std::random_device()();
    return options;
}

} // namespace

int run_chaos(int argc, const char* const* argv) {
    const CommandOptions command_line(form(), help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const ChaosOptions options = options_of(command_line);
    ChaosRun(options, choose_server(command_line.server())).run();
    return EX_OK;
}

} // namespace chatserv
