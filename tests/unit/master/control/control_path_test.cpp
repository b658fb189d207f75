// The folders in which control sockets are created and looked for, and the removal of sockets that
// dead servers left.
#include "master/control/control_path.h"

#include "shared/ipc/unix_socket.h"
#include "tests/harness/temporary_directory.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class ControlPathTest : public testing::Test {
protected:
    ControlPathTest() {
        for (const char* name : {"run", "xdg", "tmpdir", "tmp"})
            fs::create_directory(in(name));
        surroundings_ = {.user = ::geteuid(),
            .xdg_runtime_dir = in("xdg"),
            .tmpdir = in("tmpdir"),
            .run = {in("no run"), in("run")},
            .tmp = in("tmp")};
    }

    std::string in(const std::string& name) const { return (folder_.path() / name).string(); }

    std::string path_of_7() const { return default_control_path(surroundings_, 7); }

    std::vector<std::string> names_in(const std::string& name) const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(in(name)))
            names.push_back(entry.path().filename().string());
        return names;
    }

    // A pid that no process has.
    static pid_t dead_pid() {
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(0);
        ::waitpid(child, nullptr, 0);
        return child;
    }

    void leave_abandoned(const std::string& name) const {
        { const NamedSocket dead = listen_at(in("dead")); }
        fs::rename(in("dead"), in(name));
    }

    const test::TemporaryDirectory folder_;
    Surroundings surroundings_;
};

TEST_F(ControlPathTest, PrefersRunThenTheUsersFolderThenTmp) {
    EXPECT_EQ(path_of_7(), in("run/chatserv-7.sock"));
    fs::create_directory(in("run/chatserv"));
    EXPECT_EQ(path_of_7(), in("run/chatserv/chatserv-7.sock"));
    fs::remove_all(in("run"));
    EXPECT_EQ(path_of_7(), in("xdg/chatserv-7.sock"));
    fs::remove(in("xdg"));
    EXPECT_EQ(path_of_7(), in("tmpdir/chatserv-7.sock"));
    surroundings_.tmpdir.clear();
    EXPECT_EQ(path_of_7(), in("tmp/chatserv-7.sock"));
    fs::remove(in("tmp"));
    EXPECT_EQ(path_of_7(), in("tmp/chatserv-7.sock")) << "listening there says what is wrong";
}

TEST_F(ControlPathTest, SkipsAFolderThatIsNotWritable) {
    if (::geteuid() == 0)
        GTEST_SKIP() << "root can write to any folder";
    fs::permissions(in("run"), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(path_of_7(), in("xdg/chatserv-7.sock"));
}

TEST_F(ControlPathTest, SkipsAFolderWhoseNameIsTooLong) {
    surroundings_.run.clear();
    surroundings_.xdg_runtime_dir = in(std::string(100, 'x'));
    fs::create_directory(surroundings_.xdg_runtime_dir);
    EXPECT_EQ(path_of_7(), in("tmpdir/chatserv-7.sock"));
}

TEST_F(ControlPathTest, UsesNoRuntimeFolderOfAnotherUser) {
    fs::create_directory(in("run/chatserv"));
    surroundings_.user += 1;
    EXPECT_EQ(path_of_7(), in("run/chatserv-7.sock"));
    surroundings_.run.clear();
    EXPECT_EQ(path_of_7(), in("tmpdir/chatserv-7.sock"));
}

TEST_F(ControlPathTest, UsesOnlyTheFolderThatIsAskedFor) {
    surroundings_.control_dir = in("mine");
    EXPECT_EQ(path_of_7(), in("mine/chatserv-7.sock"));
    EXPECT_THAT(control_folders(surroundings_), ElementsAre());
    fs::create_directory(in("mine"));
    EXPECT_THAT(control_folders(surroundings_), ElementsAre(in("mine")));
}

TEST_F(ControlPathTest, LooksInEachFolderOnce) {
    const std::string user = "run/user/" + std::to_string(surroundings_.user);
    fs::create_directories(in(user));
    EXPECT_THAT(control_folders(surroundings_),
        ElementsAre(in("run"), in("xdg"), in("tmpdir"), in("tmp"), in(user)));
    surroundings_.xdg_runtime_dir = in(user);
    surroundings_.tmpdir = in("tmp");
    fs::create_symlink("run", in("var run"));
    surroundings_.run.push_back(in("var run"));
    EXPECT_THAT(control_folders(surroundings_), ElementsAre(in("run"), in(user), in("tmp")));
}

TEST_F(ControlPathTest, RecognizesItsFileNames) {
    EXPECT_EQ(control_name_of(4711), "chatserv-4711.sock");
    EXPECT_EQ(pid_in_control_name("chatserv-4711.sock"), 4711);
    for (const char* name : {"", "chatserv-.sock", "chatserv-0.sock", "chatserv--1.sock",
             "chatserv-+1.sock", "chatserv-007.sock", "chatserv-1.sock ", " chatserv-1.sock",
             "chatserv-1", "chatserv-.soc", "chatserv-99999999999.sock", "chatserv-1x.sock",
             "Chatserv-1.sock", "chatserv-1.sock.old"})
        EXPECT_EQ(pid_in_control_name(name), std::nullopt) << name;
}

TEST_F(ControlPathTest, IgnoresFilesThatAreNoSockets) {
    const NamedSocket first = listen_at(in("run/chatserv-12.sock"));
    const NamedSocket second = listen_at(in("run/chatserv-3.sock"));
    const NamedSocket named_otherwise = listen_at(in("run/chat.sock"));
    (void)folder_.file("run/chatserv-4.sock", "");
    fs::create_symlink("chatserv-3.sock", in("run/chatserv-5.sock"));
    fs::create_directory(in("run/chatserv-6.sock"));
    const std::vector<ControlFile> files = control_files_in(in("run"));
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].pid, 3);
    EXPECT_EQ(files[1].pid, 12);
    EXPECT_EQ(files[1].path, in("run/chatserv-12.sock"));
    EXPECT_EQ(files[1].owner, ::geteuid());
    EXPECT_TRUE(control_files_in(in("missing")).empty());
}

TEST_F(ControlPathTest, RemovesOnlySocketsOfDeadServers) {
    const std::string dead = std::to_string(dead_pid());
    const std::string living = std::to_string(::getppid());
    const NamedSocket alive = listen_at(in("run/chatserv-" + dead + ".sock"));
    leave_abandoned("run/chatserv-" + living + ".sock"); // its pid went to another process
    leave_abandoned("run/chatserv-12.sock");
    leave_abandoned("run/chatserv-12.sock.mine");
    leave_abandoned("run/.chatserv-" + dead);
    leave_abandoned("run/.chatserv-" + living);
    (void)folder_.file("run/chatserv-13.sock", "");
    (void)folder_.file("run/.chatserv-" + dead + "0", "");
    const std::vector<std::string> all = names_in("run");

    remove_abandoned_controls(in("run"), surroundings_.user + 1);
    EXPECT_THAT(names_in("run"), testing::UnorderedElementsAreArray(all)) << "another user's";

    remove_abandoned_controls(in("run"), surroundings_.user);
    EXPECT_THAT(
        names_in("run"), UnorderedElementsAre("chatserv-" + dead + ".sock", "chatserv-12.sock.mine",
                             ".chatserv-" + living, "chatserv-13.sock", ".chatserv-" + dead + "0"));
    EXPECT_EQ(connect_at_once(in("run/chatserv-" + dead + ".sock")).error, 0);
}

} // namespace
} // namespace chatserv
