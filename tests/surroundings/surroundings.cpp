// Starts a program in surroundings that are not the usual ones. Linux only.
//
//     surroundings [OPTION...] PROGRAM [ARGUMENT...]
//     --shm-size BYTES   /dev/shm has so much room, and nothing in it
//     --no-shm           there is no /dev/shm, and in /dev only null and urandom
//     --syslog PATH      the same, and syslogd(8) listens at PATH
//     --no-memfd         memfd_create(2) fails, as in an old kernel or under a seccomp filter
//     --no-fallocate     fallocate(2) fails: memory cannot be reserved but by using it
//     --deaf-loopback    a network of its own, whose loopback swallows what is sent
//     --over FILE PATH   PATH is found in the place of FILE
//     --cgroup DIR       in this control group
//
// Nothing of it is seen by other processes. The exit status is 77 where the system does not permit
// it, with the reason on standard error.
#include "shared/system/fd.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv::test {
namespace {

constexpr int not_permitted = 77;

void check(bool done, const std::string& what) {
    if (!done)
        throw std::system_error(errno, std::generic_category(), what);
}

void write_file(const std::string& path, const std::string& text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    check(
        file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
        path);
}

// Enters new namespaces. Root may do that directly; any other user needs a user namespace too, in
// which it keeps its ids.
void leave(int namespaces) {
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    check(::unshare(uid == 0 ? namespaces : namespaces | CLONE_NEWUSER) == 0, "unshare");
    if (uid != 0) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", std::to_string(uid) + " " + std::to_string(uid) + " 1");
        write_file("/proc/self/gid_map", std::to_string(gid) + " " + std::to_string(gid) + " 1");
    }
    if ((namespaces & CLONE_NEWNS) != 0)
        check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount /");
}

void limit_shm(const std::string& bytes) {
    check(::mount("tmpfs", "/dev/shm", "tmpfs", 0, ("mode=1777,size=" + bytes).c_str()) == 0,
        "mount /dev/shm");
}

// Files of /dev that stay available are opened before it is hidden.
void hide_shm() {
    const std::vector<std::string> kept{"/dev/null", "/dev/urandom"};
    std::vector<UniqueFd> devices;
    for (const std::string& path : kept)
        devices.emplace_back(::open(path.c_str(), O_PATH | O_CLOEXEC));
    check(::mount("tmpfs", "/dev", "tmpfs", 0, "mode=755") == 0, "mount /dev");
    for (size_t i = 0; i < kept.size(); ++i) {
        const UniqueFd file(::open(kept[i].c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
        const std::string device = "/proc/self/fd/" + std::to_string(devices[i].get());
        check(::mount(device.c_str(), kept[i].c_str(), nullptr, MS_BIND, nullptr) == 0, kept[i]);
    }
}

// seccomp(2): the call fails with that error.
void forbid(uint32_t call, uint32_t error) {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{.len = sizeof rules / sizeof rules[0], .filter = rules};
    check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
              ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
        "seccomp");
}

// When up, the interface has its addresses and routes; taken down again, it keeps them and drops
// all packets.
void deafen_loopback() {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (const bool up : {true, false}) {
        ifreq request{};
        std::strcpy(request.ifr_name, "lo");
        request.ifr_flags = static_cast<short>(up ? IFF_UP : 0);
        check(::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
    }
}

// Namespaces are set up first and filters last, in whatever order the options were given.
struct Changes {
    int namespaces = 0;
    std::vector<std::function<void()>> mounts;
    std::string cgroup{};
    bool deaf = false;
    std::vector<std::pair<uint32_t, uint32_t>> forbidden{}; // calls, and how they fail
};

// Returns the beginning of the program's arguments.
char** read_options(char** argument, Changes& changes) {
    for (; *argument != nullptr && std::strncmp(*argument, "--", 2) == 0; ++argument) {
        const std::string option = *argument;
        const auto value = [&]() -> std::string {
            if (argument[1] == nullptr)
                throw std::invalid_argument(option + " lacks a value");
            return *++argument;
        };
        if (option == "--no-memfd") {
            changes.forbidden.emplace_back(SYS_memfd_create, ENOSYS);
        } else if (option == "--no-fallocate") {
            changes.forbidden.emplace_back(SYS_fallocate, EINVAL);
        } else if (option == "--deaf-loopback") {
            changes.deaf = true;
            changes.namespaces |= CLONE_NEWNET;
        } else if (option == "--cgroup") {
            changes.cgroup = value();
        } else {
            changes.namespaces |= CLONE_NEWNS;
            if (option == "--no-shm") {
                changes.mounts.emplace_back(hide_shm);
            } else if (option == "--syslog") {
                changes.mounts.emplace_back([path = value()] {
                    hide_shm();
                    check(::symlink(path.c_str(), _PATH_LOG) == 0, _PATH_LOG);
                });
            } else if (option == "--shm-size") {
                changes.mounts.emplace_back([bytes = value()] { limit_shm(bytes); });
            } else if (option == "--over") {
                const std::string file = value();
                changes.mounts.emplace_back([file, path = value()] {
                    check(
                        ::mount(path.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0, file);
                });
            } else {
                throw std::invalid_argument("no option " + option);
            }
        }
    }
    return argument;
}

void make(const Changes& changes) {
    if (!changes.cgroup.empty())
        write_file(changes.cgroup + "/cgroup.procs", "0");
    if (changes.namespaces != 0)
        leave(changes.namespaces);
    for (const auto& mount : changes.mounts)
        mount();
    if (changes.deaf)
        deafen_loopback();
    for (const auto& [call, error] : changes.forbidden)
        forbid(call, error);
}

int start(char** arguments) {
    Changes changes;
    try {
        char** const program = read_options(arguments + 1, changes);
        make(changes);
        ::execvp(*program, program);
        check(false, *program);
    } catch (const std::system_error& refusal) {
        std::fprintf(stderr, "%s\n", refusal.what());
        return not_permitted;
    }
    return 0;
}

} // namespace
} // namespace chatserv::test

int main(int /*argc*/, char** argv) {
    return chatserv::test::start(argv);
}
