#include "master/sources/program/loopback_pair.h"

#include "master/config/address.h"
#include "shared/system/errors.h"

#include <cerrno>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>

namespace chatserv {

namespace {

UniqueFd tcp_socket(int family) {
    UniqueFd socket(::socket(family, SOCK_STREAM, 0));
    if (!socket)
        throw_errno("a socket of the loopback");
    set_close_on_exec(socket.get(), true);
    return socket;
}

UniqueFd listen_on(int family) {
    UniqueFd listener = tcp_socket(family);
    const Address any_port = Address::loopback(family, 0);
    if (::bind(listener.get(), any_port.data(), any_port.size()) == -1 ||
        ::listen(listener.get(), 1) == -1)
        throw_errno("listening on the loopback");
    return listener;
}

// Whoever connects to that port first: another process can be quicker.
FdPair pair_of(int family) {
    UniqueFd listener = listen_on(family);
    const Address listening = Address::of_socket(listener.get());
    FdPair pair;
    pair.first = tcp_socket(family);
    if (::connect(pair.first.get(), listening.data(), listening.size()) == -1)
        throw_errno("connecting on the loopback");
    const std::string own = Address::of_socket(pair.first.get()).text();
    for (;;) {
        UniqueFd accepted(::accept(listener.get(), nullptr, nullptr));
        if (!accepted) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            throw_errno("accepting on the loopback");
        }
        const std::optional<Address> peer = Address::of_peer(accepted.get());
        if (peer && peer->text() == own) {
            pair.second = std::move(accepted);
            break;
        }
    }
    for (const UniqueFd* const end : {&pair.first, &pair.second}) {
        set_close_on_exec(end->get(), true);
        set_nonblocking(end->get());
        const int on = 1;
        (void)::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return pair;
}

} // namespace

FdPair make_loopback_pair() {
    try {
        return pair_of(AF_INET);
    } catch (const std::system_error&) {
        return pair_of(AF_INET6); // a machine without IPv4
    }
}

} // namespace chatserv
