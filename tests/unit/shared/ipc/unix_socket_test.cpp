// Named sockets: which existing files are replaced, which are rejected, and that no call waits.
#include "shared/ipc/unix_socket.h"

#include "tests/harness/temporary_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

namespace fs = std::filesystem;

class UnixSocketTest : public testing::Test {
protected:
    std::string path(const std::string& name = "socket") const {
        return (folder_.path() / name).string();
    }

    // Leaves a socket without a listener.
    void leave_abandoned(const std::string& name = "socket") const {
        { const NamedSocket dead = listen_at(path(name)); }
        ASSERT_TRUE(is_abandoned(path(name)));
    }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(folder_.path()))
            all.push_back(entry.path().filename().string());
        return all;
    }

    static int error_of_listening_at(const std::string& path) {
        try {
            const NamedSocket socket = listen_at(path);
            return 0;
        } catch (const std::system_error& failure) {
            return failure.code().value();
        }
    }

    const test::TemporaryDirectory folder_;
};

TEST_F(UnixSocketTest, AcceptsThisUserOnly) {
    const NamedSocket socket = listen_at(path());
    EXPECT_EQ(connect_at_once(path()).error, 0);
    struct stat info {};
    ASSERT_EQ(::lstat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_EQ(identity_of(path()), socket.file);
    EXPECT_EQ(names(), std::vector<std::string>{"socket"}) << "nothing unfinished is left";
}

TEST_F(UnixSocketTest, ListensForOthersUnderItsRealName) {
    leave_abandoned();
    const NamedSocket socket = listen_for_others_at(path(), 0622, ::getegid());
    struct stat info {};
    ASSERT_EQ(::lstat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0622U);
    EXPECT_EQ(info.st_gid, ::getegid());
    EXPECT_EQ(identity_of(path()), socket.file);
    EXPECT_EQ(names(), std::vector<std::string>{"socket"});
    sockaddr_un name{};
    socklen_t size = sizeof name;
    const Connecting client = connect_at_once(path());
    const UniqueFd accepted(::accept(socket.fd.get(), nullptr, nullptr));
    ASSERT_EQ(::getsockname(accepted.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_EQ(name.sun_path, path());
}

TEST_F(UnixSocketTest, DoesNotListenForOthersWhereAServerOrAnotherFileIs) {
    const NamedSocket socket = listen_at(path());
    const auto error_at = [](const std::string& place) {
        try {
            const NamedSocket other = listen_for_others_at(place, 0660, {});
            return 0;
        } catch (const std::system_error& failure) {
            return failure.code().value();
        }
    };
    EXPECT_EQ(error_at(path()), EADDRINUSE);
    EXPECT_EQ(error_at(folder_.path()), EISDIR);
    EXPECT_EQ(error_at(folder_.file("text", "")), ENOTSOCK);
    EXPECT_EQ(error_at(path("missing/socket")), ENOENT);
    EXPECT_EQ(error_at(path(std::string(socket_path_bytes_max, 'x'))), ENAMETOOLONG);
    EXPECT_EQ(identity_of(path()), socket.file);
}

TEST_F(UnixSocketTest, ReplacesAnAbandonedSocket) {
    leave_abandoned();
    const NamedSocket socket = listen_at(path());
    EXPECT_EQ(connect_at_once(path()).error, 0);
    EXPECT_EQ(names(), std::vector<std::string>{"socket"});
}

TEST_F(UnixSocketTest, ReplacesTheUnfinishedSocketOfADeadProcessWithThisPid) {
    leave_abandoned("dead");
    const std::string unfinished =
        std::string(unfinished_socket_prefix) + std::to_string(::getpid());
    fs::rename(path("dead"), path(unfinished));
    const NamedSocket socket = listen_at(path());
    EXPECT_EQ(names(), std::vector<std::string>{"socket"});
}

TEST_F(UnixSocketTest, RejectsThePathOfAListeningSocket) {
    const NamedSocket first = listen_at(path());
    EXPECT_EQ(error_of_listening_at(path()), EADDRINUSE);
    EXPECT_EQ(identity_of(path()), first.file);
    EXPECT_EQ(names(), std::vector<std::string>{"socket"});
}

// connect(2) to such a socket waits for the listener, possibly forever.
TEST_F(UnixSocketTest, DoesNotWaitForAListenerThatAcceptsNoConnection) {
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(
        ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    std::vector<Connecting> waiting;
    do {
        waiting.push_back(connect_at_once(path()));
    } while (waiting.back().error == 0 && waiting.size() < 64);
    if (waiting.back().error != EAGAIN)
        GTEST_SKIP() << "a full queue is told by error " << waiting.back().error << " here";
    EXPECT_FALSE(is_abandoned(path()));
    EXPECT_EQ(error_of_listening_at(path()), EADDRINUSE);
}

TEST_F(UnixSocketTest, ReportsAFileThatIsNoSocket) {
    EXPECT_EQ(error_of_listening_at(folder_.path().string()), EISDIR);
    const std::string file = folder_.file("file", "precious");
    EXPECT_EQ(error_of_listening_at(file), ENOTSOCK);
    EXPECT_EQ(fs::file_size(file), 8U);
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(error_of_listening_at(path("fifo")), ENOTSOCK);
    const NamedSocket socket = listen_at(path());
    fs::create_symlink("socket", path("link"));
    fs::create_symlink("nowhere", path("dangling"));
    EXPECT_EQ(error_of_listening_at(path("link")), ENOTSOCK);
    EXPECT_EQ(error_of_listening_at(path("dangling")), ENOTSOCK);
    EXPECT_EQ(connect_at_once(path("link")).error, ENOTSOCK);
    EXPECT_EQ(connect_at_once(file).error, ENOTSOCK);
    EXPECT_EQ(connect_at_once(path("missing")).error, ENOENT);
}

TEST_F(UnixSocketTest, ReportsABadPath) {
    EXPECT_EQ(error_of_listening_at(path("missing/socket")), ENOENT);
    const std::string file = folder_.file("file", "");
    EXPECT_EQ(error_of_listening_at(file + "/socket"), ENOTDIR);
    EXPECT_EQ(error_of_listening_at(path(std::string(100, 'x'))), ENAMETOOLONG);
    const std::string deep = path(std::string(98 - folder_.path().string().size(), 'd'));
    fs::create_directory(deep);
    EXPECT_EQ(error_of_listening_at(deep + "/s"), ENAMETOOLONG) << "no room for an unfinished name";
    EXPECT_TRUE(fs::is_empty(deep));
}

TEST_F(UnixSocketTest, RemovesOnlyItsOwnSocket) {
    const NamedSocket first = listen_at(path());
    const NamedSocket second = listen_at(path("other"));
    fs::rename(path("other"), path());
    EXPECT_EQ(remove_if_still(path(), first.file), EADDRINUSE);
    EXPECT_EQ(identity_of(path()), second.file);
    EXPECT_EQ(remove_if_still(path(), second.file), 0);
    EXPECT_EQ(remove_if_still(path(), second.file), 0) << "it is gone already";
    EXPECT_TRUE(names().empty());
}

// Makes processes wait until the end of a pipe opens the gate.
class Gate {
public:
    Gate() {
        int fds[2];
        if (::pipe(fds) == -1)
            throw std::system_error(errno, std::generic_category(), "pipe");
        reading_ = UniqueFd(fds[0]);
        writing_ = UniqueFd(fds[1]);
    }

    void open() { writing_.reset(); }
    // Called in a child; the parent reads the byte.
    void wait() {
        writing_.reset();
        char byte = 0;
        while (::read(reading_.get(), &byte, 1) == -1 && errno == EINTR) {
        }
    }
    // In a child, and the parent's answer to it.
    void say(char byte) { (void)!::write(writing_.get(), &byte, 1); }
    char hear() {
        char byte = 0;
        return ::read(reading_.get(), &byte, 1) == 1 ? byte : '\0';
    }

private:
    UniqueFd reading_;
    UniqueFd writing_;
};

TEST_F(UnixSocketTest, OneOfTwoConcurrentProcessesReplacesAnAbandonedSocket) {
    constexpr int listeners = 2;
    for (int round = 0; round < 50; ++round) {
        leave_abandoned();
        Gate begin;
        Gate end;
        Gate results;
        std::vector<pid_t> pids;
        for (int i = 0; i < listeners; ++i) {
            pids.push_back(::fork());
            if (pids.back() != 0)
                continue;
            begin.wait();
            std::optional<NamedSocket> socket;
            try {
                socket.emplace(listen_at(path()));
                results.say('l');
            } catch (const std::system_error& failure) {
                results.say(failure.code().value() == EADDRINUSE ? 'r' : '?');
            }
            end.wait();
            ::_exit(0);
        }
        begin.open();
        std::string said;
        for (int i = 0; i < listeners; ++i)
            said.push_back(results.hear());
        EXPECT_EQ(connect_at_once(path()).error, 0);
        end.open();
        for (const pid_t pid : pids)
            ::waitpid(pid, nullptr, 0);
        std::sort(said.begin(), said.end());
        ASSERT_EQ(said, "lr") << "one listens and the other is refused";
    }
}

// A server that has bound its socket and does not listen yet would look like a dead one.
TEST_F(UnixSocketTest, AVisibleSocketAlwaysHasAListener) {
    const pid_t starter = ::fork();
    if (starter == 0) {
        std::vector<NamedSocket> sockets; // all of them listen to the end
        for (int i = 0; i < 500; ++i) {
            sockets.push_back(listen_at(path()));
            ::unlink(path().c_str());
        }
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(starter, &status, WNOHANG) == 0) {
        const int error = connect_at_once(path()).error;
        EXPECT_TRUE(error == 0 || error == ENOENT || error == EAGAIN) << std::strerror(error);
    }
    EXPECT_EQ(status, 0);
}

} // namespace
} // namespace chatserv
