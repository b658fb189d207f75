#include "worker/relay/fan_out.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/last_line.h"
#include "shared/system/kernel_account.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace chatserv {

namespace {

// The pieces of the log for one write; the client's own chunks between them are left out.
class Gather {
public:
    // Adds [from, to) unless there is no room for its pieces. Returns whether there was.
    bool add(const BroadcastLog& log, uint64_t from, uint64_t to) {
        const LogPieces pieces = log.pieces(from, to);
        // NOLINTNEXTLINE(readability-use-anyofallof): the loop adds pieces.
        for (const std::span<const char> piece : {pieces.first, pieces.second}) {
            if (piece.empty())
                continue;
            if (count_ == pieces_.size())
                return false;
            pieces_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
            bytes_ += piece.size();
        }
        return true;
    }

    [[nodiscard]] size_t bytes() const { return bytes_; }

    // send(2) and sendmsg(2) are for sockets alone. A small write by write(2) or writev(2), which
    // are for every kind of file, costs a twentieth more.
    [[nodiscard]] ssize_t write_to(int fd) {
        if (count_ == 1)
            return ::send(fd, pieces_[0].iov_base, pieces_[0].iov_len, 0);
        msghdr message{};
        message.msg_iov = pieces_.data();
        message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count_);
        return ::sendmsg(fd, &message, 0);
    }

private:
    std::array<iovec, 64> pieces_; // sendmsg(2) takes 16 at least (POSIX), 1,024 in practice
    size_t count_ = 0;
    size_t bytes_ = 0;
};

// The offset after `bytes` bytes of other senders, counted from `from`, and after any own chunk
// there.
uint64_t offset_after(uint64_t from, uint64_t bytes, const OwnRanges& own, uint64_t target) {
    uint64_t offset = from;
    for (const LogRange& range : own) {
        if (range.begin > offset) {
            const uint64_t others = std::min(bytes, range.begin - offset);
            offset += others;
            bytes -= others;
        }
        if (offset < range.begin)
            return offset;
        offset = std::max(offset, std::min(range.end, target));
    }
    return offset + bytes;
}

FanOut::Delivery failed_with(int error) {
    using Kind = FanOut::Delivery::Kind;
    if (error == EAGAIN || error == EWOULDBLOCK)
        return {.kind = Kind::blocked};
    const bool no_memory = error == ENOBUFS || error == ENOMEM;
    return {.kind = no_memory ? Kind::no_memory : Kind::failed, .error = error};
}

// In this order: if the worker dies in between, the kernel's account still says whether the client
// was told, or the successor tells it.
void record_notice(UserSlot& slot, const Cursor& cursor, uint64_t bytes) {
    store_release(slot.told_too_fast, 1);
    crash_point(CrashPoint::notice_noted);
    move_cursor(slot, {cursor.bytes_written + bytes, cursor.log_offset});
}

// Of the last line: what the client has not been sent.
std::string_view rest_of_last_line(const UserSlot& slot, const Cursor& cursor) {
    const std::string_view line = last_line(load_acquire(slot.answer));
    const uint64_t sent = cursor.log_offset - slot.close_at;
    return sent < line.size() ? line.substr(sent) : std::string_view();
}

} // namespace

std::optional<uint64_t> FanOut::settle(Client& client, uint64_t bytes_written, uint64_t target) {
    const Cursor cursor = cursor_of(*client.slot);
    const uint64_t bytes = (bytes_written - cursor.bytes_written) & byte_count_mask;
    if (cursor.log_offset > target || bytes > target - cursor.log_offset)
        return std::nullopt;
    const uint64_t offset = offset_after(cursor.log_offset, bytes, client.own, target);
    if (offset > target)
        return std::nullopt;
    move_cursor(*client.slot, {cursor.bytes_written + bytes, offset});
    client.own.forget_up_to(offset);
    return bytes;
}

std::optional<uint64_t> FanOut::settle_notice(
    Client& client, uint64_t bytes_written, uint64_t line_bytes) {
    const Cursor cursor = cursor_of(*client.slot);
    const uint64_t bytes = (bytes_written - cursor.bytes_written) & byte_count_mask;
    if (bytes > line_bytes)
        return std::nullopt;
    if (bytes > 0)
        record_notice(*client.slot, cursor, bytes);
    return bytes;
}

FanOut::Delivery FanOut::notify(Client& client, std::string_view line) const {
    begin_operation(*entry_, Operation::notify, client.id.slot);
    crash_point(CrashPoint::notice_begun);
    ssize_t written = 0;
    do {
        written = ::send(client.fd.get(), line.data(), line.size(), 0);
    } while (written == -1 && errno == EINTR);
    const int error = errno;
    crash_point(CrashPoint::notice_sent); // W2: the socket has the line, the slot does not say so
    if (written > 0)
        record_notice(*client.slot, cursor_of(*client.slot), static_cast<uint64_t>(written));
    end_operation(*entry_);
    if (written > 0)
        return {.kind = Delivery::Kind::complete};
    return failed_with(error);
}

// The cursor's offset, which the answer names, stays until all of the answer is sent.
FanOut::Delivery FanOut::answer(Client& client) const {
    const Cursor cursor = cursor_of(*client.slot);
    const AnswerLine line = answer_of(client);
    const std::string_view rest = line.rest(cursor.bytes_written);
    ssize_t written = 0;
    if (!rest.empty()) {
        begin_operation(*entry_, Operation::answer, client.id.slot);
        do {
            written = ::send(client.fd.get(), rest.data(), rest.size(), 0);
        } while (written == -1 && errno == EINTR);
        const int error = errno;
        crash_point(CrashPoint::answer_sent); // W9
        if (written > 0)
            move_cursor(*client.slot,
                {cursor.bytes_written + static_cast<uint64_t>(written), cursor.log_offset});
        end_operation(*entry_);
        if (written == -1)
            return failed_with(error);
        if (static_cast<size_t>(written) < rest.size())
            return {.kind = Delivery::Kind::blocked};
    }
    crash_point(CrashPoint::answer_told); // W9
    store_release(client.slot->answer, static_cast<uint8_t>(Answer::none));
    client.answer = Answer::none;
    return {.kind = Delivery::Kind::complete};
}

std::optional<uint64_t> FanOut::settle_answer(Client& client, uint64_t bytes_written) const {
    const Cursor cursor = cursor_of(*client.slot);
    const uint64_t bytes = (bytes_written - cursor.bytes_written) & byte_count_mask;
    if (bytes > answer_of(client).rest(cursor.bytes_written).size())
        return std::nullopt;
    move_cursor(*client.slot, {cursor.bytes_written + bytes, cursor.log_offset});
    return bytes;
}

// A client that was sent nothing, or whose last byte was an end of line, begins a line anyway. Who
// was sent a notice alone, and joined behind half a line of another's, gets an empty line too many.
void FanOut::begin_last_line(const Client& client) const {
    UserSlot& slot = *client.slot;
    if (!last_line(load_acquire(slot.answer)).empty())
        return;
    const bool was_sent_nothing = !client.hears() || cursor_of(slot).bytes_written == 0;
    const bool begins_a_line = was_sent_nothing || log_.last_byte_of_others(client.id) == '\n';
    store_release(slot.answer,
        static_cast<uint8_t>(begins_a_line ? Answer::last_line : Answer::last_line_apart));
    crash_point(CrashPoint::last_line_noted); // W11
}

FanOut::Delivery FanOut::say_last_line(const Client& client) const {
    begin_last_line(client);
    UserSlot& slot = *client.slot;
    const Cursor cursor = cursor_of(slot);
    const std::string_view rest = rest_of_last_line(slot, cursor);
    if (rest.empty())
        return {.kind = Delivery::Kind::complete};
    begin_operation(*entry_, Operation::last_line, client.id.slot);
    ssize_t written = 0;
    do {
        written = ::send(client.fd.get(), rest.data(), rest.size(), 0);
    } while (written == -1 && errno == EINTR);
    const int error = errno;
    crash_point(CrashPoint::last_line_sent); // W11
    const uint64_t moved = written > 0 ? static_cast<uint64_t>(written) : 0;
    if (moved > 0)
        move_cursor(slot, {cursor.bytes_written + moved, cursor.log_offset + moved});
    end_operation(*entry_);
    if (written == -1)
        return failed_with(error);
    return {.kind = moved < rest.size() ? Delivery::Kind::blocked : Delivery::Kind::complete};
}

std::optional<uint64_t> FanOut::settle_last_line(Client& client, uint64_t bytes_written) {
    const Cursor cursor = cursor_of(*client.slot);
    const uint64_t bytes = (bytes_written - cursor.bytes_written) & byte_count_mask;
    if (bytes > rest_of_last_line(*client.slot, cursor).size())
        return std::nullopt;
    move_cursor(*client.slot, {cursor.bytes_written + bytes, cursor.log_offset + bytes});
    return bytes;
}

FanOut::Delivery FanOut::deliver(Client& client, uint64_t target) const {
    Cursor cursor = cursor_of(*client.slot);
    Gather gather;
    uint64_t from = cursor.log_offset;
    bool whole = true;
    for (const LogRange& range : client.own) {
        if (range.begin >= target || !whole)
            break;
        if (range.begin > from)
            whole = gather.add(log_, from, range.begin);
        from = range.end;
    }
    if (whole && from < target)
        whole = gather.add(log_, from, target);

    ssize_t written = 0;
    int error = 0;
    if (gather.bytes() > 0) {
        begin_operation(*entry_, Operation::deliver, client.id.slot);
        do {
            written = gather.write_to(client.fd.get());
        } while (written == -1 && errno == EINTR);
        error = errno;
        // W2: the socket has the bytes, the cursor does not say so.
        crash_point(CrashPoint::written);
    }
    const uint64_t moved = written > 0 ? static_cast<uint64_t>(written) : 0;
    const uint64_t offset = offset_after(cursor.log_offset, moved, client.own, target);
    if (offset != cursor.log_offset) {
        move_cursor(*client.slot, {cursor.bytes_written + moved, offset});
        client.own.forget_up_to(offset);
    }
    crash_point(CrashPoint::cursor_moved);
    end_operation(*entry_);

    if (written == -1)
        return failed_with(error);
    if (moved < gather.bytes())
        return {.kind = Delivery::Kind::blocked};
    return {.kind = whole ? Delivery::Kind::complete : Delivery::Kind::more};
}

} // namespace chatserv
