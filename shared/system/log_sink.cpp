#include "shared/system/log_sink.h"

#include "config.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr size_t waiting_bytes_max = 64 * 1024;
constexpr int stat_flags_that_matter = O_ACCMODE | O_APPEND | O_NONBLOCK;

// poll(2) reports that the descriptor takes bytes, or that a write would fail at once.
bool takes_bytes(int fd) {
    pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&asked, 1, 0) == 1;
}

size_t taken(ssize_t written) {
    return written > 0 ? static_cast<size_t>(written) : 0;
}

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

} // namespace

std::string_view whole_characters(std::string_view text, size_t bytes_max) {
    if (text.size() <= bytes_max)
        return text;
    size_t end = bytes_max;
    // A character has at most three continuation bytes; more of them are not UTF-8.
    while (end > 0 && bytes_max - end < 3 && is_continuation(text[end]))
        --end;
    return text.substr(0, is_continuation(text[end]) ? bytes_max : end);
}

void LogSink::open(int fd) {
    adopt(fd);
    reader_ = log_reader_of(fd);
    struct stat status {};
    if (::fstat(fd, &status) == -1 || S_ISREG(status.st_mode))
        return; // the descriptor is closed: each write fails
    if (S_ISSOCK(status.st_mode)) {
        way_ = reader_ == LogReader::syslog ? Way::datagram : Way::socket;
        return;
    }
    const bool pipe = S_ISFIFO(status.st_mode);
    way_ = pipe ? Way::pipe : Way::device;
    if (!pipe && ::isatty(fd) == 0)
        return; // opening a device can have side effects
    own_ = open_once_more(fd);
    if (own_) {
        way_ = Way::description;
        fd_ = own_.get();
    }
}

void LogSink::adopt(int fd) {
    // The beginning of a line went to the old descriptor, where its rest cannot follow.
    dropped_ += static_cast<uint64_t>(std::ranges::count(rest_, '\n'));
    rest_.clear();
    own_.reset();
    fd_ = fd;
    way_ = Way::file;
    reader_ = LogReader::any;
    connect_again_ = nullptr;
}

// Some systems duplicate the descriptor instead. The new one then has the flags of the old one,
// whatever open(2) asked for, and fcntl(2) would change them for both.
UniqueFd LogSink::open_once_more(int fd) const {
    const int flags_before = ::fcntl(fd, F_GETFL);
    for (const std::string& folder : folders_) {
        UniqueFd again(::open((folder + "/" + std::to_string(fd)).c_str(),
            O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        if (!again)
            continue;
        const int flags = ::fcntl(again.get(), F_GETFL);
        const int flags_after = ::fcntl(fd, F_GETFL);
        const bool shared_unchanged = flags_before != -1 && (flags_before & O_NONBLOCK) == 0 &&
                                      ((flags_before ^ flags_after) & stat_flags_that_matter) == 0;
        if (flags != -1 && (flags & O_NONBLOCK) != 0 && shared_unchanged)
            return again;
    }
    return {};
}

bool LogSink::write(std::string_view line, const Notice& notice) {
    std::string cut;
    if (line.size() > log_line_bytes_max) {
        cut = std::string(whole_characters(line, log_line_bytes_max - 1)) + '\n';
        line = cut;
    }
    if (finish_line()) {
        if (dropped_ > 0)
            say_dropped(notice);
        if (dropped_ == 0 && begin_line(line))
            return true;
    } else if (dropped_ == 0 && put_behind(line)) {
        return true;
    }
    ++dropped_;
    return false;
}

void LogSink::say_dropped(const Notice& notice) {
    if (finish_line() && dropped_ > 0 && begin_line(notice(dropped_)))
        dropped_ = 0;
}

// Writes the rest of a line that was taken in part, or the lines that wait. Returns false if some
// of it is still left.
bool LogSink::finish_line() {
    if (way_ == Way::datagram && !rest_.empty() && waiting_of_ != ::getpid())
        rest_.clear(); // this process was forked meanwhile, and its parent writes them
    size_t begun = 1;
    while (!rest_.empty() && begun > 0) {
        begun = put(rest_);
        rest_.erase(0, begun);
        if (way_ != Way::datagram)
            break;
    }
    return rest_.empty();
}

// Has a datagram wait behind those that wait already. Returns false if there is no room.
bool LogSink::put_behind(std::string_view line) {
    if (way_ != Way::datagram || rest_.size() + line.size() > waiting_bytes_max)
        return false;
    rest_ += line;
    waiting_of_ = ::getpid();
    return true;
}

// Returns false if the system took no byte of the line. A line that was taken in part is finished
// later.
bool LogSink::begin_line(std::string_view line) {
    const size_t begun = put(line);
    if (begun == 0)
        return put_behind(line);
    rest_ = line.substr(begun);
    return true;
}

// Returns the number of bytes that the system took. An error counts as none: an error of the log
// never ends the process.
size_t LogSink::put(std::string_view bytes) {
    switch (way_) {
    case Way::file:
    case Way::description:
        return taken(::write(fd_, bytes.data(), bytes.size()));
    case Way::socket:
        return taken(::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT));
    case Way::datagram:
        return put_datagram(bytes);
    case Way::pipe:
        return put_into_pipe(bytes);
    case Way::device:
        return put_byte_by_byte(bytes);
    }
    return 0;
}

// The first line, or nothing. The socket is one for all processes of the server, so whichever
// connects it again does so for the others too.
size_t LogSink::put_datagram(std::string_view lines) const {
    const std::string_view text = lines.substr(0, lines.find('\n'));
    const size_t whole = std::min(lines.size(), text.size() + 1);
    const auto is_sent = [&] { return ::send(fd_, text.data(), text.size(), MSG_DONTWAIT) != -1; };
    if (is_sent())
        return whole;
    const bool is_too_much = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
    if (is_too_much || !connect_again_ || connect_again_() != 0)
        return 0;
    return is_sent() ? whole : 0;
}

size_t LogSink::put_into_pipe(std::string_view bytes) const {
#ifdef HAVE_PWRITEV2_NOWAIT
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t written = ::pwritev2(fd_, &piece, 1, -1, RWF_NOWAIT);
    if (written != -1 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
        return taken(written);
#endif
    return takes_bytes(fd_) ? taken(::write(fd_, bytes.data(), bytes.size())) : 0;
}

// A terminal that takes a byte need not take the next one.
size_t LogSink::put_byte_by_byte(std::string_view bytes) const {
    size_t done = 0;
    while (done < bytes.size() && takes_bytes(fd_) && ::write(fd_, &bytes[done], 1) == 1)
        ++done;
    return done;
}

LogSink& standard_error_sink() {
    static LogSink sink = [] {
        LogSink opened;
        opened.open(STDERR_FILENO);
        return opened;
    }();
    return sink;
}

void say_beside_log(std::string_view text) {
    const LogReader reader = standard_error_sink().reader();
    // syslogd is told the sender's name by the head of the line.
    const std::string name = reader == LogReader::syslog ? "" : "chatserv: ";
    const std::string head = line_head(reader, Severity::error) + name;
    standard_error_sink().write(head + std::string(text) + "\n", [&head](uint64_t dropped) {
        return head + std::to_string(dropped) + " lines of the log were dropped\n";
    });
}

} // namespace chatserv
