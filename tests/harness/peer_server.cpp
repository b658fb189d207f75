#include "tests/harness/peer_server.h"

#include "shared/system/errors.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chatserv::test {

void PeerConnection::end() const {
    loop().wait_until([this] { return is_sent(); }, "a peer's bytes to be sent");
    ::shutdown(fd_.get(), SHUT_WR);
}

void PeerConnection::wait_for(std::string_view text) {
    loop().wait_until([&] { return received_.find(text) != std::string::npos; }, text);
}

void PeerConnection::wait_for_end() {
    loop().wait_until([this] { return ended_; }, "the end of a peer's connection");
}

pollfd PeerConnection::interest() const {
    return {ended_ ? -1 : fd_.get(), static_cast<short>(POLLIN | (is_sent() ? 0 : POLLOUT)), 0};
}

void PeerConnection::ready(short events) {
    if ((events & POLLOUT) != 0 && !is_sent()) {
        const ssize_t put = ::write(fd_.get(), queue_.data() + sent_, queue_.size() - sent_);
        sent_ += put > 0 ? static_cast<std::size_t>(put) : 0;
    }
    if ((events & ~POLLOUT) == 0)
        return;
    char bytes[16384];
    const ssize_t got = ::read(fd_.get(), bytes, sizeof bytes);
    if (got > 0)
        received_.append(bytes, static_cast<std::size_t>(got));
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        ended_ = true;
}

PeerServer::PeerServer(Loop& loop) : Source(loop) {
    const Endpoint any("127.0.0.1:0");
    std::memcpy(&where_, any.address(), any.length());
    where_length_ = any.length();
    listen();
    const Endpoint chosen = Endpoint::of_socket(fd_.get());
    std::memcpy(&where_, chosen.address(), chosen.length());
    address_ = "tcp:" + chosen.text();
}

PeerServer::PeerServer(Loop& loop, const std::string& path) :
    Source(loop), address_("unix:" + path) {
    auto& address = reinterpret_cast<sockaddr_un&>(where_);
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    where_length_ = sizeof address;
    listen();
}

void PeerServer::listen() {
    fd_ = UniqueFd(::socket(where_.ss_family, SOCK_STREAM, 0));
    const int on = 1;
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (where_.ss_family == AF_UNIX)
        (void)::unlink(reinterpret_cast<const sockaddr_un&>(where_).sun_path);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&where_), where_length_) == -1 ||
        ::listen(fd_.get(), 16) == -1)
        throw_errno("a peer's listen socket");
    set_close_on_exec(fd_.get(), true);
    set_nonblocking(fd_.get());
}

std::unique_ptr<PeerConnection> PeerServer::accept() {
    return std::make_unique<PeerConnection>(loop(), accept_fd());
}

UniqueFd PeerServer::accept_fd() {
    loop().wait_until([this] { return !waiting_.empty(); }, "a connection to " + address_);
    UniqueFd first = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return first;
}

void PeerServer::ready(short /*events*/) {
    UniqueFd accepted(::accept(fd_.get(), nullptr, nullptr));
    if (!accepted)
        return;
    set_close_on_exec(accepted.get(), true);
    set_nonblocking(accepted.get());
    waiting_.push_back(std::move(accepted));
}

} // namespace chatserv::test
