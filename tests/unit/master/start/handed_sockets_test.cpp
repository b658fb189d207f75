// The sockets that a service manager hands over, in the environment and from descriptor 3 on.
#include "master/start/handed_sockets.h"
#include "shared/system/failure.h"
#include "shared/system/open_descriptors.h"

#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

struct Environment {
    std::string pid; // "self": the process's own
    const char* count;
    const char* names;
    int open = 0; // how many descriptors are open from 3 on
};

// In a process of its own, which has such an environment: whether `holds` is true there.
bool holds_with(const Environment& environment, const std::function<bool()>& holds) {
    const pid_t child = ::fork();
    if (child == 0) {
        close_descriptors_from(STDERR_FILENO + 1);
        for (int i = 0; i < environment.open; ++i)
            (void)::open("/dev/null", O_RDONLY);
        const std::string self = std::to_string(::getpid());
        ::setenv(
            "LISTEN_PID", environment.pid == "self" ? self.c_str() : environment.pid.c_str(), 1);
        ::setenv("LISTEN_FDS", environment.count, 1);
        ::setenv("LISTEN_FDNAMES", environment.names, 1);
        ::_exit(holds() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(HandedSockets, AreTakenOnceWithTheirNames) {
    EXPECT_TRUE(holds_with({"self", "3", "web:stored", 4}, [] {
        const std::vector<HandedSocket> sockets = take_handed_sockets();
        return sockets.size() == 3 && sockets[0].fd.get() == 3 && sockets[0].name == "web" &&
               sockets[1].fd.get() == 4 && sockets[1].name == "stored" &&
               sockets[2].fd.get() == 5 && sockets[2].name == "unknown" &&
               ::fcntl(5, F_GETFD) == FD_CLOEXEC && ::fcntl(6, F_GETFD) == 0 &&
               std::getenv("LISTEN_PID") == nullptr && std::getenv("LISTEN_FDS") == nullptr &&
               std::getenv("LISTEN_FDNAMES") == nullptr && take_handed_sockets().empty();
    }));
}

TEST(HandedSockets, AreLeftIfTheyAreForAnotherProcess) {
    for (const char* const pid : {"1", "", "12x"})
        EXPECT_TRUE(holds_with({pid, "1", "web", 1}, [] {
            return take_handed_sockets().empty() && ::fcntl(3, F_GETFD) == 0 &&
                   std::getenv("LISTEN_FDS") == nullptr;
        })) << pid;
}

TEST(HandedSockets, MustBeAsManyAsTheVariableSays) {
    for (const auto& [count, open] :
        {std::pair{"2", 1}, std::pair{"-1", 0}, std::pair{"many", 0}, std::pair{"", 0}})
        EXPECT_TRUE(holds_with({"self", count, "", open}, [] {
            try {
                (void)take_handed_sockets();
                return false;
            } catch (const Failure& failure) {
                return failure.exit_status() == EX_USAGE &&
                       std::string(failure.what()).starts_with("LISTEN_FDS \"");
            }
        })) << count;
}

} // namespace
} // namespace chatserv
