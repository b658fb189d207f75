// What a confined worker can do, and that the kernel ends it for anything else. Each call is made
// by a child of the test that has been confined as a worker is.
#include "shared/segment/memory_fault.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"
#include "shared/system/kernel_account.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "worker/confinement/confinement.h"

#include "config.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <iostream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

constexpr int done = 0;
constexpr int failed = 1;
constexpr int not_confined = 77;

// The wait status of a child that does this. No core is dumped.
int end_of_child(const std::function<int()>& deed) {
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit none{};
        ::setrlimit(RLIMIT_CORE, &none);
        for (const int signal : {SIGSYS, SIGABRT, SIGSEGV})
            std::signal(signal, SIG_DFL);
        ::_exit(deed());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

// The same of one that confines itself first, after something else that is to be done before.
int end_of_confined(
    const std::function<int()>& deed, const std::function<void()>& before = [] {}) {
    return end_of_child([&] {
        before();
        return confine() == Confinement::seccomp ? deed() : not_confined;
    });
}

bool has_seccomp() {
    return WEXITSTATUS(end_of_confined([] { return done; })) != not_confined;
}

class ConfinementTest : public testing::Test {
protected:
    void SetUp() override {
        if (!has_seccomp())
            GTEST_SKIP() << "this kernel has no seccomp";
    }

    static void expect_done(
        const std::function<int()>& deed, const std::function<void()>& before = [] {}) {
        const int status = end_of_confined(deed, before);
        EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
        EXPECT_EQ(WEXITSTATUS(status), done);
    }
};

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

TEST_F(ConfinementTest, LetsAWorkerServeItsClients) {
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

// The account of a connection that is no more is read in another way.
TEST_F(ConfinementTest, LetsAWorkerAskForTheAccountOfAClosedConnection) {
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

TEST_F(ConfinementTest, LetsAWorkerWaitAndTime) {
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

TEST_F(ConfinementTest, LetsAWorkerUseMemory) {
    expect_done([] {
        constexpr size_t much = 64 * 1024 * 1024;
        auto* memory = static_cast<char*>(std::malloc(much));
        for (size_t size = much; memory != nullptr && size < 3 * much; size += much / 2)
            memory = static_cast<char*>(std::realloc(memory, size));
        const bool had = memory != nullptr;
        std::free(memory);
        std::vector<std::unique_ptr<std::string>> small;
        for (int i = 0; i < 10'000; ++i)
            small.push_back(std::make_unique<std::string>(100, 'x'));
        return had ? done : failed;
    });
}

TEST_F(ConfinementTest, LetsAWorkerLogAndAPanicSayWhyAndAbort) {
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
TEST_F(ConfinementTest, LetsAWorkerSayThatItsSharedMemoryIsGone) {
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

// A pipe of the test is not opened once more by number: as where its owner is somebody else.
TEST_F(ConfinementTest, LetsAWorkerDropLinesOfALogThatNobodyReads) {
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

TEST_F(ConfinementTest, LetsAWorkerLogToAnotherFile) {
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

struct Forbidden {
    const char* name;
    long (*call)();
};

std::ostream& operator<<(std::ostream& out, const Forbidden& forbidden) {
    return out << forbidden.name;
}

class ForbiddenTest : public ConfinementTest, public testing::WithParamInterface<Forbidden> {};

TEST_P(ForbiddenTest, EndsTheProcess) {
    const int status = end_of_confined([] {
        (void)GetParam().call();
        return done;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << "it did that";
    EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

// The bare calls: what a sanitizer puts in their place would look at the arguments first.
template <typename... Arguments>
long call(long number, Arguments... arguments) {
    return ::syscall(number, arguments...);
}

sockaddr_in somewhere() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void* memory(long protection) {
    return ::mmap(nullptr, 4096, static_cast<int>(protection), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

INSTANTIATE_TEST_SUITE_P(Call, ForbiddenTest,
    testing::Values(
        // files
        Forbidden{
            "open_for_writing", [] { return call(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY); }},
        Forbidden{"openat2", [] { return call(SYS_openat2, AT_FDCWD, "/", nullptr, 0); }},
        Forbidden{"memfd_create", [] { return call(SYS_memfd_create, "x", 0); }},
        Forbidden{"ftruncate", [] { return call(SYS_ftruncate, 0, 0); }},
        Forbidden{"fchmod", [] { return call(SYS_fchmod, 0, 0); }},
        Forbidden{"sendfile", [] { return call(SYS_sendfile, 1, 0, nullptr, 1); }},
        Forbidden{"io_uring_setup", [] { return call(SYS_io_uring_setup, 1, nullptr); }},
        // the network
        Forbidden{"socket", [] { return call(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
        Forbidden{
            "socketpair", [] { return call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr); }},
        Forbidden{"bind", [] { return call(SYS_bind, 0, nullptr, 0); }},
        Forbidden{"listen", [] { return call(SYS_listen, 0, 1); }},
        Forbidden{"accept4", [] { return call(SYS_accept4, 0, nullptr, nullptr, 0); }},
        Forbidden{"connect",
            [] {
                const sockaddr_in address = somewhere();
                return call(SYS_connect, 0, &address, sizeof address);
            }},
        Forbidden{"sendto_somewhere",
            [] {
                const sockaddr_in address = somewhere();
                return call(SYS_sendto, 0, "x", 1, MSG_FASTOPEN, &address, sizeof address);
            }},
        Forbidden{"sendmsg_that_connects",
            [] {
                sockaddr_in address = somewhere();
                msghdr message{};
                message.msg_name = &address;
                message.msg_namelen = sizeof address;
                return call(SYS_sendmsg, 0, &message, MSG_FASTOPEN);
            }},
        Forbidden{"setsockopt",
            [] {
                const int on = 1;
                return call(SYS_setsockopt, 0, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            }},
        // other processes
        Forbidden{"kill_another", [] { return call(SYS_kill, ::getppid(), 0); }},
        Forbidden{"tgkill_itself_otherwise",
            [] { return call(SYS_tgkill, ::getpid(), ::getpid(), SIGTERM); }},
        Forbidden{"tgkill_another", [] { return call(SYS_tgkill, 1, 1, SIGABRT); }},
        Forbidden{"pidfd_open", [] { return call(SYS_pidfd_open, 1, 0); }},
        Forbidden{"process_vm_readv",
            [] { return call(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }},
        Forbidden{"execve", [] { return call(SYS_execve, "/bin/true", nullptr, nullptr); }},
        Forbidden{"execveat",
            [] { return call(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); }},
        Forbidden{"clone3", [] { return call(SYS_clone3, nullptr, 0); }},
        Forbidden{"unshare", [] { return call(SYS_unshare, 0); }},
        Forbidden{"setuid", [] { return call(SYS_setuid, 0); }},
        Forbidden{"bpf", [] { return call(SYS_bpf, 0, nullptr, 0); }},
        // what is allowed, otherwise
        Forbidden{"fcntl_that_makes_a_descriptor", [] { return call(SYS_fcntl, 0, F_DUPFD, 0); }},
        Forbidden{"dup2_elsewhere", [] { return call(SYS_dup3, 0, STDOUT_FILENO, 0); }},
        Forbidden{"pwritev2_that_waits",
            [] {
                iovec piece{nullptr, 0};
                return call(SYS_pwritev2, STDERR_FILENO, &piece, 1, -1, 0, 0);
            }},
        Forbidden{"ioctl_that_types", [] { return call(SYS_ioctl, 0, TIOCSTI, "x"); }},
        Forbidden{"mmap_to_execute",
            [] { return reinterpret_cast<long>(memory(PROT_READ | PROT_EXEC)); }},
        Forbidden{"mprotect_to_execute",
            [] {
                return call(
                    SYS_mprotect, memory(PROT_READ | PROT_WRITE), 4096, PROT_READ | PROT_EXEC);
            }}),
    [](const auto& made) { return std::string(made.param.name); });

#ifndef CHATSERV_SANITIZED // whose runtime needs these, see confinement_linux.cpp
INSTANTIATE_TEST_SUITE_P(CallOfNoRuntime, ForbiddenTest,
    testing::Values(Forbidden{"mmap_of_a_file",
                        [] { return call(SYS_mmap, nullptr, 4096, PROT_READ, MAP_PRIVATE, 0, 0); }},
        Forbidden{"open", [] { return call(SYS_openat, AT_FDCWD, "/", O_RDONLY); }},
        Forbidden{
            "madvise_that_makes_a_hole", [] { return call(SYS_madvise, nullptr, 0, MADV_REMOVE); }},
        Forbidden{"clone", [] { return call(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
        Forbidden{"ptrace", [] { return call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }},
        Forbidden{"prctl", [] { return call(SYS_prctl, 0, 0, 0, 0, 0); }}),
    [](const auto& made) { return std::string(made.param.name); });
#endif

// As some containers and service managers do: from now on this call fails with EPERM.
void have_refused(uint32_t call) {
    std::array<sock_filter, 4> steps{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{.len = steps.size(), .filter = steps.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == -1)
        ::_exit(failed);
}

TEST_F(ConfinementTest, SaysThatItIsRefusedByWhatConfinesTheProcessAlready) {
    for (const long number : {SYS_seccomp, SYS_prctl}) {
        const auto refused = static_cast<uint32_t>(number);
        const pid_t child = ::fork();
        if (child == 0) {
            have_refused(refused);
            ::_exit(confine() == Confinement::refused ? done : failed);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFEXITED(status)) << status;
        EXPECT_EQ(WEXITSTATUS(status), done) << "call " << refused;
    }
}

#ifdef __x86_64__
// getpid(2), which is allowed, by its number in x32 programs.
INSTANTIATE_TEST_SUITE_P(CallOfX32, ForbiddenTest,
    testing::Values(Forbidden{"getpid", [] { return call(SYS_getpid | 0x4000'0000L); }}),
    [](const auto& made) { return std::string(made.param.name); });

// getpid(2) as 32-bit programs call it: done if the answer is right.
int call_as_32_bit_programs_do() {
    long number = 20;
    asm volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
    return number == ::getpid() ? done : failed;
}

// The numbers of 32-bit programs would mean other calls. If the kernel runs such programs, the
// filter must end the process. If it does not (IA32_EMULATION=n, ia32_emulation=0), the instruction
// is a fault in every process; an unconfined child shows which of the two this kernel is.
TEST_F(ConfinementTest, KnowsNoCallsOfOtherKindsOfPrograms) {
    const int unconfined = end_of_child(call_as_32_bit_programs_do);
    const int confined = end_of_confined(call_as_32_bit_programs_do);
    ASSERT_TRUE(WIFSIGNALED(confined)) << confined;
    if (WIFSIGNALED(unconfined)) {
        std::cout << "this kernel has no calls of 32-bit programs, for anybody\n";
        EXPECT_EQ(WTERMSIG(unconfined), SIGSEGV);
        EXPECT_EQ(WTERMSIG(confined), SIGSEGV);
        return;
    }
    EXPECT_EQ(WEXITSTATUS(unconfined), done) << "the kernel is neither with such calls nor without";
    EXPECT_EQ(WTERMSIG(confined), SIGSYS);
}
#endif

} // namespace
} // namespace chatserv
