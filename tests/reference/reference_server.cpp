// The reference: the chat server of shared/seed-chatserv.txt, one process with one kqueue.
//
// It shows what chatserv must look like from outside (R8). Whatever a user sends is written to all
// others before anything else is read, so its total order is the order of its reads. A write blocks
// for at most the stall limit; a user that takes nothing for so long is disconnected.
//
//     reference_server [--listen ADDR:PORT]... [--users N] [--stall-limit SECONDS]
#include "shared/system/fd.h"
#include "tests/harness/endpoint.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <err.h>
#include <string>
#include <string_view>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <vector>

namespace {

using chatserv::UniqueFd;
using chatserv::test::Endpoint;

struct Options {
    std::vector<std::string> listen;
    std::size_t users = 10;
    long stall_limit_seconds = 5;
};

class ReferenceServer {
public:
    explicit ReferenceServer(const Options& options);
    void run();

private:
    void listen_on(const std::string& address);
    void watch(int ident, short filter, unsigned short action) const;
    [[nodiscard]] bool is_listener(int fd) const;
    void accept_user(int listener);
    void serve(int fd);
    void write_to_others(std::size_t sender, std::string_view bytes);
    void remove_user(std::size_t slot, const std::string& reason);

    UniqueFd kqueue_{::kqueue()};
    timeval stall_limit_{};
    std::vector<UniqueFd> listeners_;
    std::vector<UniqueFd> users_; // by slot; one without a descriptor is free
};

ReferenceServer::ReferenceServer(const Options& options) : users_(options.users) {
    if (!kqueue_)
        err(EXIT_FAILURE, "kqueue");
    stall_limit_.tv_sec = options.stall_limit_seconds;
    for (const std::string& address : options.listen)
        listen_on(address);
    for (const int number : {SIGTERM, SIGINT}) {
        std::signal(number, SIG_IGN); // kevent(2) reports the error all the same
        watch(number, EVFILT_SIGNAL, EV_ADD);
    }
}

void ReferenceServer::listen_on(const std::string& address) {
    const Endpoint wanted(address);
    UniqueFd fd(::socket(wanted.family(), SOCK_STREAM, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(fd.get(), wanted.address(), wanted.length()) == -1 ||
        ::listen(fd.get(), SOMAXCONN) == -1)
        err(EXIT_FAILURE, "%s", address.c_str());
    watch(fd.get(), EVFILT_READ, EV_ADD);
    std::fprintf(stderr, "listening on %s\n", Endpoint::of_socket(fd.get()).text().c_str());
    listeners_.push_back(std::move(fd));
}

void ReferenceServer::watch(int ident, short filter, unsigned short action) const {
    struct kevent change {};
    EV_SET(&change, static_cast<uintptr_t>(ident), filter, action, 0, 0, nullptr);
    if (::kevent(kqueue_.get(), &change, 1, nullptr, 0, nullptr) == -1)
        err(EXIT_FAILURE, "set kevent");
}

bool ReferenceServer::is_listener(int fd) const {
    for (const UniqueFd& listener : listeners_) {
        if (listener.get() == fd)
            return true;
    }
    return false;
}

void ReferenceServer::run() {
    for (;;) {
        struct kevent event {};
        if (::kevent(kqueue_.get(), nullptr, 0, &event, 1, nullptr) == -1) {
            if (errno == EINTR)
                continue;
            err(EXIT_FAILURE, "kevent");
        }
        const int ident = static_cast<int>(event.ident);
        if (event.filter == EVFILT_SIGNAL)
            break;
        if (is_listener(ident))
            accept_user(ident);
        else
            serve(ident);
    }
    for (std::size_t slot = 0; slot < users_.size(); ++slot) {
        if (users_[slot])
            remove_user(slot, "server stopped");
    }
}

void ReferenceServer::accept_user(int listener) {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    UniqueFd fd(::accept(listener, reinterpret_cast<sockaddr*>(&storage), &length));
    if (!fd)
        return; // the client left before it was accepted
    const std::string address = Endpoint(storage, length).text();

    std::size_t slot = 0;
    while (slot < users_.size() && users_[slot])
        ++slot;
    if (slot == users_.size()) {
        constexpr std::string_view refusal = "too many users!\n";
        ::send(fd.get(), refusal.data(), refusal.size(), 0);
        std::fprintf(stderr, "table full: %s turned away\n", address.c_str());
        return;
    }
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &stall_limit_, sizeof(stall_limit_));
    watch(fd.get(), EVFILT_READ, EV_ADD);
    users_[slot] = std::move(fd);
    std::fprintf(stderr, "user %zu joined from %s\n", slot, address.c_str());
}

void ReferenceServer::serve(int fd) {
    std::size_t slot = 0;
    while (users_[slot].get() != fd)
        ++slot;
    static char buffer[65536];
    const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
    if (got > 0)
        write_to_others(slot, {buffer, static_cast<std::size_t>(got)});
    else if (got == 0)
        remove_user(slot, "end of file");
    else if (errno != EINTR)
        remove_user(slot, errno == ECONNRESET ? "connection reset" : "read error");
}

void ReferenceServer::write_to_others(std::size_t sender, std::string_view bytes) {
    for (std::size_t slot = 0; slot < users_.size(); ++slot) {
        if (slot == sender || !users_[slot])
            continue;
        std::string_view rest = bytes;
        while (!rest.empty()) {
            const ssize_t put = ::send(users_[slot].get(), rest.data(), rest.size(), 0);
            if (put >= 0) {
                rest.remove_prefix(static_cast<std::size_t>(put));
            } else if (errno != EINTR) {
                remove_user(slot, errno == EAGAIN ? "stalled" : "write error");
                break;
            }
        }
    }
}

void ReferenceServer::remove_user(std::size_t slot, const std::string& reason) {
    watch(users_[slot].get(), EVFILT_READ, EV_DELETE);
    users_[slot].reset();
    std::fprintf(stderr, "user %zu left: %s\n", slot, reason.c_str());
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        if (i + 1 == argc)
            errx(EXIT_FAILURE, "%s needs a value", argv[i]);
        if (name == "--listen")
            options.listen.emplace_back(argv[i + 1]);
        else if (name == "--users")
            options.users = std::strtoul(argv[i + 1], nullptr, 10);
        else if (name == "--stall-limit")
            options.stall_limit_seconds = std::strtol(argv[i + 1], nullptr, 10);
        else
            errx(EXIT_FAILURE, "unknown option %s", argv[i]);
    }
    if (options.listen.empty())
        options.listen = {"127.0.0.1:9999"};
    return options;
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a user that is gone is an error of send(2), not our end
    ReferenceServer(parse(argc, argv)).run();
}
