// chatserv-worker: started by the master, never by hand.
//
// The arguments, which only the master writes (master/worker_pool.cpp):
//     LOG_LEVEL LOG_FORMAT SEAT CHANNEL SEGMENT [LISTENING_END RINGING_END]...
// SEAT being its place among the heartbeats, the last four kinds numbers of inherited descriptors.
#include "shared/logging.h"
#include "shared/process_title.h"
#include "worker/worker.h"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sysexits.h>

namespace chatserv {

namespace {

std::optional<int> number_of(std::string_view argument) {
    int number = -1;
    const char* const end = argument.data() + argument.size();
    const auto [parsed_to, error] = std::from_chars(argument.data(), end, number);
    if (error != std::errc() || parsed_to != end || number < 0)
        return std::nullopt;
    return number;
}

std::optional<UniqueFd> inherited(std::string_view argument) {
    const auto fd = number_of(argument);
    if (!fd || *fd < 3 || ::fcntl(*fd, F_GETFD) == -1)
        return std::nullopt;
    UniqueFd owned(*fd);
    set_close_on_exec(*fd, true);
    return owned;
}

std::optional<Inheritance> inheritance_of(int argc, char** argv) {
    constexpr int first = 4;
    const auto seat = argc < first + 4 ? std::nullopt : number_of(argv[first - 1]);
    if (!seat || (argc - first) % 2 != 0)
        return std::nullopt;
    Inheritance inheritance;
    inheritance.seat = static_cast<uint32_t>(*seat);
    for (int i = first; i < argc; i += 2) {
        auto one = inherited(argv[i]);
        auto two = inherited(argv[i + 1]);
        if (!one || !two)
            return std::nullopt;
        if (i == first) {
            inheritance.channel = std::move(*one);
            inheritance.segment = std::move(*two);
        } else {
            inheritance.doorbells.push_back({std::move(*one), std::move(*two)});
        }
    }
    return inheritance;
}

// What stops the server is told to the master alone, also where a terminal or a service manager
// tells every process.
void ignore_signals() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
        std::signal(signal, SIG_IGN);
}

int work(int argc, char** argv) {
    ignore_signals();
    auto inheritance = inheritance_of(argc, argv);
    if (!inheritance) {
        std::fputs("chatserv-worker is started by chatserv, not by hand: run chatserv\n", stderr);
        return EX_USAGE;
    }
    set_up_logging(
        "worker", argv[1], std::string_view(argv[2]) == "json" ? LogFormat::json : LogFormat::text);
    set_process_title("chatserv: spare worker");
    try {
        Worker(std::move(*inheritance)).run();
    } catch (const std::exception& failure) {
        log_error("worker", failure.what());
        return EX_SOFTWARE;
    }
    return EX_OK;
}

} // namespace

} // namespace chatserv

int main(int argc, char** argv) {
    chatserv::prepare_process_title(argc, argv);
    return chatserv::work(argc, argv);
}
