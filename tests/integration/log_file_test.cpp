// --log-file: where the log goes, and that SIGHUP has every process let go of a file that was
// rotated away.
#include "config.h"
#include "tests/harness/sanitizer.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::size_t count_in(const std::string& text, const std::string& wanted) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(wanted, at)) != std::string::npos; ++at)
        ++count;
    return count;
}

class LogFileTest : public ServerTest {
protected:
    fs::path log() const { return folder_.path() / "log"; }

    void launch(const std::vector<std::string>& options = {}) {
        Command command{{chatserv_path(), "--listen", "127.0.0.1:0", "--control", "none",
            "--log-file", log().string()}};
        command.arguments.insert(command.arguments.end(), options.begin(), options.end());
        process_ = std::make_unique<Process>(loop_, command);
    }

    void start_with_file(const std::vector<std::string>& options = {}) {
        launch(options);
        note_address(wait_for(log(), "listening on "));
    }

    void note_address(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);)
            if (const auto address = parse_listening(line))
                endpoint_ = Endpoint(*address);
    }

    // Nothing tells of what a file holds, so it is looked at until it holds that.
    void wait_until(const std::function<bool()>& holds, const std::string& what) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end || process_->exited())
                throw std::runtime_error(
                    "in vain for " + what + "\n" + text_of(log()) + process_->errors().text());
            loop_.turn(std::chrono::milliseconds(10));
        }
    }
    std::string wait_for(const fs::path& path, const std::string& text, std::size_t count = 1) {
        wait_until([&] { return count_in(text_of(path), text) >= count; },
            "'" + text + "' in " + path.string());
        return text_of(path);
    }

    std::unique_ptr<Client> join_and_find_it_in(const fs::path& path) {
        auto client = std::make_unique<Client>(loop_, endpoint_);
        wait_for(path, " joined from " + client->address());
        return client;
    }

    // Of the server's processes, those that have a file open; nothing where this cannot be told.
    std::optional<std::size_t> holders_of(const fs::path& path) {
        struct stat wanted {};
        if (!fs::exists("/proc/self/fd") || ::stat(path.c_str(), &wanted) == -1)
            return std::nullopt;
        std::size_t holders = 0;
        for (const auto& entry : fs::directory_iterator("/proc")) {
            const pid_t pid = std::atoi(entry.path().filename().c_str());
            if (pid == 0 || ::getpgid(pid) != process_->pid())
                continue;
            std::error_code gone;
            bool holds = false;
            for (const auto& fd : fs::directory_iterator(entry.path() / "fd", gone)) {
                struct stat status {};
                holds =
                    holds || (::stat(fd.path().c_str(), &status) == 0 &&
                                 status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev);
            }
            holders += holds ? 1 : 0;
        }
        return holders;
    }

    int stop() {
        process_->signal(SIGTERM);
        return process_->wait_for_exit();
    }

    TemporaryDirectory folder_;
    std::unique_ptr<Process> process_;
    Endpoint endpoint_;
};

TEST_F(LogFileTest, HasTheLogAndStandardErrorHasNothing) {
    std::ofstream(log()) << "from before\n";
    start_with_file();
    (void)join_and_find_it_in(log());
    EXPECT_EQ(stop(), 0);
    EXPECT_EQ(text_of(log()).rfind("from before\n", 0), 0U) << "it is appended to";
    EXPECT_THAT(text_of(log()), HasSubstr("SIGTERM: stopping"));
    EXPECT_EQ(process_->errors().text(), "");
}

TEST_F(LogFileTest, IsMadeForItsOwnerAndGroup) {
    const mode_t before = ::umask(0022);
    start_with_file();
    ::umask(before);
    EXPECT_EQ(fs::status(log()).permissions(), fs::perms(0640));
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogFileTest, IsRotatedWhilePeopleCome) {
    start_with_file({"--log-level", "debug", "--workers", "2", "--spares", "1"});
    const auto stays = join_and_find_it_in(log());
    const int rotations = 5;
    for (int rotation = 1; rotation <= rotations; ++rotation) {
        const fs::path old = log().string() + "." + std::to_string(rotation);
        std::vector<std::unique_ptr<Client>> comers;
        for (int i = 0; i < 4; ++i)
            comers.push_back(std::make_unique<Client>(loop_, endpoint_));
        fs::rename(log(), old);
        process_->signal(SIGHUP);
        wait_for(log(), " master: SIGHUP: the log file ");
        wait_for(log(), " worker: writing to the log file that was opened again", 3);
        if (holders_of(old)) {
            wait_until([&] { return holders_of(old) == 0U; }, "all to let go of the old log");
            EXPECT_EQ(holders_of(log()), 4U) << "master, two workers and a spare";
        }
        const std::string kept = text_of(old);
        for (const auto& comer : comers)
            wait_until(
                [&] {
                    const std::string joined = " joined from " + comer->address();
                    return count_in(text_of(old), joined) + count_in(text_of(log()), joined) == 1;
                },
                comer->address() + " in one of the two");
        const auto later = join_and_find_it_in(log());
        EXPECT_EQ(text_of(old), kept) << "nothing is written to a file that was let go of";
        stays->send(std::to_string(rotation) + ";");
        later->wait_for(std::to_string(rotation) + ";");
    }
    EXPECT_EQ(stop(), 0);
}

// A worker that is started later has the new file as well.
TEST_F(LogFileTest, IsThatOfSuccessorsToo) {
    start_with_file({"--log-level", "debug", "--workers", "1", "--spares", "1"});
    const auto client = join_and_find_it_in(log());
    const fs::path old = log().string() + ".1";
    fs::rename(log(), old);
    process_->signal(SIGHUP);
    wait_for(log(), " worker: writing to the log file that was opened again", 2);
    std::istringstream lines(text_of(old));
    pid_t worker = 0;
    for (std::string line; std::getline(lines, line);)
        if (const auto started = parse_worker_started(line))
            worker = started->pid;
    ASSERT_GT(worker, 0);
    ::kill(worker, SIGKILL);
    wait_for(log(), " taken over by pid ");
    wait_for(log(), "spare worker ready");
    if (holders_of(old)) {
        EXPECT_EQ(holders_of(old), 0U);
        EXPECT_EQ(holders_of(log()), 3U);
    }
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogFileTest, IsKeptWhereItCannotBeOpenedAgain) {
    start_with_file();
    const fs::path old = log().string() + ".1";
    fs::rename(log(), old);
    fs::create_directory(log());
    process_->signal(SIGHUP);
    EXPECT_THAT(wait_for(old, "cannot be opened again"),
        HasSubstr("(Is a directory): still using the one that is open"));
    (void)join_and_find_it_in(old);
    fs::remove(log());
    process_->signal(SIGHUP);
    wait_for(log(), " master: SIGHUP: the log file ");
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogFileTest, MayBeAFifoWhoseReadersComeAndGo) {
    ASSERT_EQ(::mkfifo(log().c_str(), 0600), 0);
    launch();
    for (int visit = 1; visit <= 3; ++visit) {
        const UniqueFd reader(::open(log().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        std::string text;
        wait_until(
            [&] {
                char bytes[4096];
                const ssize_t got = ::read(reader.get(), bytes, sizeof bytes);
                text.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
                return visit == 1
                           ? text.find("listening on ") != std::string::npos && text.back() == '\n'
                           : text.find("left: end of file") != std::string::npos;
            },
            "what the log has to say to its reader " + std::to_string(visit));
        if (visit == 1)
            note_address(text);
        // Nobody reads while this one comes and goes; the FIFO keeps it for the next reader.
        Client client(loop_, endpoint_);
        client.half_close();
        client.wait_for_end();
    }
    for (int i = 0; i < 1000; ++i) { // more than it can keep
        Client client(loop_, endpoint_);
        client.half_close();
        client.wait_for_end();
    }
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogFileTest, IsRefusedAtTheStartWhereItCannotBe) {
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {(folder_.path() / "none" / "log").string(), "No such file or directory"},
        {folder_.path().string(), "Is a directory"},
        {folder_.file("plain", "") + "/log", "Not a directory"}};
    for (const auto& [path, why] : wrong) {
        const Finished finished =
            run(loop_, {{chatserv_path(), "--listen", "127.0.0.1:0", "--log-file", path}});
        EXPECT_EQ(finished.status, EX_CANTCREAT) << path;
        EXPECT_EQ(finished.errors, "chatserv: --log-file \"" + path + "\" cannot be opened: " +
                                       why + "; choose a file that this user may write to\n");
    }
}

TEST_F(LogFileTest, IsRefusedWithoutAName) {
    const Finished finished = run(loop_, {{chatserv_path(), "--log-file", "", "--check-config"}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_THAT(finished.errors, HasSubstr("--log-file"));
}

TEST_F(LogFileTest, IsTakenFromTheEnvironmentAndShown) {
    const Finished finished =
        run(loop_, {{chatserv_path(), "--check-config"}, {{"CHATSERV_LOG_FILE", "/var/log/chat"}}});
    EXPECT_EQ(finished.status, 0);
    EXPECT_THAT(finished.output, HasSubstr("log-file = \"/var/log/chat\"\n"));
    EXPECT_FALSE(fs::exists("/var/log/chat")) << "it is not opened for that";
}

// Whoever starts the server looks at the terminal, whoever asks later at the log.
TEST_F(LogFileTest, HasWhyTheServerDoesNotStartAndSoHasStandardError) {
    start();
    launch({"--listen", server_->endpoint().text()});
    EXPECT_EQ(process_->wait_for_exit(), EX_UNAVAILABLE);
    const std::string why = "cannot listen on " + server_->endpoint().text();
    EXPECT_EQ(process_->errors().text().rfind("chatserv: " + why, 0), 0U)
        << process_->errors().text();
    EXPECT_THAT(text_of(log()), HasSubstr(" error master: " + why));
}

#ifdef HAVE_PRLIMIT
// A worker that has no descriptor left for the new file gets it when there is one.
TEST_F(LogFileTest, IsSentAgainToAWorkerWithoutDescriptors) {
    if (address_sanitized)
        GTEST_SKIP() << "the sanitizer's runtime needs descriptors of its own";
    std::vector<std::string> options{"--log-level", "debug", "--workers", "1", "--spares", "0"};
    if (::geteuid() == 0) // whose workers are somebody else's otherwise, with limits of their own
        options.insert(options.end(), {"--user", "root"});
    start_with_file(options);
    const std::string text = text_of(log());
    std::istringstream lines(text);
    pid_t worker = 0;
    for (std::string line; std::getline(lines, line);)
        if (const auto started = parse_worker_started(line))
            worker = started->pid;
    rlimit before{};
    const rlimit none{3, 3};
    rlimit lowered = none;
    if (::prlimit(worker, RLIMIT_NOFILE, nullptr, &before) == -1)
        GTEST_SKIP() << "the limit of another process cannot be lowered here";
    lowered.rlim_max = before.rlim_max;
    ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &lowered, nullptr), 0);
    const fs::path old = log().string() + ".1";
    fs::rename(log(), old);
    process_->signal(SIGHUP);
    wait_for(log(), "no descriptor left for the log file");
    EXPECT_EQ(holders_of(old).value_or(1), 1U) << "the worker";
    ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &before, nullptr), 0);
    wait_for(log(), " worker: writing to the log file that was opened again");
    EXPECT_EQ(holders_of(old).value_or(0), 0U);
    EXPECT_EQ(stop(), 0);
}
#endif

} // namespace
} // namespace chatserv::test
