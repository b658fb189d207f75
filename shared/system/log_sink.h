// The log sink: how either process writes to its log without ever waiting for the log's reader.
//
// A line that the system does not take at once is dropped and counted. Before the next line that is
// written, one line reports how many are missing. The flags of standard error are not changed:
// other programs usually share it, and O_NONBLOCK would apply to them as well.
//
// open() chooses a way of writing for each kind of descriptor:
//
//     file         written to directly: a regular file takes a line, or refuses it
//     description  a pipe, FIFO or terminal that could be opened once more: the new open file
//                  description belongs to this process alone, and only that one is non-blocking
//     socket       send(2) with MSG_DONTWAIT
//     datagram     the same for syslogd's socket: a line is a datagram, and ends without a newline.
//                  Such a socket may hold as few as ten, so lines wait in the sink as well, until
//                  the next line or say_dropped(): 64 KiB at the most
//     pipe         one that cannot be opened once more: pwritev2(2) with RWF_NOWAIT where the
//                  system has it, otherwise poll(2) and a write of at most PIPE_BUF bytes
//     device       a terminal that cannot be opened once more, or another device: poll(2) before
//                  each byte
//
// A line is at most PIPE_BUF bytes, so that a pipe takes all of it or nothing. Other files can take
// a line in part; the rest is kept, and written before anything else.
#pragma once

#include "shared/system/fd.h"
#include "shared/system/log_reader.h"

#include <climits>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

// Newline included. <limits.h> has PIPE_BUF only if it is the same for every file: POSIX.
#ifdef PIPE_BUF
inline constexpr size_t log_line_bytes_max = PIPE_BUF;
#else
inline constexpr size_t log_line_bytes_max = _POSIX_PIPE_BUF;
#endif

// The first characters (UTF-8) of the text that fit into `bytes_max`.
[[nodiscard]] std::string_view whole_characters(std::string_view text, size_t bytes_max);

class LogSink {
public:
    // Makes the line that reports how many lines are missing, newline included.
    using Notice = std::function<std::string(uint64_t dropped)>;

    // `folders`: those in which a descriptor can be opened once more, by its number.
    explicit LogSink(std::vector<std::string> folders = {"/proc/self/fd", "/dev/fd"}) :
        folders_(std::move(folders)) {}

    // Lines go to this descriptor from now on; it is borrowed. Makes calls that a confined worker
    // may not make. There is no error: if the descriptor cannot be written to, each line is
    // dropped.
    void open(int fd);
    // The same for a descriptor that no program outside chatserv shares: a regular file, or one
    // that is non-blocking. Makes no call except close(2). Its reader is LogReader::any.
    void adopt(int fd);

    // Who reads the lines: found by open().
    [[nodiscard]] LogReader reader() const { return reader_; }
    // syslogd(8) may end and start anew, which leaves its clients' sockets unconnected. `connect`
    // connects the descriptor again, without waiting, and returns 0 or an errno. A process without
    // it, such as a confined worker, relies on another one that shares the socket. In force until
    // the next open() or adopt().
    void connect_again_by(std::function<int()> connect) { connect_again_ = std::move(connect); }

    // Writes a line, which ends in a newline and has no other. A line longer than
    // log_line_bytes_max is cut. Returns false if the line was dropped.
    bool write(std::string_view line, const Notice& notice);
    // Writes lines that wait, and the line that reports how many are missing, if any are.
    void say_dropped(const Notice& notice);

    [[nodiscard]] uint64_t dropped() const { return dropped_; }
    // Lines wait that no descriptor will tell of: say_dropped() tries them again.
    [[nodiscard]] bool has_waiting_lines() const { return way_ == Way::datagram && !rest_.empty(); }
    // The sink's own descriptor, which must stay open as long as the sink is used; -1 for none.
    [[nodiscard]] int own_descriptor() const { return own_.get(); }

private:
    enum class Way { file, description, socket, datagram, pipe, device };

    [[nodiscard]] UniqueFd open_once_more(int fd) const;
    [[nodiscard]] bool finish_line();
    [[nodiscard]] bool begin_line(std::string_view line);
    [[nodiscard]] bool put_behind(std::string_view line);
    [[nodiscard]] size_t put(std::string_view bytes);
    [[nodiscard]] size_t put_datagram(std::string_view lines) const;
    [[nodiscard]] size_t put_into_pipe(std::string_view bytes) const;
    [[nodiscard]] size_t put_byte_by_byte(std::string_view bytes) const;

    std::vector<std::string> folders_;
    int fd_ = -1;  // the descriptor that is written to
    UniqueFd own_; // the same one, if the sink has opened it
    Way way_ = Way::file;
    LogReader reader_ = LogReader::any;
    std::function<int()> connect_again_;
    std::string rest_;     // of a line that was taken in part; or the lines that wait
    pid_t waiting_of_ = 0; // the process whose lines wait
    uint64_t dropped_ = 0;
};

// The sink of this process, which writes to standard error. The first call opens it, so a worker
// makes that call before it is confined.
[[nodiscard]] LogSink& standard_error_sink();

// Writes a line, given without its newline, to the standard error sink but not by way of the
// logger: before a process has set up its log, or as it aborts. The line is an error.
void say_beside_log(std::string_view text);

} // namespace chatserv
