#include "master/reload/reading.h"

#include "config.h"
#include "master/config/unix_access.h"
#include "master/config/worker_user.h"
#include "master/upgrade/packed_options.h"
#include "master/workers/reaping.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"
#include "shared/system/printable_text.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

// Not every system's <unistd.h> declares it.
// NOLINTNEXTLINE(readability-redundant-declaration)
extern char** environ;

namespace chatserv {

namespace {

// Longer than the process gives any one step of its own (start_step.h).
constexpr std::chrono::seconds patience{45};
// More than the options of the largest configuration file need.
constexpr size_t answer_bytes_max = 8 * 1024 * 1024;
constexpr std::string_view own_prefix = "chatserv: ";

// The last line, without the name of the program.
std::string last_line(std::string_view text) {
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    text = text.substr(text.rfind('\n') + 1); // npos + 1 is 0
    if (text.starts_with(own_prefix))
        text.remove_prefix(own_prefix.size());
    return as_one_line(std::string(text));
}

// Only async-signal-safe calls: this is the child of a fork(2).
[[noreturn]] void become_reader(int answer, int program, const char* path, char* const* argv) {
    if (::dup2(answer, STDERR_FILENO) != -1) {
#ifdef HAVE_FEXECVE
        if (program != -1)
            ::fexecve(program, argv, environ);
#else
        (void)program;
#endif
        ::execve(path, argv, environ);
    }
    const char* const why = std::strerror(errno);
    [[maybe_unused]] const ssize_t said = ::write(answer, why, std::strlen(why));
    ::_exit(EX_OSERR);
}

Reading::Verdict unpacked(const nlohmann::json& told) {
    if (told.contains("failure"))
        return {.failure = as_one_line(told.at("failure").get<std::string>()),
            .exit_status = told.at("exit_status").get<int>()};
    return {.options = unpacked_options(told)};
}

nlohmann::json failed(const std::exception& failure) {
    const auto* const ours = dynamic_cast<const Failure*>(&failure);
    return {{"failure", failure.what()},
        {"exit_status", ours != nullptr ? ours->exit_status() : EX_OSERR}};
}

nlohmann::json read_options(int argc, const char* const* argv) {
    try {
        auto options = parse_options(argc, argv);
        if (!options)
            throw Failure(EX_USAGE, "the server was started without options to serve with");
        choose_worker_user(*options);
        choose_unix_group(*options);
        resolve_listen(options->listen);
        resolve_listen(options->metrics); // a start would fail as well
        return packed(*options);
    } catch (const std::exception& failure) {
        return failed(failure);
    }
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written == -1 && errno != EINTR)
            throw_errno("answering the server");
        bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
    }
}

} // namespace

Reading::Reading(int program, std::string path, const std::vector<std::string>& command_line) :
    due_(Clock::now() + patience) {
    FdPair pipe = make_pipe();
    set_nonblocking(pipe.first.get());
    std::vector<std::string> words{path, reading_word};
    words.insert(words.end(), command_line.begin() + 1, command_line.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == -1)
        throw_errno("fork");
    if (pid_ == 0)
        become_reader(pipe.second.get(), program, path.c_str(), argv.data());
    answer_ = std::move(pipe.first);
}

Reading::~Reading() {
    if (pid_ > 0)
        ::kill(pid_, SIGKILL);
}

std::optional<Reading::Verdict> Reading::look() {
    take_answer();
    if (!overdue_ && (Clock::now() >= due_ || said_.size() > answer_bytes_max)) {
        overdue_ = true;
        ::kill(pid_, SIGKILL);
    }
    int wait_status = 0;
    const pid_t ended = ::waitpid(pid_, &wait_status, WNOHANG);
    if (ended == 0)
        return std::nullopt;
    std::optional<int> status;
    if (std::exchange(pid_, 0) == ended)
        status = wait_status;
    take_answer(); // what it said before it ended
    return judge(status);
}

void Reading::take_answer() {
    char bytes[16 * 1024];
    while (said_.size() <= answer_bytes_max) {
        const ssize_t got = ::read(answer_.get(), bytes, sizeof bytes);
        if (got == -1 && errno == EINTR)
            continue;
        said_all_ = said_all_ || got == 0;
        if (got <= 0)
            return;
        said_.append(bytes, static_cast<size_t>(got));
    }
}

Reading::Verdict Reading::judge(std::optional<int> wait_status) const {
    if (overdue_)
        return {
            .failure = fmt::format("the options were not read within {} seconds", patience.count()),
            .exit_status = EX_NOINPUT};
    if (const size_t zero = said_.find('\0'); zero != std::string::npos) {
        try {
            return unpacked(nlohmann::json::from_cbor(
                said_.begin() + static_cast<std::ptrdiff_t>(zero) + 1, said_.end()));
        } catch (const std::exception& failure) {
            return {.failure = failure.what(), .exit_status = EX_SOFTWARE};
        }
    }
    const std::string line = last_line(said_);
    const bool exited = wait_status && WIFEXITED(*wait_status) && WEXITSTATUS(*wait_status) != 0;
    return {.failure = line.empty() ? fmt::format("the options could not be read: {}",
                                          text_of_wait_status(wait_status))
                                    : line,
        .exit_status = exited ? WEXITSTATUS(*wait_status) : EX_SOFTWARE};
}

int read_options_for_server(int argc, const char* const* argv) {
    std::string answer(1, '\0');
    nlohmann::json::to_cbor(read_options(argc - 1, argv + 1), answer);
    write_all(STDERR_FILENO, answer);
    return EX_OK;
}

} // namespace chatserv
