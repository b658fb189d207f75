#include "shared/ipc/rendezvous.h"

#include "shared/ipc/passed_descriptors.h"
#include "shared/system/peek.h"

#include <cerrno>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>
#include <vector>

namespace chatserv {

namespace {

bool is_empty_for_now(ssize_t got) {
    return got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace

Offered offer_channel(int rendezvous, int channel) {
    char byte = 0;
    iovec piece{&byte, 1};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    DescriptorRoom room{};
    attach_descriptors(message, room, std::span(&channel, 1));
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(rendezvous, &message, 0);
    } while (sent == -1 && errno == EINTR);
    if (sent == 1)
        return Offered::sent;
    const bool gone = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN;
    return gone ? Offered::no_worker : Offered::not_now;
}

Offer::Kind next_offer(int rendezvous) {
    char byte = 0;
    const ssize_t got = peek(rendezvous, {&byte, 1});
    if (got == 1)
        return Offer::Kind::channel;
    return is_empty_for_now(got) ? Offer::Kind::none : Offer::Kind::closed;
}

Offer take_offer(int rendezvous) {
    char byte = 0;
    DescriptorRoom room{};
    msghdr message{};
    const ssize_t got = receive_with_descriptors(rendezvous, std::span(&byte, 1), message, room);
    if (is_empty_for_now(got))
        return {Offer::Kind::none};
    if (got == 0)
        return {Offer::Kind::closed};
    // The BSDs report a lost descriptor as an error, Linux delivers the byte alone.
    std::vector<UniqueFd> passed;
    if (got == 1)
        passed = take_descriptors(message);
    UniqueFd channel = passed.empty() ? UniqueFd() : std::move(passed.front());
    const auto kind = channel ? Offer::Kind::channel : Offer::Kind::lost;
    return {kind, std::move(channel)};
}

} // namespace chatserv
