#include "tests/harness/process.h"

#include "shared/system/shared_table.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

extern char** environ; // NOLINT: POSIX asks for this declaration

namespace chatserv::test {

namespace {

enum class OurEnd { reading, writing };

// A pipe whose end for the child is blocking, as programs expect of their standard streams.
FdPair make_standard_stream(OurEnd ours) {
    int fds[2];
    if (::pipe(fds) == -1)
        throw std::system_error(errno, std::generic_category(), "pipe");
    FdPair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
    set_close_on_exec(fds[0], true);
    set_close_on_exec(fds[1], true);
    set_nonblocking(ours == OurEnd::reading ? fds[0] : fds[1]);
    return pair;
}

// As a shell has it: 128 + number for a signal.
int exit_status_of(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (std::string& string : strings)
        pointers.push_back(string.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& additions) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view inherited(*entry);
        const std::string_view name = inherited.substr(0, inherited.find('='));
        if (std::none_of(additions.begin(), additions.end(),
                [&](const auto& addition) { return addition.first == name; }))
            all.emplace_back(inherited);
    }
    for (const auto& [name, value] : additions)
        all.push_back(name + "=" + value);
    // A killed server would leave its control socket in a folder of the system, so a server has a
    // control socket only if the test asks for one.
    const auto says_where = [](const std::string& entry) {
        return entry.starts_with("CHATSERV_CONTROL=");
    };
    if (std::none_of(all.begin(), all.end(), says_where))
        all.emplace_back("CHATSERV_CONTROL=none");
    return all;
}

constexpr int first_copy = 64;

// Uses posix_spawn(3) instead of fork(2), which stays correct and fast however large the test
// process has grown.
struct SpawnPlan {
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};

    SpawnPlan() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t defaults;
        ::sigemptyset(&none);
        ::sigemptyset(&defaults);
        ::sigaddset(&defaults, SIGPIPE); // ignored in the test, see Loop
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &defaults);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    ~SpawnPlan() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&files);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
};

} // namespace

Process::Process(Loop& loop, const Command& command) :
    Process(loop, command,
        {make_standard_stream(OurEnd::writing), make_standard_stream(OurEnd::reading),
            make_standard_stream(OurEnd::reading)}) {}

// The pipes are a parameter so that the child's ends are closed here when the constructor is done,
// even if it throws. Otherwise the end of a stream would not show the end of the child.
Process::Process(Loop& loop, const Command& command, Pipes pipes) :
    loop_(loop), name_(command.arguments.at(0)), input_(loop, std::move(pipes.input.second)),
    output_(loop, std::move(pipes.output.first)), errors_(loop, std::move(pipes.errors.first)) {
    SpawnPlan plan;
    ::posix_spawn_file_actions_adddup2(&plan.files, pipes.input.first.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&plan.files, pipes.output.second.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&plan.files, pipes.errors.second.get(), STDERR_FILENO);

    // Copies above all numbers that the program gets: none of them is replaced before it is used.
    std::vector<UniqueFd> copies;
    int number = STDERR_FILENO;
    for (const int descriptor : command.descriptors) {
        copies.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, first_copy));
        ::posix_spawn_file_actions_adddup2(&plan.files, copies.back().get(), ++number);
    }

    std::vector<std::string> arguments = command.arguments;
    std::vector<std::string> environment = environment_with(command.environment);
    const std::string& file = command.file.empty() ? name_ : command.file;
    const int error = ::posix_spawnp(&pid_, file.c_str(), &plan.files, &plan.attributes,
        pointers_to(arguments).data(), pointers_to(environment).data());
    if (error != 0)
        throw std::system_error(error, std::generic_category(), "cannot run " + name_);
    guard_.emplace(pid_);
}

Process::~Process() {
    // A group can outlive its leader, and a pid is not reused while its group exists. Once the
    // leader is reaped and all holders of its output are gone, no process is left to kill.
    if (!exited() || !output_.ended() || !errors_.ended())
        ::kill(-pid_, SIGKILL);
    if (!status_)
        ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
    if (!status_)
        ::kill(pid_, number);
}

bool Process::exited() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
        status_ = exit_status_of(status);
    return status_.has_value();
}

bool Process::adopt_orphans() const {
    return become_subreaper();
}

// waitid(2) tells of one without reaping it, so that the process itself is left to exited().
void Process::reap_orphans(const std::vector<pid_t>& traced) {
    for (;;) {
        siginfo_t ended{};
        if (::waitid(P_PGID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == -1 ||
            ended.si_pid == 0 || std::ranges::find(traced, ended.si_pid) != traced.end())
            return;
        int status = 0;
        if (ended.si_pid == pid_)
            (void)exited();
        else if (::waitpid(ended.si_pid, &status, 0) == ended.si_pid)
            orphan_statuses_[ended.si_pid] = exit_status_of(status);
    }
}

std::optional<int> Process::status_of_orphan(pid_t pid) const {
    const auto found = orphan_statuses_.find(pid);
    return found == orphan_statuses_.end() ? std::nullopt : std::optional(found->second);
}

int Process::wait_for_exit() {
    loop_.wait_until([this] { return exited(); }, "the end of " + name_);
    loop_.wait_until(
        [this] { return output_.ended() && errors_.ended(); }, "the end of the output of " + name_);
    return status_.value();
}

void Process::wait_for_output(std::string_view text) {
    loop_.wait_until([&] { return output_.text().find(text) != std::string::npos; },
        "'" + std::string(text) + "' in the output of " + name_);
}

bool Process::group_is_gone() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::kill(-pid_, 0) == 0 || errno != ESRCH) {
        reap_orphans();
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::yield();
    }
    return true;
}

Finished run(Loop& loop, const Command& command) {
    Process process(loop, command);
    process.end_input();
    const int status = process.wait_for_exit();
    return {status, process.output().text(), process.errors().text()};
}

bool is_installed(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (::access((folder + "/" + program).c_str(), X_OK) == 0)
            return true;
    }
    return false;
}

} // namespace chatserv::test
