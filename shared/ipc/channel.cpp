#include "shared/ipc/channel.h"

#include "shared/system/panic.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace chatserv {

namespace {

constexpr size_t read_bytes = 16 * 1024;

// If this process has no room for a set of descriptors, Linux delivers the bytes with MSG_CTRUNC.
// On the BSDs recvmsg(2) fails first: with EMSGSIZE, on FreeBSD also with E2BIG if the kernel has
// no memory for the numbers (unp_externalize() in sys/kern/uipc_usrreq.c). The set is lost in
// either case, and on a BSD the next call delivers the bytes.
bool means_lost_descriptors(int error) {
    return error == EMSGSIZE || error == E2BIG || error == EMFILE || error == ENFILE;
}

} // namespace

Channel::Channel(UniqueFd socket) : socket_(std::move(socket)) {}

void Channel::queue_bytes(
    MessageType type, std::span<const std::byte> payload, std::span<const int> descriptors) {
    invariant(payload.size() <= payload_bytes_max && descriptors.size() <= descriptors_max,
        "a channel message was larger than a frame");
    const FrameHeader header{.payload_bytes = static_cast<uint32_t>(payload.size()),
        .type = type,
        .descriptors = static_cast<uint16_t>(descriptors.size())};
    Outgoing& out = outgoing_.emplace_back();
    out.frame.resize(sizeof header + payload.size());
    std::memcpy(out.frame.data(), &header, sizeof header);
    if (!payload.empty())
        std::memcpy(out.frame.data() + sizeof header, payload.data(), payload.size());
    out.descriptors.assign(descriptors.begin(), descriptors.end());
}

Channel::Sent Channel::flush() {
    while (!outgoing_.empty()) {
        Outgoing& out = outgoing_.front();
        iovec piece{out.frame.data() + out.sent_bytes, out.frame.size() - out.sent_bytes};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        DescriptorRoom room{};
        if (out.sent_bytes == 0 && !out.descriptors.empty())
            attach_descriptors(message, room, out.descriptors);
        const ssize_t sent = ::sendmsg(socket_.get(), &message, 0);
        if (sent == -1) {
            if (errno == EINTR)
                continue;
            // ENOBUFS and ETOOMANYREFS are like EAGAIN: the limit of memory, or of descriptors in
            // transit, is reached for now.
            const bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ||
                              errno == ENOMEM || errno == ETOOMANYREFS;
            return full ? Sent::partly : Sent::broken;
        }
        out.sent_bytes += static_cast<size_t>(sent);
        if (out.sent_bytes == out.frame.size())
            outgoing_.pop_front();
    }
    return Sent::all;
}

Channel::Received Channel::receive(Message& message) {
    for (;;) {
        const Received parsed = parse(message);
        if (parsed != Received::nothing)
            return parsed;
        if (holds_unclaimed_descriptors())
            return Received::malformed;
        switch (read_more()) {
        case Read::some:
            break;
        case Read::nothing:
            return Received::nothing;
        case Read::closed:
            return Received::closed;
        }
    }
}

// Once every whole frame has been parsed, only the descriptors of a frame that has begun may be
// left. Any others would never be claimed, and would use up this process's descriptors.
bool Channel::holds_unclaimed_descriptors() const {
    return incoming_descriptors_.size() > (has_unread() ? 1U : 0U);
}

Channel::Read Channel::read_more() {
    incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<ptrdiff_t>(parsed_bytes_));
    parsed_bytes_ = 0;
    const size_t kept = incoming_.size();
    incoming_.resize(kept + read_bytes);
    const std::span<char> room(incoming_.data() + kept, read_bytes);
    ssize_t got = read_into(room);
    if (got == -1 && means_lost_descriptors(errno)) {
        incoming_descriptors_.push_back({.lost = true});
        got = read_into(room);
    }
    const bool empty_for_now = got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
    incoming_.resize(kept + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0)
        return Read::some;
    return empty_for_now ? Read::nothing : Read::closed;
}

// Calls recvmsg(2) once. Returns its result, with errno as the call set it.
ssize_t Channel::read_into(std::span<char> room) {
    DescriptorRoom passed{};
    msghdr message{};
    const ssize_t got = receive_with_descriptors(socket_.get(), room, message, passed);
    if (got > 0)
        keep_descriptors(message);
    return got;
}

// One recvmsg(2) delivers the descriptors of at most one sendmsg(2), so the sets are in the order
// of their frames. A lost set keeps its place in that order.
void Channel::keep_descriptors(msghdr& message) {
    DescriptorSet set;
    set.descriptors = take_descriptors(message);
    set.lost = (message.msg_flags & MSG_CTRUNC) != 0;
    if (set.lost)
        set.descriptors.clear();
    if (set.lost || !set.descriptors.empty())
        incoming_descriptors_.push_back(std::move(set));
}

Channel::Received Channel::parse(Message& message) {
    const size_t available = incoming_.size() - parsed_bytes_;
    FrameHeader header{};
    if (available < sizeof header)
        return Received::nothing;
    std::memcpy(&header, incoming_.data() + parsed_bytes_, sizeof header);
    if (header.payload_bytes > payload_bytes_max || header.descriptors > descriptors_max)
        return Received::malformed;
    if (available < sizeof header + header.payload_bytes)
        return Received::nothing;

    DescriptorSet set;
    if (header.descriptors > 0) {
        if (incoming_descriptors_.empty())
            return Received::malformed;
        set = std::move(incoming_descriptors_.front());
        incoming_descriptors_.pop_front();
        if (!set.lost && set.descriptors.size() != header.descriptors)
            return Received::malformed;
    }
    const auto payload = incoming_.begin() + static_cast<ptrdiff_t>(parsed_bytes_ + sizeof header);
    message.type = header.type;
    message.payload.assign(payload, payload + header.payload_bytes);
    message.descriptors = std::move(set.descriptors);
    message.descriptors_lost = set.lost;
    parsed_bytes_ += sizeof header + header.payload_bytes;
    return Received::message;
}

} // namespace chatserv
