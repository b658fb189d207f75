#include "master/workers/worker_program.h"

#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"

#include <unistd.h>

namespace chatserv {

namespace {

constexpr const char* program_name = "chatserv-worker";

} // namespace

WorkerProgram::WorkerProgram(const std::string& argv0) : file_(program_name, argv0) {}

pid_t WorkerProgram::start(const std::vector<std::string>& arguments,
    const std::vector<int>& inherited, PidWord pid_word) const {
    Frame last_words(
        MessageType::cannot_work, cannot_work(Hindrance::program, 0, "executing " + path()));
    return file_.start({.title = "chatserv: spare worker",
        .arguments = arguments,
        .inherited = inherited,
        .pid_word = pid_word,
        .say_why_not = [&](int error) {
            last_words.item.error = error;
            [[maybe_unused]] const ssize_t said =
                ::write(inherited.front(), &last_words, sizeof last_words);
        }});
}

} // namespace chatserv
