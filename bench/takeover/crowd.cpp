#include "bench/takeover/crowd.h"

#include "tests/harness/log_line.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv::bench {

namespace {

constexpr int bytes_observed = 5; // at least, beside a newcomer

double milliseconds(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

void read_one(int fd) {
    char bytes[16];
    if (::recv(fd, bytes, sizeof bytes, 0) != 1)
        fail("a client received something other than the one byte that was sent");
}

} // namespace

void fail(const std::string& what) {
    std::fprintf(stderr, "takeover-bench: %s\n", what.c_str());
    std::exit(1);
}

Crowd::Crowd(size_t clients) :
    server_(loop_, {.listen = {"127.0.0.1:0", "127.0.0.1:0"},
                       .more = {"--workers", "1", "--spares", "1", "--users",
                           std::to_string(clients), "--hang-limit", "60"}}) {
    constexpr size_t wave = 100; // fits into a listen queue
    while (sockets_.size() < clients) {
        for (size_t i = 0; i < wave && sockets_.size() < clients; ++i)
            connect_one();
        loop_.wait_until([&] { return joined() == sockets_.size(); }, "the clients to join");
    }
}

void Crowd::connect_one() {
    const test::Endpoint& endpoint = server_.endpoint(sockets_.size() % 2);
    UniqueFd socket(::socket(endpoint.family(), SOCK_STREAM, 0));
    if (!socket || ::connect(socket.get(), endpoint.address(), endpoint.length()) == -1)
        fail("cannot connect");
    set_nonblocking(socket.get());
    if (!sockets_.empty() && events_.watch_readable(socket.get(), Watched::client) != 0)
        fail("cannot watch a client");
    sockets_.push_back(std::move(socket));
}

Crowd::Delivered Crowd::deliver(Worker worker) {
    const size_t takeovers = taken_over();
    const Clock::time_point begin = Clock::now();
    if (worker == Worker::is_killed && ::kill(worker_, SIGKILL) == -1)
        fail("the worker is not there");
    double first_ms = 0;
    deliver_byte([&] { first_ms = milliseconds(Clock::now() - begin); });
    const double last_ms = milliseconds(Clock::now() - begin);
    if (worker == Worker::is_killed)
        loop_.wait_until([&] { return taken_over() > takeovers; }, "the takeover's log line");
    return {first_ms, last_ms};
}

Crowd::Knocked Crowd::knock(Master master) {
    const test::Endpoint& endpoint = server_.endpoint();
    const UniqueFd newcomer(::socket(endpoint.family(), SOCK_STREAM, 0));
    answered_at_.reset();
    const pid_t killed = master == Master::is_killed ? server_.master_pid() : 0;
    const Clock::time_point begin = Clock::now();
    if (killed != 0 && ::kill(killed, SIGKILL) == -1)
        fail("the master is not there");
    if (!newcomer || ::connect(newcomer.get(), endpoint.address(), endpoint.length()) == -1 ||
        events_.watch_readable(newcomer.get(), Watched::newcomer) != 0)
        fail("cannot connect");
    Knocked knocked{};
    for (int bytes = 0; !answered_at_ || bytes < bytes_observed; ++bytes) {
        const Clock::time_point sent = Clock::now();
        deliver_byte([] {});
        knocked.longest_wait_ms =
            std::max(knocked.longest_wait_ms, milliseconds(Clock::now() - sent));
    }
    knocked.answered_ms = milliseconds(*answered_at_ - begin);
    if (killed != 0)
        wait_for_master(killed);
    return knocked;
}

template <typename First>
void Crowd::deliver_byte(First first) {
    if (::send(sockets_.front().get(), "x", 1, 0) != 1)
        fail("cannot send");
    const size_t all = sockets_.size() - 1;
    outstanding_ = all;
    while (outstanding_ > 0) {
        const size_t before = outstanding_;
        const auto events = events_.wait();
        if (before == all && !events.empty())
            first();
        for (const EventQueue::Event& event : events)
            handle(event);
    }
}

void Crowd::handle(const EventQueue::Event& event) {
    const int fd = descriptor_of(event);
    if (tag_of(event).kind<Watched>() == Watched::client) {
        read_one(fd);
        --outstanding_;
        return;
    }
    answered_at_ = Clock::now();
    events_.unwatch_readable(fd);
    char answer[64];
    if (::recv(fd, answer, sizeof answer, 0) <= 0)
        fail("a newcomer was not told that the table is full");
}

void Crowd::wait_for_master(pid_t dead) {
    loop_.wait_until(
        [&] {
            const pid_t master = server_.master_pid();
            return master != dead && master != server_.keeper_pid();
        },
        "the next master");
}

void Crowd::read_log() {
    for (; lines_seen_ < server_.log().size(); ++lines_seen_) {
        const std::string& line = server_.log()[lines_seen_];
        if (const auto started = test::parse_worker_started(line))
            worker_ = started->pid;
        else if (line.find(" joined from ") != std::string::npos)
            ++joined_;
        else if (line.find(" taken over by ") != std::string::npos)
            ++taken_over_;
        else if (line.find(" left: ") != std::string::npos)
            fail("a client was disconnected: " + line);
    }
}

size_t Crowd::joined() {
    read_log();
    return joined_;
}

size_t Crowd::taken_over() {
    read_log();
    return taken_over_;
}

} // namespace chatserv::bench
