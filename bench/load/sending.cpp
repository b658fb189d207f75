// Load, the senders: floods, as fast as the server takes them, and lines at a pace.
#include "bench/load/line.h"
#include "bench/load/load.h"

#include <algorithm>
#include <sys/socket.h>

namespace chatserv::bench {

namespace {

constexpr int writes_per_turn = 64; // of one sender, before it is the others' turn

} // namespace

void Load::write(Sender& sender, Clock::time_point now) {
    if (now >= end_of_sending_)
        return;
    const size_t message_bytes = sender.buffer.size() / numbers_;
    if (options_.write_bytes > message_bytes) {
        write_some(sender, options_.write_bytes);
        return;
    }
    for (int i = 0; i < writes_per_turn; ++i)
        if (!write_some(sender, message_bytes - sender.sent_bytes % message_bytes))
            return;
}

// False where the socket takes no more.
bool Load::write_some(Sender& sender, size_t bytes_max) {
    const size_t bytes = std::min(bytes_max, sender.buffer.size() - sender.offset);
    const ssize_t written = ::send(connections_[sender.connection].socket.get(),
        sender.buffer.data() + sender.offset, bytes, 0);
    if (written <= 0)
        return false;
    sender.sent_bytes += static_cast<uint64_t>(written);
    sender.offset = (sender.offset + static_cast<size_t>(written)) % sender.buffer.size();
    return static_cast<size_t>(written) == bytes;
}

// Every line that is due by now, with the time at which it was due.
void Load::write_due(Clock::time_point now) {
    Sender& sender = senders_.front();
    const auto due = static_cast<uint64_t>(
        std::chrono::duration<double>(std::min(now, end_of_sending_) - began_).count() *
        options_.lines_per_second);
    for (; paced_lines_ < due; ++paced_lines_) {
        const double due_seconds =
            static_cast<double>(paced_lines_ + 1) / options_.lines_per_second;
        const std::string message = framing_.publish_prefix +
                                    make_line(options_.line_bytes, 0, paced_lines_ & (numbers_ - 1),
                                        static_cast<uint64_t>(due_seconds * 1e9)) +
                                    framing_.publish_suffix;
        if (::send(connections_[sender.connection].socket.get(), message.data(), message.size(),
                0) != static_cast<ssize_t>(message.size()))
            return; // the server does not keep up: the line stays due
        sender.sent_bytes += message.size();
    }
}

void Load::watch_senders(bool on) {
    for (const Sender& sender : senders_)
        (void)events_.change(static_cast<uintptr_t>(connections_[sender.connection].socket.get()),
            EVFILT_WRITE, on ? EV_ADD : EV_DELETE, NOTE_NODATA, 0, sender.connection);
}

// A line that was begun is ended, so that every listener is due whole lines.
void Load::finish_lines() {
    for (Sender& sender : senders_) {
        const size_t message_bytes = sender.buffer.size() / numbers_;
        const Clock::time_point give_up = Clock::now() + patience;
        while (sender.sent_bytes % message_bytes != 0 && Clock::now() < give_up) {
            (void)write_some(sender, message_bytes - sender.sent_bytes % message_bytes);
            turn(Clock::now());
        }
    }
}

void Load::send_everything() {
    const bool paced = options_.lines_per_second > 0;
    end_of_sending_ = began_ + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(options_.seconds));
    sending_ = !paced;
    if (!paced)
        watch_senders(true);
    for (Clock::time_point now = began_; now < end_of_sending_; now = Clock::now()) {
        Clock::time_point until = end_of_sending_;
        if (paced) {
            write_due(now);
            const double next = static_cast<double>(paced_lines_ + 1) / options_.lines_per_second;
            until = began_ + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(next));
        }
        turn(until);
    }
    sending_ = false;
    if (!paced) {
        watch_senders(false);
        finish_lines();
    }
}

} // namespace chatserv::bench
