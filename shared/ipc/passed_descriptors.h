// Descriptors that go with a message over a UNIX stream socket: SCM_RIGHTS, unix(4), unix(7).
#pragma once

#include "shared/system/fd.h"

#include <span>
#include <sys/socket.h>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// The number that one sendmsg(2) can carry on every system (Linux: SCM_MAX_FD, 253).
inline constexpr size_t descriptors_max = 253;

// Aligned room for the descriptors of one message.
union DescriptorRoom {
    cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * descriptors_max)];
};

// `message` then takes these descriptors along; `room` must outlive its sending. One to
// descriptors_max.
void attach_descriptors(msghdr& message, DescriptorRoom& room, std::span<const int> descriptors);

// Calls recvmsg(2) until no signal interrupts it. Returns its result, with errno as the call set
// it; `message` and `room` are for take_descriptors().
[[nodiscard]] ssize_t receive_with_descriptors(
    int socket, std::span<char> bytes, msghdr& message, DescriptorRoom& room);

// The descriptors that have come with a message, in their order, owned and close-on-exec. To be
// called once after each message: what nobody takes stays open.
[[nodiscard]] std::vector<UniqueFd> take_descriptors(msghdr& message);

} // namespace chatserv
