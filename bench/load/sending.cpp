// The senders of a load: they flood as fast as the server takes lines, or send at a steady pace.
#include "bench/load/connect.h"
#include "bench/load/line.h"
#include "bench/load/load.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <sys/socket.h>

namespace chatserv::bench {

namespace {

constexpr int writes_per_turn = 64; // by one sender, before the others get their turn

} // namespace

uint64_t Load::message_bytes() const {
    return senders_.front().buffer.size() / numbers_;
}

// Sets each sender's share of the lines, if their number is limited.
void Load::begin_writing() {
    const uint64_t lines_max = options_.lines_max;
    for (size_t i = 0; i < senders_.size(); ++i) {
        Sender& sender = senders_[i];
        const uint64_t share = lines_max / senders_.size() + (i < lines_max % senders_.size());
        sender.bytes_max = lines_max == 0 ? std::numeric_limits<uint64_t>::max()
                                          : sender.sent_bytes + share * message_bytes();
        if (sender.sent_bytes == sender.bytes_max)
            continue;
        const int socket = connections_[sender.connection].socket.get();
        require(events_.watch_writable(socket, tag_for(sender.connection)), "kevent");
        sender.writing = true;
        ++writing_;
    }
}

void Load::end_writing(Sender& sender) {
    if (!sender.writing)
        return;
    const int socket = connections_[sender.connection].socket.get();
    events_.unwatch_writable(socket);
    sender.writing = false;
    --writing_;
}

void Load::write(Sender& sender) {
    if (sending_ && Clock::now() >= end_of_sending_)
        return;
    const uint64_t line = message_bytes();
    if (options_.write_bytes > line)
        (void)write_some(sender, options_.write_bytes);
    else
        for (int i = 0; i < writes_per_turn; ++i)
            if (!write_some(sender, line - sender.sent_bytes % line))
                break;
    if (sender.sent_bytes == sender.bytes_max)
        end_writing(sender);
}

// False if the socket takes no more bytes, or all bytes are written.
bool Load::write_some(Sender& sender, size_t bytes_max) {
    const size_t bytes = std::min({bytes_max, sender.buffer.size() - sender.offset,
        static_cast<size_t>(sender.bytes_max - sender.sent_bytes)});
    if (bytes == 0)
        return false;
    const ssize_t written = ::send(connections_[sender.connection].socket.get(),
        sender.buffer.data() + sender.offset, bytes, 0);
    if (written <= 0)
        return false;
    sender.sent_bytes += static_cast<uint64_t>(written);
    sender.offset = (sender.offset + static_cast<size_t>(written)) % sender.buffer.size();
    return static_cast<size_t>(written) == bytes;
}

// Sends every line that is due by `now`, with the time at which it was due.
void Load::write_due(Clock::time_point now) {
    Sender& sender = senders_.front();
    auto due = static_cast<uint64_t>(
        std::chrono::duration<double>(std::min(now, end_of_sending_) - began_).count() *
        options_.lines_per_second);
    if (options_.lines_max > 0)
        due = std::min(due, options_.lines_max);
    for (; paced_lines_ < due; ++paced_lines_) {
        const double due_seconds =
            static_cast<double>(paced_lines_ + 1) / options_.lines_per_second;
        const std::string message = framing_.publish_prefix +
                                    make_line(options_.line_bytes, 0, paced_lines_ & (numbers_ - 1),
                                        static_cast<uint64_t>(due_seconds * 1e9)) +
                                    framing_.publish_suffix;
        if (::send(connections_[sender.connection].socket.get(), message.data(), message.size(),
                0) != static_cast<ssize_t>(message.size()))
            return; // the server does not keep up; the line stays due
        sender.sent_bytes += message.size();
    }
}

// Sends the rest of lines that were begun, so that only whole lines are expected. Gives up on a
// server that has stopped reading.
void Load::finish_lines(Clock::time_point give_up) {
    for (Sender& sender : senders_) {
        const uint64_t begun = sender.sent_bytes % message_bytes();
        sender.bytes_max = sender.sent_bytes + (begun > 0 ? message_bytes() - begun : 0);
        if (begun == 0)
            end_writing(sender);
    }
    while (writing_ > 0 && Clock::now() < give_up)
        turn(give_up);
    for (Sender& sender : senders_)
        end_writing(sender);
}

bool Load::all_is_sent() const {
    if (options_.lines_per_second == 0)
        return writing_ == 0;
    return options_.lines_max > 0 && paced_lines_ == options_.lines_max;
}

// Sends until the time is over or all lines are sent, whichever comes first.
void Load::send_everything(double seconds) {
    const bool paced = options_.lines_per_second > 0;
    end_of_sending_ = began_ + duration_of(seconds);
    sending_ = true;
    if (!paced)
        begin_writing();
    Clock::time_point now = began_;
    for (; now < end_of_sending_ && !all_is_sent(); now = Clock::now()) {
        Clock::time_point until = end_of_sending_;
        if (paced) {
            write_due(now);
            until = began_ +
                    duration_of(static_cast<double>(paced_lines_ + 1) / options_.lines_per_second);
        }
        turn(until);
    }
    sending_ = false;
    longest_silence_ = std::max(longest_silence_, std::min(now, end_of_sending_) - last_delivery_);
}

} // namespace chatserv::bench
