#include "master/workers/worker_starter.h"

#include <unistd.h>

namespace chatserv {

namespace {

// The places of these among the arguments that every process gets (worker/start.h).
constexpr size_t log_level_argument = 0;
constexpr size_t log_format_argument = 1;
constexpr size_t uid_argument = 2;
constexpr size_t gid_argument = 3;

std::string word_of(LogFormat format) {
    return format == LogFormat::json ? "json" : "text";
}

} // namespace

WorkerStarter::WorkerStarter(const WorkerProgram& program, const Options& options,
    const Segment& segment, const std::vector<FdPair>& doorbells) :
    program_(program),
    segment_(segment),
    doorbells_(doorbells), common_arguments_{options.log_level, word_of(options.log_format),
                               std::to_string(options.worker_uid),
                               std::to_string(options.worker_gid)} {}

pid_t WorkerStarter::start(SeatId seat, const Ends& ends, PidWord pid_word) const {
    std::vector<int> inherited{ends.channel, segment_.fd(), ends.rendezvous};
    for (const FdPair& doorbell : doorbells_)
        inherited.insert(inherited.end(), {doorbell.first.get(), doorbell.second.get()});
    std::vector<std::string> arguments = common_arguments_;
    arguments.push_back(std::to_string(index_of(seat)));
    for (const int fd : inherited)
        arguments.push_back(std::to_string(fd));
    return program_.start(arguments, inherited, pid_word);
}

void WorkerStarter::follow(const Options& options) {
    common_arguments_[log_level_argument] = options.log_level;
    common_arguments_[log_format_argument] = word_of(options.log_format);
}

void WorkerStarter::keep_own_rights() {
    common_arguments_[uid_argument] = std::to_string(::geteuid());
    common_arguments_[gid_argument] = std::to_string(::getegid());
}

} // namespace chatserv
