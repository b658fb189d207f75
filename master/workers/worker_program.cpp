#include "master/workers/worker_program.h"

#include "config.h"
#include "master/config/start_step.h"
#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sstream>
#if defined(HAVE_GETAUXVAL) || defined(HAVE_ELF_AUX_INFO)
#include <sys/auxv.h>
#endif
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

constexpr const char* program_name = "chatserv-worker";

// Where a system says which file a process runs: Linux, NetBSD and FreeBSD, each if it is mounted.
constexpr const char* own_program_links[] = {
    "/proc/self/exe", "/proc/curproc/exe", "/proc/curproc/file"};

// What execve(2) was told, where the kernel keeps that for the program; empty elsewhere. Needs no
// /proc.
std::string program_by_auxiliary_vector() {
#if defined(HAVE_GETAUXVAL) && defined(HAVE_AT_EXECFN)
    // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval(3) returns every value as a number.
    const auto* const name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    return name == nullptr ? "" : name;
#elif defined(HAVE_ELF_AUX_INFO) && defined(HAVE_AT_EXECPATH)
    char name[PATH_MAX] = {};
    return ::elf_aux_info(AT_EXECPATH, name, sizeof name) == 0 ? name : "";
#else
    return "";
#endif
}

// The first program of this name on PATH; empty where there is none.
std::string found_on_path(const std::string& name) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        std::string program = (fs::path(folder) / name).string();
        if (!name.empty() && ::access(program.c_str(), X_OK) == 0)
            return program;
    }
    return "";
}

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
    const std::string by_name = argv0.find('/') != std::string::npos ? argv0 : found_on_path(argv0);
    for (const std::string& program : {program_by_auxiliary_vector(), by_name})
        if (program.find('/') != std::string::npos) {
            const fs::path real = fs::canonical(program, absent);
            add((real.empty() ? fs::path(program) : real).parent_path());
        }
    return folders;
}

} // namespace

WorkerProgram::WorkerProgram(const std::string& argv0) {
    const StartStep step("looking for the worker program",
        "see whether the file system answers that chatserv is installed in");
    std::vector<fs::path> folders = own_folders(argv0);
    folders.emplace_back(CHATSERV_LIBEXECDIR);
    std::string looked_at;
    for (const fs::path& folder : folders) {
        path_ = (folder / program_name).string();
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
        fmt::format("there is no {} that can be run, looked for {}: install it there", program_name,
            looked_at));
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

    Frame last_words(
        MessageType::cannot_work, cannot_work(Hindrance::program, 0, "executing " + path_));

    const pid_t pid = ::fork();
    if (pid == -1)
        throw_errno("fork");
    if (pid != 0)
        return pid;
    bool inheritable = true;
    for (const int fd : inherited)
        inheritable = inheritable && ::fcntl(fd, F_SETFD, 0) != -1;
    if (inheritable) {
#ifdef HAVE_FEXECVE
        if (file_)
            ::fexecve(file_.get(), argv.data(), environ);
#endif
        ::execve(path_.c_str(), argv.data(), environ);
    }
    last_words.item.error = errno;
    [[maybe_unused]] const ssize_t said =
        ::write(inherited.front(), &last_words, sizeof last_words);
    ::_exit(EX_UNAVAILABLE);
}

} // namespace chatserv
