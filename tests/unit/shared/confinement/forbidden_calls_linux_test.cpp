// The calls that the kernel ends a confined worker for. A confined child of the test makes each of
// them.
#include "tests/unit/shared/confinement/confinement_test.h"

#include "config.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <iostream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

namespace chatserv {
namespace {

struct Forbidden {
    const char* name;
    long (*call)();
};

std::ostream& operator<<(std::ostream& out, const Forbidden& forbidden) {
    return out << forbidden.name;
}

class ForbiddenTest : public ConfinementTest, public testing::WithParamInterface<Forbidden> {};

TEST_P(ForbiddenTest, KillsTheProcess) {
    const int status = end_of_confined([] {
        (void)GetParam().call();
        return done;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << "it did that";
    EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

// The bare system calls: a sanitizer's wrappers would read the arguments first.
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
        // allowed calls with other arguments
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

TEST_F(ConfinementTest, ReportsARefusalByAnEarlierFilter) {
    for (const long number : {SYS_seccomp, SYS_prctl}) {
        const auto refused = static_cast<uint32_t>(number);
        const pid_t child = ::fork();
        if (child == 0) {
            have_refused(refused);
            ::_exit(confine(Duty::relay) == Confinement::refused ? done : failed);
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

// getpid(2) as 32-bit programs call it; `done` if the answer is right.
int call_as_32_bit_programs_do() {
    long number = 20;
    asm volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
    return number == ::getpid() ? done : failed;
}

// The numbers of 32-bit programs would mean other calls. If the kernel runs such programs, the
// filter must end the process. If it does not (IA32_EMULATION=n, ia32_emulation=0), the instruction
// is a fault in every process; an unconfined child shows which of the two this kernel is.
TEST_F(ConfinementTest, ForbidsCallsOf32BitPrograms) {
    const int unconfined = end_of_child(call_as_32_bit_programs_do);
    const int confined = end_of_confined(call_as_32_bit_programs_do);
    ASSERT_TRUE(WIFSIGNALED(confined)) << confined;
    if (WIFSIGNALED(unconfined)) {
        std::cout << "this kernel has no calls of 32-bit programs, for anybody\n";
        EXPECT_EQ(WTERMSIG(unconfined), SIGSEGV);
        EXPECT_EQ(WTERMSIG(confined), SIGSEGV);
        return;
    }
    EXPECT_EQ(WEXITSTATUS(unconfined), done) << "the kernel neither has these calls nor lacks them";
    EXPECT_EQ(WTERMSIG(confined), SIGSYS);
}
#endif

} // namespace
} // namespace chatserv
