// The calls that a confined worker may make. A confined child of the test makes each of them.
#include "shared/segment/memory_fault.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"
#include "shared/system/kernel_account.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "tests/unit/shared/confinement/confinement_test.h"
#include "worker/tempo.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

namespace chatserv {
namespace {

// An established connection over loopback.
struct Connection {
    UniqueFd client;
    UniqueFd server;

    Connection() {
        const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        client = UniqueFd(::socket(AF_INET, SOCK_STREAM, 0));
        if (::bind(listener.get(), any, size) == 0 && ::listen(listener.get(), 1) == 0 &&
            ::getsockname(listener.get(), any, &size) == 0 &&
            ::connect(client.get(), any, size) == 0)
            server = UniqueFd(::accept(listener.get(), nullptr, nullptr));
    }
};

TEST_F(ConfinementTest, AllowsServingClients) {
    const Connection connection;
    ASSERT_TRUE(connection.server);
    const FdPair bell = make_pipe();
    expect_done([&] {
        std::array<char, 16> bytes{};
        iovec piece{bytes.data(), 5};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        const int fd = connection.server.get();
        const bool served =
            ::send(connection.client.get(), "hello", 5, 0) == 5 &&
            ::recv(fd, bytes.data(), 16, 0) == 5 && ::sendmsg(fd, &message, 0) == 5 &&
            ::recvmsg(connection.client.get(), &message, 0) == 5 && byte_counts(fd).has_value() &&
            unacknowledged_bytes(fd).has_value() && ::shutdown(fd, SHUT_WR) == 0 &&
            ::write(bell.second.get(), "x", 1) == 1 &&
            ::read(bell.first.get(), bytes.data(), 16) == 1 && ::close(fd) == 0;
        return served ? done : failed;
    });
}

// The account of a closed connection is read in another way.
TEST_F(ConfinementTest, AllowsTheAccountOfAClosedConnection) {
    Connection connection;
    ASSERT_TRUE(connection.server);
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connection.client.reset(); // a reset
    expect_done([&] {
        (void)byte_counts(connection.server.get());
        return done;
    });
}

enum class Watched : uint8_t { connection = 1 };

TEST_F(ConfinementTest, AllowsWaitingAndTimers) {
    const Connection connection;
    std::optional<EventQueue> events;
    const auto wait_and_time = [&] {
        const int fd = connection.server.get();
        const Tag tag = Watched::connection;
        const bool watched = events->watch_readable(fd, tag) == 0 &&
                             events->watch_writable(fd, tag) == 0 &&
                             events->set_timer(1, std::chrono::milliseconds(1)) == 0;
        bool timed = false;
        bool writable = false;
        while (watched && !timed)
            for (const EventQueue::Event& event : events->wait(std::chrono::milliseconds(100))) {
                timed = timed || is_timer(event);
                writable = writable || is_writable(event);
            }
        return writable && events->resume_readable(1000, tag) == EBADF ? done : failed;
    };
    expect_done(wait_and_time, [&] { events.emplace(); });
}

// The metrics process, to whose listen sockets others hold descriptors too.
TEST_F(ConfinementTest, AllowsAWorkersPause) {
    expect_done([] {
        Heartbeat heartbeat{};
        Tempo(heartbeat, Tempo::Clock::now()).pause();
        return done;
    });
}

TEST_F(ConfinementTest, AllowsAnsweringConnections) {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(listener.get(), any, size), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
    ASSERT_EQ(::connect(client.get(), any, size), 0);
    ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
    const auto answer = [&] {
        std::array<char, 16> bytes{};
        const int fd = ::accept(listener.get(), nullptr, nullptr);
        const bool answered = ::recv(fd, bytes.data(), bytes.size(), 0) == 5 &&
                              ::send(fd, "hello", 5, MSG_DONTWAIT) == 5 && ::close(fd) == 0;
        return answered ? done : failed;
    };
    const int status = end_of_confined(
        answer, [] {}, Duty::metrics);
    EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), done);
    const auto shut = [&] { return ::shutdown(listener.get(), SHUT_RDWR) == 0 ? done : failed; };
    const int forbidden = end_of_confined(
        shut, [] {}, Duty::metrics);
    EXPECT_TRUE(WIFSIGNALED(forbidden) && WTERMSIG(forbidden) == SIGSYS) << forbidden;
}

TEST_F(ConfinementTest, AllowsMemoryAllocation) {
    expect_done([] {
        constexpr size_t much = 64 * 1024 * 1024;
        auto* memory = static_cast<char*>(std::malloc(much));
        for (size_t size = much; memory != nullptr && size < 3 * much; size += much / 2)
            memory = static_cast<char*>(std::realloc(memory, size));
        const bool had = memory != nullptr;
        std::free(memory);
        constexpr size_t many = 10'000;
        std::vector<std::unique_ptr<std::string>> small;
        small.reserve(many);
        for (size_t i = 0; i < many; ++i)
            small.push_back(std::make_unique<std::string>(100, 'x'));
        return had ? done : failed;
    });
}

TEST_F(ConfinementTest, AllowsLoggingAndPanics) {
    UniqueFd kept(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    const FdPair log = make_pipe();
    ::dup2(log.second.get(), STDERR_FILENO);
    const int status = end_of_confined(
        []() -> int {
            log_info("test", "a line");
            panic("of a test");
        },
        [] {
            set_up_logging("worker", "info", LogFormat::text);
            standard_error_sink().open(STDERR_FILENO); // whatever the test wrote to before
        });
    ::dup2(kept.get(), STDERR_FILENO);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
    std::array<char, 1000> said{};
    (void)!::read(log.first.get(), said.data(), said.size() - 1);
    EXPECT_NE(std::string(said.data()).find("info worker: a line"), std::string::npos);
    EXPECT_NE(std::string(said.data()).find("panic: of a test"), std::string::npos);
}

// Memory that a process had mapped and another one cut off, touched by a confined process.
TEST_F(ConfinementTest, AllowsTheReportOfMissingSharedMemory) {
    const UniqueFd memory = open_unlinked_memory();
    size_and_back(memory.get(), 4096);
    void* const mapping =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    ASSERT_NE(mapping, MAP_FAILED);
    auto* const segment = static_cast<char*>(mapping);
    ASSERT_EQ(::ftruncate(memory.get(), 0), 0);
    for (const bool sent : {false, true}) {
        const FdPair log = make_pipe();
        const int status = end_of_confined(
            [&] {
                if (sent)
                    ::raise(SIGBUS);
                else
                    *static_cast<volatile char*>(segment) = 1;
                return done;
            },
            [&] {
                ::dup2(log.second.get(), STDERR_FILENO);
                explain_memory_faults({segment, 4096});
            });
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) << status;
        std::array<char, 1000> said{};
        (void)!::read(log.first.get(), said.data(), said.size() - 1);
        EXPECT_NE(std::string(said.data())
                      .find(sent ? "another process sent it" : "shared memory is gone"),
            std::string::npos)
            << said.data();
    }
    ::munmap(mapping, 4096);
}

// The sink does not reopen a pipe of the test by its number, as if another user owned the pipe.
TEST_F(ConfinementTest, AllowsDroppingLinesOfAnUnreadLog) {
    std::array<int, 2> log{};
    ASSERT_EQ(::pipe(log.data()), 0);
    const UniqueFd reading(log[0]);
    const UniqueFd writing(log[1]);
    for (const bool once_more : {true, false}) {
        LogSink sink = once_more ? LogSink() : LogSink(std::vector<std::string>());
        const auto notice = [](uint64_t) { return std::string("dropped\n"); };
        expect_done(
            [&] {
                while (sink.write("a line\n", notice)) {
                }
                return done;
            },
            [&] { sink.open(writing.get()); });
    }
}

TEST_F(ConfinementTest, AllowsLoggingToAnotherFile) {
    const FdPair old_log = make_pipe();
    const FdPair new_log = make_pipe();
    expect_done(
        [&] {
            log_info("test", "to the old one");
            if (::dup2(new_log.second.get(), STDERR_FILENO) == -1)
                return failed;
            log_goes_to_new_file();
            log_info("test", "to the new one");
            return done;
        },
        [&] {
            ::dup2(old_log.second.get(), STDERR_FILENO);
            set_up_logging("worker", "info", LogFormat::text);
            standard_error_sink().open(STDERR_FILENO); // whatever the test wrote to before
        });
    std::array<char, 1000> said{};
    (void)!::read(old_log.first.get(), said.data(), said.size() - 1);
    EXPECT_NE(std::string(said.data()).find("to the old one\n"), std::string::npos);
    said.fill(0);
    (void)!::read(new_log.first.get(), said.data(), said.size() - 1);
    EXPECT_NE(std::string(said.data()).find("to the new one\n"), std::string::npos);
}

} // namespace
} // namespace chatserv
