#include "master/worker_program.h"

#include "config.h"
#include "master/failure.h"
#include "master/start_step.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sstream>
#include <sys/stat.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace chatserv {

namespace {

namespace fs = std::filesystem;

constexpr const char* program_name = "chatserv-worker";

// The folder that the master's program was started from; empty where that cannot be told.
fs::path own_folder(const std::string& argv0) {
    std::error_code ignored;
    if (argv0.find('/') != std::string::npos)
        return fs::canonical(argv0, ignored).parent_path();
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        const fs::path program = fs::path(folder) / argv0;
        if (::access(program.c_str(), X_OK) == 0)
            return fs::canonical(program, ignored).parent_path();
    }
    return {};
}

} // namespace

WorkerProgram::WorkerProgram(const std::string& argv0) {
    const StartStep step("looking for the worker program",
        "see whether the file system answers that chatserv is installed in");
    std::vector<fs::path> candidates;
    if (const fs::path folder = own_folder(argv0); !folder.empty())
        candidates.push_back(folder / program_name);
    candidates.push_back(fs::path(CHATSERV_LIBEXECDIR) / program_name);
    for (const fs::path& candidate : candidates) {
        struct stat info {};
        if (::access(candidate.c_str(), X_OK) != 0 || ::stat(candidate.c_str(), &info) != 0 ||
            !S_ISREG(info.st_mode)) // a FIFO, for one, would be waited for
            continue;
        file_ = UniqueFd(::open(candidate.c_str(), O_RDONLY | O_CLOEXEC));
        path_ = candidate.string();
        if (file_)
            return;
    }
    std::string looked_at;
    for (const fs::path& candidate : candidates)
        looked_at += (looked_at.empty() ? "" : " and ") + candidate.string();
    throw Failure(
        EX_UNAVAILABLE, fmt::format("there is no {} to run, looked for {}: install it there",
                            program_name, looked_at));
}

pid_t WorkerProgram::start(
    const std::vector<std::string>& arguments, const std::vector<int>& inherited) const {
    // All memory is got before the fork: after it, only async-signal-safe calls.
    std::vector<char*> argv;
    std::string name = "chatserv: spare worker"; // what ps(1) shows until it says something else
    argv.push_back(name.data());
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    const pid_t pid = ::fork();
    if (pid == -1)
        throw std::system_error(errno, std::generic_category(), "fork");
    if (pid != 0)
        return pid;
    for (const int fd : inherited)
        if (::fcntl(fd, F_SETFD, 0) == -1)
            ::_exit(EX_OSERR);
#ifdef HAVE_FEXECVE
    ::fexecve(file_.get(), argv.data(), environ);
#endif
    ::execve(path_.c_str(), argv.data(), environ);
    ::_exit(EX_UNAVAILABLE);
}

} // namespace chatserv
