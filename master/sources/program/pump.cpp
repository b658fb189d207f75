#include "master/sources/program/pump.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

// A blocking pipe that poll(2) calls writable takes this much without a wait.
#ifdef PIPE_BUF
constexpr size_t write_bytes_max = PIPE_BUF;
#else
constexpr size_t write_bytes_max = _POSIX_PIPE_BUF;
#endif

bool is_temporary(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// The bytes of one direction: filled when empty, emptied before they are filled again.
class Stretch {
public:
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    void drop() { begin_ = end_ = 0; }

    // Returns what read(2) did.
    ssize_t fill(int from) {
        const ssize_t got = ::read(from, bytes_.data(), bytes_.size());
        begin_ = 0;
        end_ = got > 0 ? static_cast<size_t>(got) : 0;
        return got;
    }
    ssize_t empty_into(int to, size_t at_most = pump_bytes) {
        const ssize_t put = ::write(to, bytes_.data() + begin_, std::min(end_ - begin_, at_most));
        if (put > 0)
            begin_ += static_cast<size_t>(put);
        return put;
    }

private:
    std::array<char, pump_bytes> bytes_{};
    size_t begin_ = 0;
    size_t end_ = 0;
};

class Pump {
public:
    Pump(const PumpEnds& ends, AtEndOfInput at_end,
        const std::function<void(int)>& at_end_of_input) :
        ends_(ends),
        at_end_(at_end), at_end_of_input_(at_end_of_input) {}

    PumpEnd run() {
        for (;;) {
            if (const auto end = turn())
                return *end;
        }
    }

private:
    enum Place : size_t { lifeline, input, output, relay, places };

    std::optional<PumpEnd> turn() {
        std::array<pollfd, places> asked{};
        asked[lifeline] = {.fd = ends_.lifeline, .events = POLLIN, .revents = 0};
        asked[input] = {.fd = ends_.source_in, .events = POLLIN, .revents = 0};
        if (input_ended_ || !to_relay_.empty())
            asked[input].fd = -1; // its hang-up would be said again and again
        // Even where nothing is to be written: poll(2) says that the reader has gone.
        asked[output] = {.fd = output_gone_ ? -1 : ends_.source_out, .events = 0, .revents = 0};
        if (!to_source_.empty())
            asked[output].events = POLLOUT;
        asked[relay] = {.fd = ends_.relay, .events = 0, .revents = 0};
        if (to_source_.empty())
            asked[relay].events |= POLLIN;
        if (!to_relay_.empty())
            asked[relay].events |= POLLOUT;
        if (asked[relay].events == 0)
            asked[relay].fd = -1; // likewise
        if (::poll(asked.data(), asked.size(), -1) == -1)
            return std::nullopt; // a signal
        if (asked[lifeline].revents != 0)
            return PumpEnd{.why = PumpEnd::Why::server};
        std::optional<PumpEnd> end;
        if (asked[input].revents != 0)
            end = read_source();
        if (!end && (asked[relay].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            end = read_relay();
        if (!end && !to_relay_.empty())
            end = write_relay();
        if (!end && asked[output].revents != 0)
            end = write_source(asked[output].revents);
        return end;
    }

    std::optional<PumpEnd> read_source() {
        const ssize_t got = to_relay_.fill(ends_.source_in);
        if (got > 0 || (got == -1 && is_temporary(errno)))
            return std::nullopt;
        input_ended_ = true;
        input_error_ = got == -1 ? errno : 0;
        return end_of_input();
    }

    // Everything that was read is with the relay: the buffer was empty when the source was read.
    std::optional<PumpEnd> end_of_input() {
        at_end_of_input_(input_error_);
        if (at_end_ == AtEndOfInput::end)
            ::shutdown(ends_.relay, SHUT_WR);
        else if (output_gone_)
            return PumpEnd{.why = PumpEnd::Why::source};
        return std::nullopt;
    }

    // After the end of the input the relay gives all that the log held at that moment, and closes
    // the connection. To close it before would reset it, and could cost the others what is still
    // under way.
    std::optional<PumpEnd> read_relay() {
        if (!to_source_.empty())
            return std::nullopt;
        const ssize_t got = to_source_.fill(ends_.relay);
        if (got == 0 || (got == -1 && !is_temporary(errno)))
            return input_ended_ && at_end_ == AtEndOfInput::end
                       ? PumpEnd{.why = PumpEnd::Why::source, .error = input_error_}
                       : PumpEnd{.why = PumpEnd::Why::relay};
        if (ends_.source_out == -1 || output_gone_)
            to_source_.drop();
        return std::nullopt;
    }

    std::optional<PumpEnd> write_relay() {
        const ssize_t put = to_relay_.empty_into(ends_.relay);
        if (put == -1 && !is_temporary(errno))
            return PumpEnd{.why = PumpEnd::Why::relay};
        return std::nullopt;
    }

    std::optional<PumpEnd> write_source(short revents) {
        if ((revents & POLLOUT) == 0 || to_source_.empty())
            return lose_output(EPIPE);
        const ssize_t put = to_source_.empty_into(ends_.source_out, write_bytes_max);
        return put == -1 && !is_temporary(errno) ? lose_output(errno) : std::nullopt;
    }

    // A source that can only be written to is at its end then. Another one is heard until its input
    // ends.
    std::optional<PumpEnd> lose_output(int error) {
        output_gone_ = true;
        to_source_.drop();
        if (ends_.source_in == -1 || (input_ended_ && at_end_ == AtEndOfInput::go_on))
            return PumpEnd{.why = PumpEnd::Why::source, .error = error};
        return std::nullopt;
    }

    const PumpEnds& ends_;
    AtEndOfInput at_end_;
    const std::function<void(int)>& at_end_of_input_;
    Stretch to_relay_{};
    Stretch to_source_{};
    bool input_ended_ = false;
    bool output_gone_ = false;
    int input_error_ = 0;
};

} // namespace

PumpEnd run_pump(
    const PumpEnds& ends, AtEndOfInput at_end, const std::function<void(int)>& at_end_of_input) {
    return Pump(ends, at_end, at_end_of_input).run();
}

} // namespace chatserv
