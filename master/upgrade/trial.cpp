#include "master/upgrade/trial.h"

#include "master/bridge/bridge_resources.h"
#include "master/ledger/holdings.h"
#include "master/metrics/metrics_resources.h"
#include "master/sources/source_resources.h"
#include "master/upgrade/become_program.h"
#include "master/upgrade/legacy.h"
#include "master/workers/reaping.h"
#include "master/workers/worker_program.h"
#include "shared/segment/segment.h"
#include "shared/system/errors.h"
#include "shared/system/printable_text.h"
#include "shared/system/version.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <fmt/core.h>
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

constexpr std::chrono::seconds patience{10};
constexpr size_t answer_bytes_max = 512;
constexpr std::string_view yes = "ok ";

int holding(const Ledger& ledger, Holding kind) {
    return Holdings(ledger).find(kind, 0);
}

// In the program that is tried: it ends when it is much too late, though its master may have died
// and nobody else knows of it. alarm(2) lasts beyond exec(2). Async-signal-safe.
void limit_life() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    (void)::sigaction(SIGALRM, &action, nullptr);
    ::alarm(static_cast<unsigned>(2 * patience.count()));
}

void say(int answer, std::string line) {
    line = as_one_line(line.substr(0, answer_bytes_max - 1)) + "\n";
    [[maybe_unused]] const ssize_t said = ::write(answer, line.data(), line.size());
}

} // namespace

Trial::Trial(std::string path, const Ledger& ledger) :
    path_(std::move(path)), due_(Clock::now() + patience) {
    FdPair pipe = make_pipe();
    std::string word = trial_word;
    std::string ledger_number = std::to_string(ledger.fd());
    std::string answer_number = std::to_string(pipe.second.get());
    char* const argv[] = {
        path_.data(), word.data(), ledger_number.data(), answer_number.data(), nullptr};
    const int inherited[] = {
        pipe.second.get(), ledger.fd(), holding(ledger, Holding::segment), legacy_in_force(ledger)};
    pid_ = ::fork();
    if (pid_ == -1)
        throw_errno("fork");
    if (pid_ == 0) { // only async-signal-safe calls
        limit_life();
        for (const int fd : inherited)
            (void)::fcntl(fd, F_SETFD, 0);
        ::execve(path_.c_str(), argv, environ);
        const int error = errno;
        const char* const why = std::strerror(error);
        [[maybe_unused]] const ssize_t said = ::write(inherited[0], why, std::strlen(why));
        ::_exit(EX_UNAVAILABLE);
    }
    answer_ = std::move(pipe.first);
}

Trial::~Trial() {
    if (pid_ > 0)
        ::kill(pid_, SIGKILL);
}

std::optional<Trial::Verdict> Trial::look() {
    if (!overdue_ && Clock::now() >= due_) {
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
    return judge(status);
}

Trial::Verdict Trial::judge(std::optional<int> wait_status) const {
    char bytes[answer_bytes_max];
    const ssize_t got = ::read(answer_.get(), bytes, sizeof bytes);
    std::string_view line(bytes, got > 0 ? static_cast<size_t>(got) : 0);
    const bool whole = line.ends_with('\n');
    line = line.substr(0, line.find('\n'));
    if (overdue_)
        return {
            .why_not = fmt::format("{} did not answer within {} seconds", path_, patience.count())};
    const bool well = !wait_status || *wait_status == 0;
    if (well && whole && line.starts_with(yes))
        return {.version = as_one_line(std::string(line.substr(yes.size())))};
    if (!line.empty() && !line.starts_with(yes))
        return {.why_not = fmt::format("{}: {}", path_, as_one_line(std::string(line)))};
    return {.why_not =
                fmt::format("{} could not be tried: {}", path_, text_of_wait_status(wait_status))};
}

int stand_trial(int ledger_fd, int answer, const std::string& argv0) {
    limit_life();
    set_close_on_exec(answer, true);
    try {
        const Ledger ledger = Ledger::attach(UniqueFd(ledger_fd));
        const Segment segment = Segment::attach(UniqueFd(holding(ledger, Holding::segment)));
        const Legacy legacy = read_legacy(legacy_in_force(ledger));
        const WorkerProgram program(argv0);
        (void)find_metrics_program(legacy.options, argv0);
        (void)fitting_bridge_program(legacy.options, argv0);
        (void)resume_source_resources(legacy.sources, argv0, -1);
    } catch (const std::exception& failure) {
        say(answer, failure.what());
        return EX_UNAVAILABLE;
    }
    say(answer, std::string(yes) + program_version());
    return EX_OK;
}

} // namespace chatserv
