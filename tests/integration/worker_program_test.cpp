// The worker's program: the server finds it wherever it was started from. If it cannot be run, the
// server's last line names the true reason.
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class WorkerProgramTest : public ServerTest {
protected:
    // Runs a copy of the server beside a file that it takes for its worker's program.
    Finished end_with_worker(const std::function<void(const fs::path&)>& make_worker) {
        const TemporaryDirectory folder;
        const fs::path server = folder.path() / "chatserv";
        fs::copy_file(chatserv_path(), server);
        make_worker(folder.path() / "chatserv-worker");
        return run(loop_, {{server.string(), "--listen", "127.0.0.1:0", "--control", "none"}});
    }
};

// Copies of both programs, in a folder that every user may search.
struct CopiedPrograms {
    CopiedPrograms() {
        fs::permissions(folder.path(), fs::perms(0755));
        fs::copy_file(chatserv_path(), server);
        fs::copy_file(fs::path(chatserv_path()).parent_path() / "chatserv-worker", worker);
    }

    TemporaryDirectory folder;
    const fs::path server = folder.path() / "chatserv";
    const fs::path worker = folder.path() / "chatserv-worker";
};

void write_program(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content << std::flush;
    fs::permissions(path, fs::perms(0755));
}

class ProgramNameTest : public WorkerProgramTest,
                        public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    Odd, ProgramNameTest, testing::Values("chatserv", "", "-chatserv", "/nowhere/chatserv"));

// The program is not on PATH either, since PATH is empty.
TEST_P(ProgramNameTest, DoesNotDecideWhereTheWorkerIs) {
    Process server(
        loop_, {.arguments = {GetParam(), "--listen", "127.0.0.1:0", "--control", "none"},
                   .environment = {{"PATH", ""}},
                   .file = fs::absolute(chatserv_path())});
    loop_.wait_until(
        [&] {
            return server.exited() ||
                   server.errors().text().find("listening on ") != std::string::npos;
        },
        "the server to listen");
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_for_exit(), 0) << server.errors().text();
}

TEST_F(WorkerProgramTest, AFileThatIsNoProgramIsReported) {
    const Finished finished = end_with_worker(
        [](const fs::path& worker) { write_program(worker, std::string(100, '\x7f')); });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("chatserv-worker: Exec format error"));
}

TEST_F(WorkerProgramTest, AFileThatIsNotExecutableIsReported) {
    const Finished finished = end_with_worker([](const fs::path& worker) {
        write_program(worker, "");
        fs::permissions(worker, fs::perms(0644));
    });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("chatserv-worker (Permission denied)"));
}

TEST_F(WorkerProgramTest, AWorkerOfAnotherBuildIsReported) {
    const Finished finished = end_with_worker(
        [](const fs::path& worker) { write_program(worker, "#!/bin/sh\nexit 64\n"); });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("exit status 64"));
    EXPECT_THAT(last_line(finished.errors), HasSubstr("of the same build"));
}

// The system might be short of memory, so the server tries a few times.
TEST_F(WorkerProgramTest, WorkersThatAreAlwaysKilledAsTheyStartEndTheServer) {
    const Finished finished = end_with_worker(
        [](const fs::path& worker) { write_program(worker, "#!/bin/sh\nkill -9 $$\n"); });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors),
        HasSubstr("no worker could be started: killed by signal 9 (Killed)"));
}

// Uses copies, since another user may not be able to reach the build folder.
TEST_F(WorkerProgramTest, TheWorkerNeedNotBeReadable) {
    const CopiedPrograms programs;
    fs::permissions(programs.worker, fs::perms(0111));
    std::vector<std::string> starter;
    if (::geteuid() == 0)
        starter = {"setpriv", "--reuid=65534", "--clear-groups"};
    if (!starter.empty() && !is_installed(starter.front()))
        GTEST_SKIP() << "without setpriv(1) root may read anything";
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.binary = programs.server.string(), .starter = starter});
    expect_conversation();
}

// An upgrade removes the files; the workers that follow are still of the build that was started.
TEST_F(WorkerProgramTest, TheProgramsMayBeRemovedWhileTheServerRuns) {
    const CopiedPrograms programs;
    server_ = std::make_unique<Server>(loop_, ServerOptions{.binary = programs.server.string()});
    if (!fs::exists("/proc/self/fd"))
        GTEST_SKIP() << "not every system can execute a descriptor";
    fs::remove(programs.server);
    fs::remove(programs.worker);
    write_program(programs.worker, "#!/bin/sh\nexit 1\n");
    for (std::size_t death = 1; death <= 3; ++death) { // more than there are spares
        ::kill(server_->worker_pids().at(0), SIGKILL);
        server_->wait_for_line(" taken over by pid ", death);
    }
    expect_conversation();
}

} // namespace
} // namespace chatserv::test
