#include "shared/system/log_reader.h"

#include <cstdlib>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace chatserv {

namespace {

// The variable names device and inode of the journal's stream. A descriptor that was redirected
// since is another file.
bool is_journal(const struct stat& status) {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    return stream != nullptr && std::string_view(stream) == std::to_string(status.st_dev) + ":" +
                                                                std::to_string(status.st_ino);
}

bool is_datagram_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

} // namespace

LogReader log_reader_of(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) == -1)
        return LogReader::any;
    if (is_journal(status))
        return LogReader::journal;
    return S_ISSOCK(status.st_mode) && is_datagram_socket(fd) ? LogReader::syslog : LogReader::any;
}

std::string line_head(LogReader reader, Severity severity) {
    const auto priority = static_cast<int>(severity);
    switch (reader) {
    case LogReader::any:
        break;
    case LogReader::journal:
        return "<" + std::to_string(priority) + ">";
    case LogReader::syslog:
        return "<" + std::to_string(LOG_DAEMON | priority) + ">chatserv[" +
               std::to_string(::getpid()) + "]: ";
    }
    return "";
}

} // namespace chatserv
