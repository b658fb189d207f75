#include "tests/soak/soak_doors.h"

#include "shared/system/errors.h"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::test {

namespace {

// The server's log calls a client of a UNIX socket by the process that has connected it, so each
// client has one of its own. Returns its pid.
pid_t connect_in_child(int socket, const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const pid_t child = ::fork();
    if (child == -1)
        throw_errno("fork");
    if (child == 0)
        ::_exit(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    int status = 0;
    while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    if (status != 0)
        throw std::runtime_error("a client could not connect to " + path);
    return child;
}

// As it is written in front of a port. The client is bound to it before it connects, so no two
// clients have one address: connect(2) by itself may choose the same port for connections to
// different listeners, and the log could not tell them apart.
std::string host_of(const Endpoint& endpoint) {
    const std::string text = endpoint.text();
    return text.substr(0, text.rfind(':'));
}

} // namespace

SoakDoors::SoakDoors(Loop& loop, const std::string& folder) :
    loop_(loop), local_path_(folder + "/door"), tcp_peer_(loop), unix_peer_(loop, own("peer")) {
    append_to_file("");
}

std::vector<std::string> SoakDoors::listen() const {
    return {"127.0.0.1:0", has_ipv6() ? "[::1]:0" : "127.0.0.1:0", "listen:127.0.0.1:0",
        "speak:127.0.0.1:0", "resume:127.0.0.1:0"};
}

std::vector<std::string> SoakDoors::options() const {
    return {"--listen", "unix:" + local_path_, "--source", "talk:" + tcp_peer_.address(),
        "--source", unix_peer_.address(), "--source", "file:" + own("file")};
}

void SoakDoors::accept_sources(ClientHistory& history) {
    sources_ = {
        {.name = tcp_peer_.address(),
            .client = std::make_shared<Client>(loop_, tcp_peer_.accept_fd(), tcp_peer_.address()),
            .hears = true},
        {.name = unix_peer_.address(),
            .client =
                std::make_shared<Client>(loop_, unix_peer_.accept_fd(), unix_peer_.address())},
        {.name = "file:" + own("file")}};
    for (StandingSource& source : sources_)
        loop_.wait_until(
            [&] {
                history.read();
                source.stay = history.source(source.name);
                return source.stay != nullptr;
            },
            source.name + " to be connected");
}

void SoakDoors::append_to_file(std::string_view text) const {
    std::ofstream(own("file"), std::ios::app) << text;
}

std::shared_ptr<Client> SoakDoors::connect(Server& server, Door door, int receive_buffer_bytes) {
    if (door != Door::local) {
        const Endpoint& to = server.endpoint(static_cast<std::size_t>(door));
        return std::make_shared<Client>(loop_, to, receive_buffer_bytes, host_of(to));
    }
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    const pid_t connecting = connect_in_child(socket.get(), local_path_);
    return std::make_shared<Client>(loop_, std::move(socket),
        "unix:pid=" + std::to_string(connecting) + ",uid=" + std::to_string(::geteuid()));
}

} // namespace chatserv::test
