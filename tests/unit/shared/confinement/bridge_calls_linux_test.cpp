// The calls that the confined bridge may make, and some that it may not: those fail.
#include "tests/unit/shared/confinement/confinement_test.h"

#include "config.h"
#include "shared/system/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>

namespace chatserv {
namespace {

class BridgeCallsTest : public ConfinementTest {
protected:
    static void expect_done_by_bridge(const std::function<int()>& deed) {
        const int status = end_of_confined(
            deed, [] {}, Duty::bridge);
        EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
        EXPECT_EQ(WEXITSTATUS(status), done);
    }
    static void expect_refused(const char* name, const std::function<long()>& call) {
        SCOPED_TRACE(name);
        expect_done_by_bridge([&] { return call() == -1 && errno == EPERM ? done : failed; });
    }
};

TEST_F(BridgeCallsTest, AllowConnectingInThreads) {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), any, size), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
    expect_done_by_bridge([&] {
        bool connected = false;
        std::thread([&] {
            const UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
            connected = ::connect(socket.get(), any, size) == 0;
        }).join();
        return connected ? done : failed;
    });
}

TEST_F(BridgeCallsTest, AllowLookingUpNames) {
    expect_done_by_bridge([] {
        addrinfo* found = nullptr;
        const int error = ::getaddrinfo("localhost", "4222", nullptr, &found);
        if (error == 0)
            ::freeaddrinfo(found);
        return error == 0 ? done : failed;
    });
}

TEST_F(BridgeCallsTest, AllowReadingFiles) {
    expect_done_by_bridge([] {
        const UniqueFd file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
        char byte = 0;
        return ::read(file.get(), &byte, 1) == 1 ? done : failed;
    });
}

TEST_F(BridgeCallsTest, RefuseWhatReachesFurther) {
    expect_refused(
        "open for writing", [] { return ::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY); });
    expect_refused("create a file",
        [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp", O_RDONLY | O_CREAT, 0600); });
    expect_refused(
        "run a program", [] { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); });
    expect_refused("fork", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); });
    expect_refused("signal another", [] { return ::syscall(SYS_kill, ::getppid(), 0); });
#ifndef CHATSERV_SANITIZED // whose runtime needs it, see confinement_linux.cpp
    expect_refused("trace", [] { return ::syscall(SYS_ptrace, PTRACE_ATTACH, ::getppid(), 0, 0); });
#endif
    expect_refused("read another's memory",
        [] { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0); });
    expect_refused("listen", [] { return ::syscall(SYS_listen, 0, 1); });
    expect_refused("a raw socket", [] { return ::syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0); });
    expect_refused("truncate", [] { return ::syscall(SYS_ftruncate, 0, 0); });
    expect_refused("become another", [] { return ::syscall(SYS_setuid, 0); });
    expect_refused("executable memory", [] {
        return ::syscall(
            SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    });
}

} // namespace
} // namespace chatserv
