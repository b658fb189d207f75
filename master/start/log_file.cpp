#include "master/start/log_file.h"

#include "master/start/system_log.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

constexpr int mode = 0640;
constexpr int lowest_free = STDERR_FILENO + 1;

bool is_fifo(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

struct Opened {
    UniqueFd writer;
    UniqueFd reader; // if the file is a FIFO
    int error = 0;   // errno, if there is no writer
};

// Opens the reading end of a FIFO first: without one, open(2) for writing fails (ENXIO). If this
// user may not read the FIFO, another process must be reading it.
Opened open_for_appending(const std::string& path) {
    Opened opened;
    if (is_fifo(path))
        opened.reader = UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    opened.writer = UniqueFd(::open(
        path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode));
    if (!opened.writer)
        opened.error = errno;
    return opened;
}

// In one step, so that a number is never another file's. A process without standard error has no
// number to keep.
void replace(UniqueFd& kept, UniqueFd& other) {
    if (!kept)
        kept = std::move(other);
    else if (::dup2(other.get(), kept.get()) != -1)
        set_close_on_exec(kept.get(), true);
}

// Makes standard error a socket to the system's log. Throws Failure(EX_CANTCREAT).
void open_system_log() {
    const UniqueFd socket = make_system_log_socket();
    if (const int error = connect_to_system_log(socket.get()))
        throw Failure(EX_CANTCREAT,
            fmt::format("--log-file syslog: the system's log at {} cannot be reached: {}; start "
                        "syslogd, or choose a file",
                system_log_path(), std::strerror(error)));
    if (::dup2(socket.get(), STDERR_FILENO) == -1) // not close-on-exec: workers inherit it
        throw_errno("standard error");
}

// Standard error is connected to the system's log. This process connects it again for all others:
// a confined worker may not.
void write_to_system_log() {
    standard_error_sink().open(STDERR_FILENO);
    standard_error_sink().connect_again_by([] { return connect_to_system_log(STDERR_FILENO); });
}

} // namespace

LogFile::LogFile(std::string path) : path_(std::move(path)) {
    if (!in_use())
        return;
    // A number above the standard streams. Invalid if the process has no standard error.
    former_ = UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, lowest_free));
    if (!is_file()) {
        open_system_log();
        write_to_system_log();
        return;
    }
    reader_ = UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, lowest_free));
    if (const int error = open_again())
        throw Failure(EX_CANTCREAT,
            fmt::format("--log-file \"{}\" cannot be opened: {}; choose a file that this user can "
                        "write to",
                path_, std::strerror(error)));
}

LogFile::LogFile(std::string path, UniqueFd former, UniqueFd reader) :
    path_(std::move(path)), former_(std::move(former)), reader_(std::move(reader)) {
    if (is_file())
        log_goes_to_new_file();
    else if (in_use())
        write_to_system_log();
}

void LogFile::restore() {
    if (!in_use())
        return;
    say_dropped_lines();
    if (former_ && ::dup2(former_.get(), STDERR_FILENO) != -1)
        standard_error_sink().open(STDERR_FILENO);
}

int LogFile::open_again() {
    Opened opened = open_for_appending(path_);
    if (opened.error != 0)
        return opened.error;
    if (::dup2(opened.writer.get(), STDERR_FILENO) == -1) // not close-on-exec: workers inherit it
        return errno;
    replace(reader_, opened.reader ? opened.reader : opened.writer);
    log_goes_to_new_file();
    return 0;
}

} // namespace chatserv
