// The reference: the chat server of shared/seed-chatserv.txt, one process with one kqueue.
//
// It shows what chatserv must look like from outside (R8). Whatever a user sends is written to all
// others before anything else is read, so its total order is the order of its reads. A write blocks
// for at most the stall limit; a user that takes nothing for so long is disconnected.
//
// The users of an address with `listen:` before it only listen, those of one with `speak:` only
// speak.
//
// With `--framing line` it keeps the bytes of each user until they are a line.
//
//     reference_server [--listen [ROLE:]ADDR:PORT]... [--users N] [--stall-limit SECONDS]
//                      [--framing none|line] [--line-max BYTES]
#include "shared/segment/role.h"
#include "shared/system/connection_end.h"
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
#include <utility>
#include <vector>

namespace {

using chatserv::Role;
using chatserv::UniqueFd;
using chatserv::test::Endpoint;

struct Options {
    std::vector<std::string> listen;
    std::size_t users = 10;
    long stall_limit_seconds = 5;
    bool by_lines = false;
    std::size_t line_max = 8192;
};

class ReferenceServer {
public:
    explicit ReferenceServer(const Options& options);
    void run();

private:
    void listen_on(const std::string& address);
    void watch(int ident, short filter, unsigned short action) const;
    struct Listener {
        UniqueFd fd{};
        Role role = Role::talk;
    };
    struct User {
        UniqueFd fd{};
        Role role = Role::talk;
        bool input_ended = false;
        std::string unfinished{}; // the line that has come in part
    };

    [[nodiscard]] const Listener* find_listener(int fd) const;
    void accept_user(const Listener& listener);
    void serve(int fd);
    void end_input(std::size_t slot);
    void end(std::size_t slot, int error);
    void take(std::size_t sender, std::string_view bytes);
    void write_whole_lines(std::size_t sender);
    void write_to_others(std::size_t sender, std::string_view bytes);
    void remove_user(std::size_t slot, const std::string& reason);

    UniqueFd kqueue_{::kqueue()};
    timeval stall_limit_{};
    std::vector<Listener> listeners_;
    std::vector<User> users_; // by slot; one without a descriptor is free
    bool by_lines_;
    std::size_t line_max_;
};

ReferenceServer::ReferenceServer(const Options& options) :
    users_(options.users), by_lines_(options.by_lines), line_max_(options.line_max) {
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
    const std::size_t colon = address.find(':');
    const auto role = chatserv::role_named(address.substr(0, colon));
    const Endpoint wanted(role ? address.substr(colon + 1) : address);
    UniqueFd fd(::socket(wanted.family(), SOCK_STREAM, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(fd.get(), wanted.address(), wanted.length()) == -1 ||
        ::listen(fd.get(), SOMAXCONN) == -1)
        err(EXIT_FAILURE, "%s", address.c_str());
    watch(fd.get(), EVFILT_READ, EV_ADD);
    std::fprintf(stderr, "listening on %s\n", Endpoint::of_socket(fd.get()).text().c_str());
    listeners_.push_back({std::move(fd), role.value_or(Role::talk)});
}

void ReferenceServer::watch(int ident, short filter, unsigned short action) const {
    struct kevent change {};
    EV_SET(&change, static_cast<uintptr_t>(ident), filter, action, 0, 0, nullptr);
    if (::kevent(kqueue_.get(), &change, 1, nullptr, 0, nullptr) == -1)
        err(EXIT_FAILURE, "set kevent");
}

const ReferenceServer::Listener* ReferenceServer::find_listener(int fd) const {
    for (const Listener& listener : listeners_) {
        if (listener.fd.get() == fd)
            return &listener;
    }
    return nullptr;
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
        if (const Listener* const listener = find_listener(ident))
            accept_user(*listener);
        else
            serve(ident);
    }
    for (std::size_t slot = 0; slot < users_.size(); ++slot) {
        if (users_[slot].fd)
            remove_user(slot, "server stopped");
    }
}

void ReferenceServer::accept_user(const Listener& listener) {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    UniqueFd fd(::accept(listener.fd.get(), reinterpret_cast<sockaddr*>(&storage), &length));
    if (!fd)
        return; // the client left before it was accepted
    const std::string address = Endpoint(storage, length).text();

    std::size_t slot = 0;
    while (slot < users_.size() && users_[slot].fd)
        ++slot;
    if (slot == users_.size()) {
        constexpr std::string_view refusal = "too many users!\n";
        ::send(fd.get(), refusal.data(), refusal.size(), 0);
        std::fprintf(stderr, "table full: %s turned away\n", address.c_str());
        return;
    }
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &stall_limit_, sizeof(stall_limit_));
    watch(fd.get(), EVFILT_READ, EV_ADD);
    users_[slot] = {.fd = std::move(fd), .role = listener.role};
    std::fprintf(stderr, "user %zu joined from %s\n", slot, address.c_str());
}

void ReferenceServer::serve(int fd) {
    std::size_t slot = 0;
    while (users_[slot].fd.get() != fd)
        ++slot;
    static char buffer[65536];
    const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
    const bool only_listens = users_[slot].role == Role::listen;
    if (got >= 0 && only_listens)
        return got == 0 ? end_input(slot) : void();
    if (got > 0)
        take(slot, {buffer, static_cast<std::size_t>(got)});
    else if (got == 0 || errno != EINTR)
        end(slot, got == 0 ? 0 : errno);
}

// The line that a user has not ended is given an end.
void ReferenceServer::end(std::size_t slot, int error) {
    if (const std::string& rest = users_[slot].unfinished; !rest.empty())
        write_to_others(slot, rest + "\n");
    if (error == 0)
        remove_user(slot, "end of file");
    else
        remove_user(slot, error == ECONNRESET ? "connection reset" : "read error");
}

void ReferenceServer::take(std::size_t sender, std::string_view bytes) {
    if (!by_lines_)
        return write_to_others(sender, bytes);
    users_[sender].unfinished += bytes;
    write_whole_lines(sender);
}

void ReferenceServer::write_whole_lines(std::size_t sender) {
    std::string& text = users_[sender].unfinished;
    for (;;) {
        const std::size_t newline = text.find('\n');
        std::size_t content = newline == std::string::npos ? text.size() : newline;
        if (newline != std::string::npos && content > 0 && text[content - 1] == '\r')
            --content;
        const bool may_end_in_time =
            newline == std::string::npos && content == line_max_ + 1 && text[line_max_] == '\r';
        if (content > line_max_ && !may_end_in_time) {
            write_to_others(sender, text.substr(0, line_max_) + "\n");
            text.erase(0, line_max_);
        } else if (newline != std::string::npos) {
            write_to_others(sender, text.substr(0, newline + 1));
            text.erase(0, newline + 1);
        } else {
            return;
        }
    }
}

// A user that only listens stays, and is watched for a reset.
void ReferenceServer::end_input(std::size_t slot) {
    User& user = users_[slot];
    if (chatserv::connection_end(user.fd.get()))
        return remove_user(slot, "connection reset");
    if (std::exchange(user.input_ended, true))
        return;
    watch(user.fd.get(), EVFILT_READ, EV_DELETE);
    watch(user.fd.get(), EVFILT_READ, EV_ADD | EV_CLEAR);
}

void ReferenceServer::write_to_others(std::size_t sender, std::string_view bytes) {
    for (std::size_t slot = 0; slot < users_.size(); ++slot) {
        if (slot == sender || !users_[slot].fd || users_[slot].role == Role::speak)
            continue;
        std::string_view rest = bytes;
        while (!rest.empty()) {
            const ssize_t put = ::send(users_[slot].fd.get(), rest.data(), rest.size(), 0);
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
    watch(users_[slot].fd.get(), EVFILT_READ, EV_DELETE);
    users_[slot] = {};
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
        else if (name == "--framing")
            options.by_lines = std::string_view(argv[i + 1]) == "line";
        else if (name == "--line-max")
            options.line_max = std::strtoul(argv[i + 1], nullptr, 10);
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
