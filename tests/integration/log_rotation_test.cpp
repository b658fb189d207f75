// SIGHUP makes every process close a log file that was rotated away and use the new one.
#include "config.h"
#include "tests/harness/sanitizer.h"
#include "tests/integration/log_file_test.h"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LogRotationTest : public LogFileTest {
protected:
    // The worker that started last, by the log.
    static pid_t started_worker(const fs::path& path) {
        std::istringstream lines(text_of(path));
        pid_t worker = 0;
        for (std::string line; std::getline(lines, line);)
            if (const auto started = parse_worker_started(line))
                worker = started->pid;
        return worker;
    }
};

#ifdef HAVE_METRICS
TEST_F(LogRotationTest, TheMetricsProcessIsReplacedByOneThatHasTheNewFile) {
    start_with_file({"--metrics", "127.0.0.1:0"});
    wait_for(log(), "metrics at http://");
    const fs::path old = log().string() + ".1";
    fs::rename(log(), old);
    process_->signal(SIGHUP);
    wait_for(log(), "metrics at http://");
    if (holders_of(old))
        wait_until([&] { return holders_of(old) == 0U; }, "all processes to close the old log");
    EXPECT_EQ(count_in(text_of(log()), "metrics process"), 0U) << "it has not died by itself";
    EXPECT_EQ(stop(), 0);
}
#endif

TEST_F(LogRotationTest, LosesNoLineWhileClientsJoin) {
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
        wait_for(log(), " master: the log file ");
        wait_for(log(), " worker: writing to the log file that was opened again", 3);
        if (holders_of(old)) {
            wait_until([&] { return holders_of(old) == 0U; }, "all processes to close the old log");
            // The process that reads the options again has it for the moment before it runs its
            // program.
            wait_until([&] { return holders_of(log()) == 5U; },
                "keeper, master, two workers and a spare alone to have the new log");
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
        EXPECT_EQ(text_of(old), kept) << "nothing is written to a closed file";
        stays->send(std::to_string(rotation) + ";");
        later->wait_for(std::to_string(rotation) + ";");
    }
    EXPECT_EQ(stop(), 0);
}

// A worker without a free descriptor gets the new file once it has one.
TEST_F(LogRotationTest, ReachesWorkersThatStartLater) {
    start_with_file({"--log-level", "debug", "--workers", "1", "--spares", "1"});
    const auto client = join_and_find_it_in(log());
    const fs::path old = log().string() + ".1";
    fs::rename(log(), old);
    process_->signal(SIGHUP);
    wait_for(log(), " worker: writing to the log file that was opened again", 2);
    const pid_t worker = started_worker(old);
    ASSERT_GT(worker, 0);
    ::kill(worker, SIGKILL);
    wait_for(log(), " taken over by pid ");
    wait_for(log(), "spare worker ready");
    if (holders_of(old)) {
        EXPECT_EQ(holders_of(old), 0U);
        EXPECT_EQ(holders_of(log()), 4U) << "keeper, master, worker and spare";
    }
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogRotationTest, KeepsTheOpenFileWhenTheNewOneCannotBeOpened) {
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
    wait_for(log(), " master: the log file ");
    EXPECT_EQ(stop(), 0);
}

#ifdef HAVE_PRLIMIT
// A worker that has no descriptor left for the new file gets it when there is one.
TEST_F(LogRotationTest, IsRepeatedForAWorkerWithoutDescriptors) {
    if (address_sanitized)
        GTEST_SKIP() << "the sanitizer's runtime needs descriptors of its own";
    std::vector<std::string> options{"--log-level", "debug", "--workers", "1", "--spares", "0"};
    if (::geteuid() == 0) // root's workers would run as another user, with limits of its own
        options.insert(options.end(), {"--user", "root"});
    start_with_file(options);
    const pid_t worker = started_worker(log());
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
