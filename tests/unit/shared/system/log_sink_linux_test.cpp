// The log sink on a kernel without a write(2) that never waits: it asks poll(2) first. A filter of
// system calls in a child of the test simulates this kernel.
#include "shared/system/fd.h"
#include "shared/system/log_sink.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

bool load_filter_of_an_old_kernel() {
    const scmp_filter_ctx context = ::seccomp_init(SCMP_ACT_ALLOW);
    const bool loaded =
        context != nullptr &&
        ::seccomp_rule_add(context, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(pwritev2), 0) == 0 &&
        ::seccomp_load(context) == 0;
    ::seccomp_release(context);
    return loaded;
}

// Returns 0 on success, and 2 if this machine cannot simulate the old kernel. SIGALRM ends the
// process if the sink waits.
int fill_and_drain() {
    std::signal(SIGALRM, SIG_DFL);
    ::alarm(30);
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) == -1 || !load_filter_of_an_old_kernel())
        return 2;
    const auto notice = [](uint64_t dropped) { return std::to_string(dropped) + " dropped\n"; };
    LogSink sink{std::vector<std::string>()};
    sink.open(ends[1]);
    const std::string line(99, 'x');
    std::string expected;
    while (sink.dropped() < 50)
        if (sink.write(line + '\n', notice))
            expected += line + '\n';
    expected += "50 dropped\nlast\n";
    set_nonblocking(ends[0]);
    std::string text;
    const auto drain = [&] {
        std::array<char, 4096> bytes{};
        for (ssize_t got = 0; (got = ::read(ends[0], bytes.data(), bytes.size())) > 0;)
            text.append(bytes.data(), static_cast<size_t>(got));
    };
    drain();
    const bool taken = sink.write("last\n", notice);
    drain();
    return taken && text == expected ? 0 : 1;
}

TEST(LogSinkOfAnOldKernel, DropsUnreadLinesAndReportsTheirNumber) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(fill_and_drain());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        GTEST_SKIP() << "this kernel has no seccomp";
    EXPECT_EQ(status, 0);
}

} // namespace
} // namespace chatserv
