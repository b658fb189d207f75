// A service manager as systemd is one: it hears from each master, whoever dies.
#include "shared/system/fd.h"
#include "shared/system/shared_table.h"
#include "tests/harness/process_figures.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace chatserv::test {
namespace {

class ServiceManagerTest : public ServerTest {
protected:
    void SetUp() override {
        socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                      static_cast<socklen_t>(sizeof address)),
            0);
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.more = {"--workers", "2"},
                       .environment = {{"NOTIFY_SOCKET", path_}, {"WATCHDOG_USEC", "200000"}}});
    }

    // Waits until the line has come since the last call.
    void hear(const std::string& line) {
        std::string heard;
        EXPECT_TRUE(comes_true([&] {
            std::array<char, 4096> text{};
            const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
            heard.append(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
            return ("\n" + heard).find("\n" + line + "\n") != std::string::npos;
        })) << line;
    }

    static std::string main_process(pid_t pid) { return "MAINPID=" + std::to_string(pid); }

    TemporaryDirectory folder_;
    const std::string path_ = folder_.path().string() + "/notify";
    UniqueFd socket_{};
};

TEST_F(ServiceManagerTest, HearsHowTheServerIs) {
    hear("READY=1");
    const auto client = join();
    hear("STATUS=1 user, 2 workers");
    hear("WATCHDOG=1");
    server_->process().signal(SIGTERM);
    hear("STOPPING=1");
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
}

TEST_F(ServiceManagerTest, HearsWhichProcessIsTheKeeper) {
    if (!can_share_descriptors() || title_of(::getpid()).empty())
        GTEST_SKIP() << "no keeper on this system, or no titles";
    hear(main_process(server_->process().pid()));
    const pid_t master = server_->master_pid();
    ::kill(master, SIGKILL);
    hear(main_process(server_->process().pid()));
    ASSERT_TRUE(comes_true([&] { return server_->master_pid() != master; }));
    const pid_t next_keeper = server_->master_pid();
    server_->process().signal(SIGKILL);
    hear(main_process(next_keeper));
    ::kill(next_keeper, SIGTERM);
    hear("STOPPING=1");
    EXPECT_TRUE(comes_true([&] { return server_->process().group_is_gone(); }));
}

} // namespace
} // namespace chatserv::test
