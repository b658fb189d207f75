#include "master/clients/handed_listeners.h"

#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

constexpr std::string_view kept_prefix = "chatserv-listener-";

bool is_kept(const HandedSocket& socket) {
    return socket.name.starts_with(kept_prefix);
}

int option_of(int fd, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// What this descriptor is, if it is no listening socket of TCP or UNIX; otherwise nothing.
std::string why_unfit(int fd) {
    Address local;
    socklen_t size = Address::capacity();
    if (::getsockname(fd, local.data(), &size) == -1)
        return "is no socket";
    if (local.family() != AF_INET && local.family() != AF_INET6 && !local.is_unix())
        return "has neither an Internet address nor a path";
    if (option_of(fd, SO_TYPE) != SOCK_STREAM)
        return "is not a stream socket";
    if (option_of(fd, SO_ACCEPTCONN) == 0)
        return "does not listen";
    return "";
}

bool is_asked_for(const Listener& listener, const std::vector<ListenAddress>& listen) {
    return std::ranges::any_of(listen, [&](const ListenAddress& each) {
        const Families families = each.takes_ipv4_too ? Families::ipv4_too : Families::own;
        return std::ranges::any_of(each.addresses,
            [&](const Address& address) { return listener.listens_at(address, families); });
    });
}

Listener handed_over(HandedSocket socket) {
    if (const std::string why = why_unfit(socket.fd.get()); !why.empty())
        throw Failure(EX_CONFIG,
            fmt::format("the service manager handed over descriptor {} ({}), which {}: chatserv "
                        "takes listening stream sockets, ListenStream=ADDRESS:PORT or PATH with "
                        "Accept=no",
                socket.fd.get(), socket.name, why));
    Listener listener = Listener::take(std::move(socket.fd), Listener::Origin::handed_over);
    listener.note_handed_role(role_named(socket.name).value_or(Role::talk));
    return listener;
}

// Adds the kept socket to those that are ready, where it is asked for. One of the same address as a
// socket that was handed over is the same socket, and is only closed.
void add_kept(
    Listener kept, const std::vector<ListenAddress>& listen, std::vector<Listener>& ready) {
    const bool is_here = std::ranges::any_of(ready,
        [&](const Listener& other) { return other.listens_at(kept.address(), kept.families()); });
    if (is_here)
        return;
    if (is_asked_for(kept, listen))
        ready.push_back(std::move(kept));
    else
        ::shutdown(kept.fd(), SHUT_RDWR);
}

} // namespace

// A colon separates the names of sd_listen_fds(3), and other characters are not allowed.
std::string name_in_store(const Listener& listener) {
    std::string name = std::string(kept_prefix) + listener.address().text();
    std::ranges::replace(name, ':', '_');
    const bool takes_both =
        listener.address().is_any() && listener.families() == Families::ipv4_too;
    return takes_both ? name + "+ipv4" : name;
}

std::vector<std::string> kept_names(const std::vector<HandedSocket>& sockets) {
    std::vector<std::string> names;
    for (const HandedSocket& socket : sockets)
        if (is_kept(socket))
            names.push_back(socket.name);
    return names;
}

bool has_handed_over(const std::vector<HandedSocket>& sockets) {
    return !std::ranges::all_of(sockets, is_kept);
}

std::vector<Listener> ready_listeners(
    std::vector<HandedSocket> sockets, const std::vector<ListenAddress>& listen) {
    std::vector<Listener> ready;
    for (HandedSocket& socket : sockets)
        if (!is_kept(socket))
            ready.push_back(handed_over(std::move(socket)));
    for (HandedSocket& socket : sockets)
        if (is_kept(socket) && why_unfit(socket.fd.get()).empty())
            add_kept(Listener::take(std::move(socket.fd), Listener::Origin::kept), listen, ready);
    return ready;
}

std::optional<Listener> take_ready(
    std::vector<Listener>& ready, const Address& address, Families families) {
    const auto found = std::ranges::find_if(
        ready, [&](const Listener& listener) { return listener.listens_at(address, families); });
    if (found == ready.end())
        return std::nullopt;
    Listener taken = std::move(*found);
    ready.erase(found);
    return taken;
}

} // namespace chatserv
