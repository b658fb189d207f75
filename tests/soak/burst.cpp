#include "tests/soak/burst.h"

#include "shared/system/fd.h"

#include <sys/socket.h>
#include <vector>

namespace chatserv::test {

namespace {

void reset(const UniqueFd& socket) {
    const linger at_once{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

UniqueFd connection(const Endpoint& server, const Endpoint& from) {
    UniqueFd socket(::socket(server.family(), SOCK_STREAM, 0));
    if (!socket || ::bind(socket.get(), from.address(), from.length()) == -1 ||
        ::connect(socket.get(), server.address(), server.length()) == -1)
        return {};
    set_close_on_exec(socket.get(), true);
    reset(socket); // takes effect when it is closed
    return socket;
}

} // namespace

std::uint64_t burst(const Endpoint& server, std::size_t connections, BurstKind kind) {
    static const bool has_another_address = has_address("127.0.0.77");
    if (!has_another_address || server.family() != AF_INET)
        return 0;
    const Endpoint from("127.0.0.77:0");
    std::uint64_t made = 0;
    std::vector<UniqueFd> held;
    for (std::size_t i = 0; i < connections; ++i) {
        UniqueFd socket = connection(server, from);
        made += socket ? 1 : 0;
        if (kind == BurstKind::together)
            held.push_back(std::move(socket));
    }
    return made;
}

} // namespace chatserv::test
