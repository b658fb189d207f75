// The configuration file through a pipe.
#include "tests/harness/process.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class ConfigFileTest : public testing::Test {
protected:
    Loop loop_;
    const TemporaryDirectory directory_;
};

TEST_F(ConfigFileTest, ReadsAFileFromAPipe) {
    for (const char* const script :
        {R"(printf 'users = 12\n' | "$0" --check-config --config /dev/stdin)",
            R"("$0" --check-config --config /dev/stdin <"$1")"}) {
        const std::string file = directory_.file("chatserv.conf", "users = 12\n");
        const Finished finished = run(loop_, {{"sh", "-c", script, chatserv_path(), file}});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_THAT(finished.output, HasSubstr("users = 12\n")) << script;
    }
}

// The server reports that it waits, and does not wait for a writer that has already ended.
TEST_F(ConfigFileTest, ReportsThatItWaitsForAFile) {
    Process server(loop_, {{chatserv_path(), "--check-config", "--config", "/dev/stdin"}});
    server.type("users = 12");
    loop_.wait_until(
        [&] {
            return server.exited() || server.errors().text() ==
                                          "chatserv: still waiting for the other end of --config "
                                          "\"/dev/stdin\", for at most 30 s\n";
        },
        "the line that says so");
    server.type("3\n");
    server.end_input();
    EXPECT_EQ(server.wait_for_exit(), 0) << server.errors().text();
    EXPECT_THAT(server.output().text(), HasSubstr("users = 123\n"));
}

} // namespace
} // namespace chatserv::test
