// The bridge's program is asked for its build before a server relies on it.
#include "master/bridge/bridge_build.h"

#include "shared/ipc/program_build.h"
#include "shared/system/failure.h"
#include "tests/harness/temporary_directory.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sysexits.h>

namespace chatserv {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class BridgeBuildTest : public testing::Test {
protected:
    // A program that runs these commands when it is asked. Returns what the check says; empty: the
    // program is of this build.
    std::string check(
        const std::string& commands, std::chrono::milliseconds patience = std::chrono::minutes(1)) {
        std::ofstream(program_) << "#!/bin/sh\n" << commands << "\n";
        std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
        try {
            check_bridge_build({UniqueFd(), program_}, patience);
            return "";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.exit_status(), EX_UNAVAILABLE);
            EXPECT_THAT(failure.what(), HasSubstr(program_));
            return failure.what();
        }
    }
    static std::string say(const ProgramBuild& build) {
        return "[ \"$1\" = say-build ] && printf '" + std::to_string(build.layout) + " " +
               build.version + "\\n' > /dev/fd/$2";
    }

    const test::TemporaryDirectory folder_;
    const std::string program_ = folder_.path().string() + "/chatserv-bridge";
};

TEST_F(BridgeBuildTest, AProgramOfThisBuildFits) {
    EXPECT_EQ(check(say(own_build())), "");
}

TEST_F(BridgeBuildTest, OneOfAnotherVersionOrLayoutDoesNot) {
    ProgramBuild other = own_build();
    other.version = "0.0.9";
    EXPECT_THAT(check(say(other)), HasSubstr("chatserv-bridge is 0.0.9 (layout "));
    other = own_build();
    ++other.layout;
    const auto layout = [](uint32_t number) { return "(layout " + std::to_string(number) + ")"; };
    EXPECT_THAT(
        check(say(other)), AllOf(HasSubstr(layout(other.layout)),
                               HasSubstr(layout(own_build().layout) + ": install that of")));
}

TEST_F(BridgeBuildTest, OneThatDoesNotSayItDoesNot) {
    EXPECT_THAT(check("exit 64"), HasSubstr("does not say its version (exit status 64): install"));
    EXPECT_THAT(check("kill -9 $$"), HasSubstr("(killed by signal 9 (Killed)): install"));
    EXPECT_THAT(check("echo hello > /dev/fd/$2"), HasSubstr("(exit status 0): install"));
    EXPECT_THAT(check("printf '%0300d\\n' 7 > /dev/fd/$2"), HasSubstr("(exit status 0): install"));
}

// The check waits for its end, so it would never return if it did not kill it.
TEST_F(BridgeBuildTest, OneThatHangsIsEnded) {
    EXPECT_THAT(check("exec sleep 1000", std::chrono::milliseconds(100)),
        HasSubstr("(no answer within 100 ms): install that of chatserv "));
}

TEST_F(BridgeBuildTest, OneThatCannotBeExecutedDoesNot) {
    try {
        check_bridge_build({UniqueFd(), folder_.path().string() + "/none"});
        ADD_FAILURE() << "it was run";
    } catch (const Failure& failure) {
        EXPECT_THAT(failure.what(), HasSubstr("(exit status 69): install that of chatserv "));
    }
}

} // namespace
} // namespace chatserv
