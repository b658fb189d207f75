#include "master/start/program_file.h"

#include "config.h"
#include "master/config/start_step.h"
#include "master/start/own_program.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>

// Not every system's <unistd.h> declares it.
// NOLINTNEXTLINE(readability-redundant-declaration)
extern char** environ;

namespace chatserv {

namespace {

namespace fs = std::filesystem;

// Where a system says which file a process runs: Linux, NetBSD and FreeBSD, each if it is mounted.
constexpr const char* own_program_links[] = {
    "/proc/self/exe", "/proc/curproc/exe", "/proc/curproc/file"};

// The folders in which the master's program may lie, the likeliest first. The system's own word
// comes before the program's name, which the process that starts a program chooses freely.
std::vector<fs::path> own_folders(const std::string& argv0) {
    std::vector<fs::path> folders;
    const auto add = [&](const fs::path& folder) {
        if (!folder.empty() && std::find(folders.begin(), folders.end(), folder) == folders.end())
            folders.push_back(folder);
    };
    std::error_code absent;
    for (const char* const link : own_program_links)
        add(fs::read_symlink(link, absent).parent_path());
    for (const std::string& program : own_program_names(argv0))
        if (program.find('/') != std::string::npos) {
            const fs::path real = fs::canonical(program, absent);
            add((real.empty() ? fs::path(program) : real).parent_path());
        }
    return folders;
}

} // namespace

// What to do comes before where it was looked for: an upgrade's line has room for little more.
ProgramFile::ProgramFile(
    const std::string& name, const std::string& argv0, const std::string& advice) {
    const StartStep step(
        "looking for " + name, "see whether the file system answers that chatserv is installed in");
    std::vector<fs::path> folders = own_folders(argv0);
    folders.emplace_back(CHATSERV_LIBEXECDIR);
    std::string looked_at;
    for (const fs::path& folder : folders) {
        path_ = (folder / name).string();
        struct stat info {};
        errno = 0;
        if (::access(path_.c_str(), X_OK) == 0 && ::stat(path_.c_str(), &info) == 0 &&
            S_ISREG(info.st_mode)) { // a FIFO, for one, would be waited for
            file_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
            return;
        }
        looked_at += fmt::format("{}{} ({})", looked_at.empty() ? "" : ", ", path_,
            errno == 0 ? "not a file" : std::strerror(errno));
    }
    throw Failure(EX_UNAVAILABLE,
        fmt::format("there is no {} that can be run: {}; looked for {}", name, advice, looked_at));
}

pid_t ProgramFile::start(const Child& child) const {
    // All memory is got before the fork: after it, only async-signal-safe calls.
    std::vector<char*> argv;
    std::string title = child.title;
    argv.push_back(title.data());
    for (const std::string& argument : child.arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    const pid_t pid = ::fork();
    if (pid == -1)
        throw_errno("fork");
    if (pid != 0)
        return pid;
    if (!replace_if(*child.pid_word.word, child.pid_word.unset, static_cast<int32_t>(::getpid())))
        ::_exit(EX_UNAVAILABLE);
    bool inheritable = true;
    for (const int fd : child.inherited)
        inheritable = inheritable && ::fcntl(fd, F_SETFD, 0) != -1;
    if (inheritable) {
#ifdef HAVE_FEXECVE
        if (file_)
            ::fexecve(file_.get(), argv.data(), environ);
#endif
        ::execve(path_.c_str(), argv.data(), environ);
    }
    child.say_why_not(errno);
    ::_exit(EX_UNAVAILABLE);
}

} // namespace chatserv
