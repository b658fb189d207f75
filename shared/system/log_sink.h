// The log sink: how either process writes to its log without ever waiting for the log's reader.
//
// A line that the system does not take at once is dropped and counted. As soon as a line goes out
// again, one line before it says how many are missing. Nobody's flags are changed: standard error
// is usually shared with other programs, and O_NONBLOCK would be theirs as well.
//
// Each kind of descriptor has its own way, chosen by open():
//
//     file         written to directly: a regular file takes a line, or refuses it
//     description  a pipe, FIFO or terminal that could be opened once more: the new open file
//                  description is this process's own, and only that one is non-blocking
//     socket       send(2) with MSG_DONTWAIT
//     pipe         one that cannot be opened once more: pwritev2(2) with RWF_NOWAIT where the
//                  system has it, otherwise poll(2) and a write of at most PIPE_BUF bytes
//     device       a terminal that cannot be opened once more, or another device: poll(2) before
//                  each byte
//
// A line is at most PIPE_BUF bytes, so that a pipe takes all of it or nothing. Elsewhere a line can
// be taken in part; the rest is kept, and is written before anything else.
#pragma once

#include "shared/system/fd.h"

#include <climits>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// With its newline. POSIX names it in <limits.h> where it is the same for every file.
#ifdef PIPE_BUF
inline constexpr size_t log_line_bytes_max = PIPE_BUF;
#else
inline constexpr size_t log_line_bytes_max = _POSIX_PIPE_BUF;
#endif

// The first characters (UTF-8) of the text, as many as fit into that many bytes.
[[nodiscard]] std::string_view whole_characters(std::string_view text, size_t bytes_max);

class LogSink {
public:
    // The line that says how many are missing, with its newline.
    using Notice = std::function<std::string(uint64_t dropped)>;

    // `folders`: where a descriptor can be opened once more, by its number.
    explicit LogSink(std::vector<std::string> folders = {"/proc/self/fd", "/dev/fd"}) :
        folders_(std::move(folders)) {}

    // Lines go to this descriptor from now on; it is borrowed. Chooses the way, which can take
    // calls that a confined worker may not make. No error: where the descriptor is of no use, each
    // line is dropped.
    void open(int fd);
    // The same for a descriptor that nobody outside chatserv shares: a file, or non-blocking.
    // Needs no call beyond close(2).
    void adopt(int fd);

    // Writes a line, which ends in a newline. It is cut where it is longer than
    // log_line_bytes_max. False where it was dropped, for whatever reason.
    bool write(std::string_view line, const Notice& notice);
    // Says how many lines are missing, if any are.
    void say_dropped(const Notice& notice);

    [[nodiscard]] uint64_t dropped() const { return dropped_; }
    // The description of its own, which must stay open as long as the sink does; -1 for none.
    [[nodiscard]] int own_descriptor() const { return own_.get(); }

private:
    enum class Way { file, description, socket, pipe, device };

    [[nodiscard]] UniqueFd open_once_more(int fd) const;
    [[nodiscard]] bool finish_line();
    [[nodiscard]] bool begin_line(std::string_view line);
    [[nodiscard]] size_t put(std::string_view bytes);
    [[nodiscard]] size_t put_into_pipe(std::string_view bytes) const;
    [[nodiscard]] size_t put_byte_by_byte(std::string_view bytes) const;

    std::vector<std::string> folders_;
    int fd_ = -1;  // what is written to
    UniqueFd own_; // the same descriptor, where it is this sink's own
    Way way_ = Way::file;
    std::string rest_; // of a line that was taken in part
    uint64_t dropped_ = 0;
};

// The sink of this process, which writes to standard error. Opened at the first use, so the first
// use is to be before a worker is confined.
[[nodiscard]] LogSink& standard_error_sink();

// A line beside the log, without its newline: what a process says before it has a log, or last of
// all.
void say_beside_log(std::string_view text);

} // namespace chatserv
