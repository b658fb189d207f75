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
    UniqueFd reader; // of a FIFO
    int error = 0;   // errno, where there is no writer
};

// The reading end first: without one, open(2) of a FIFO for writing fails (ENXIO). The reading end
// is of no use where this user may not read the FIFO; then somebody else is to be reading it.
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
    // Above the standard streams, and none where the process has no standard error.
    former_ = UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, lowest_free));
    if (const int error = open_again())
        throw Failure(EX_CANTCREAT,
            fmt::format("--log-file \"{}\" cannot be opened: {}; choose a file that this user may "
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
    if (::dup2(opened.writer.get(), STDERR_FILENO) == -1) // not close-on-exec: it is the workers'
        return errno;
    reader_ = std::move(opened.reader);
    log_goes_to_new_file();
    return 0;
}

} // namespace chatserv
