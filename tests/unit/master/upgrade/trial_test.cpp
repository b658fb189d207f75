// The trial, from the side of the program that is tried: which servers it can go on with.
#include "config.h"
#include "master/ledger/holdings.h"
#include "master/upgrade/legacy.h"
#include "master/upgrade/trial.h"
#include "shared/ipc/program_build.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class TrialTest : public testing::Test {
protected:
    TrialTest() {
        std::ofstream(worker()) << "#!/bin/sh\n";
        fs::permissions(worker(), fs::perms::owner_all);
        const Holdings holdings(ledger_);
        holdings.note(Holding::segment, 0, ::dup(segment_.mapping.fd()));
        holdings.note(Holding::legacy, 0, legacy_.get());
    }

    fs::path worker() const { return folder_.path() / "chatserv-worker"; }

    // As a program of another version would have left it.
    static void overwrite(int fd, size_t offset, uint32_t word) {
        ASSERT_EQ(::pwrite(fd, &word, sizeof word, static_cast<off_t>(offset)),
            static_cast<ssize_t>(sizeof word));
    }

    // What the program answers; it is given its own copy of each descriptor.
    std::string stand(int expected_status) {
        FdPair pipe = make_pipe();
        EXPECT_EQ(stand_trial(::dup(ledger_.fd()), pipe.second.get(),
                      (folder_.path() / "chatserv").string()),
            expected_status);
        EXPECT_GT(::alarm(0), 0U) << "the program would stay if its master died";
        char bytes[1024];
        const ssize_t got = ::read(pipe.first.get(), bytes, sizeof bytes);
        return {bytes, got > 0 ? static_cast<size_t>(got) : 0};
    }

    const test::TemporaryDirectory folder_;
    const Ledger ledger_ = small_ledger();
    const SmallSegment segment_;
    const UniqueFd legacy_ =
        write_legacy({.options = {}, .program = {}, .control = {}, .why_no_account = {}});
};

TEST_F(TrialTest, IsPassedByAProgramOfTheSameLayouts) {
    EXPECT_THAT(stand(EX_OK), StartsWith("ok "));
}

TEST_F(TrialTest, NamesTheVersionsOfAnotherLedger) {
    overwrite(ledger_.fd(), offsetof(LedgerHeader, ledger_version), ledger_version + 1);
    EXPECT_EQ(
        stand(EX_UNAVAILABLE), "the ledger has version " + std::to_string(ledger_version + 1) +
                                   ", this program's is " + std::to_string(ledger_version) + "\n");
}

TEST_F(TrialTest, NamesTheVersionsOfAnotherSegment) {
    overwrite(segment_.mapping.fd(), offsetof(SegmentHeader, layout_version), layout_version + 1);
    EXPECT_THAT(
        stand(EX_UNAVAILABLE), StartsWith("the shared-memory segment has layout version " +
                                          std::to_string(layout_version + 1) +
                                          ", this program's is " + std::to_string(layout_version)));
}

TEST_F(TrialTest, IsFailedWhereSizesDiffer) {
    overwrite(ledger_.fd(), offsetof(LedgerHeader, users), 5);
    EXPECT_EQ(stand(EX_UNAVAILABLE), "the ledger's header is damaged\n");
}

TEST_F(TrialTest, IsFailedByAnOptionThatTheProgramDoesNotKnow) {
    const UniqueFd nonsense = make_pipe().first;
    Holdings(ledger_).note(Holding::legacy, 0, nonsense.get());
    EXPECT_THAT(stand(EX_UNAVAILABLE), HasSubstr("the options in force"));
}

#ifdef HAVE_BRIDGE
class JoinedTrialTest : public TrialTest {
protected:
    JoinedTrialTest() { Holdings(ledger_).note(Holding::legacy, 0, legacy_of_joined_.get()); }

    void install_bridge(const std::string& commands) const {
        const fs::path bridge = folder_.path() / "chatserv-bridge";
        std::ofstream(bridge) << "#!/bin/sh\n" << commands << "\n";
        fs::permissions(bridge, fs::perms::owner_all);
    }

    const UniqueFd legacy_of_joined_ =
        write_legacy({.options = {.join = {"nats://127.0.0.1:1"}, .room = "lobby"},
            .program = {},
            .control = {},
            .why_no_account = {}});
};

TEST_F(JoinedTrialTest, IsPassedWithABridgeOfTheSameBuild) {
    install_bridge("printf '" + std::to_string(own_build().layout) + " " + own_build().version +
                   "\\n' > /dev/fd/$2");
    EXPECT_THAT(stand(EX_OK), StartsWith("ok "));
}

TEST_F(JoinedTrialTest, IsFailedWithoutABridge) {
    EXPECT_THAT(stand(EX_UNAVAILABLE), StartsWith("there is no chatserv-bridge that can be run: "));
}

TEST_F(JoinedTrialTest, IsFailedWithABridgeOfAnotherBuild) {
    install_bridge("echo '0 0.0.9' > /dev/fd/$2");
    EXPECT_THAT(stand(EX_UNAVAILABLE), StartsWith("chatserv-bridge is 0.0.9 (layout 0), "));
}
#endif

} // namespace
} // namespace chatserv
