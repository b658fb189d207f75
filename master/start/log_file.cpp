#include "master/start/log_file.h"

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

} // namespace

LogFile::LogFile(std::string path) : path_(std::move(path)) {
    if (!in_use())
        return;
    // A number above the standard streams. Invalid if the process has no standard error.
    former_ = UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, lowest_free));
    if (const int error = open_again())
        throw Failure(EX_CANTCREAT,
            fmt::format("--log-file \"{}\" cannot be opened: {}; choose a file that this user can "
                        "write to",
                path_, std::strerror(error)));
}

LogFile::~LogFile() {
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
    reader_ = std::move(opened.reader);
    log_goes_to_new_file();
    return 0;
}

} // namespace chatserv
