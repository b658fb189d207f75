// --log-file: the log goes to the file that it names.
#include "tests/integration/log_file_test.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(LogFileTest, ReceivesTheLogInsteadOfStandardError) {
    std::ofstream(log()) << "from before\n";
    start_with_file();
    (void)join_and_find_it_in(log());
    EXPECT_EQ(stop(), 0);
    EXPECT_EQ(text_of(log()).rfind("from before\n", 0), 0U) << "it is appended to";
    EXPECT_THAT(text_of(log()), HasSubstr("SIGTERM: stopping"));
    EXPECT_EQ(process_->errors().text(), "");
}

TEST_F(LogFileTest, IsReadableByItsOwnerAndGroupOnly) {
    const mode_t before = ::umask(0022);
    start_with_file();
    ::umask(before);
    EXPECT_EQ(fs::status(log()).permissions(), fs::perms(0640));
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogFileTest, MayBeAFifoWhoseReadersChange) {
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
        // No process reads while this client joins and leaves; the FIFO keeps the lines for the
        // next reader.
        Client client(loop_, endpoint_);
        client.half_close();
        client.wait_for_end();
    }
    for (int i = 0; i < 1000; ++i) { // more than the FIFO can keep
        Client client(loop_, endpoint_);
        client.half_close();
        client.wait_for_end();
    }
    EXPECT_EQ(stop(), 0);
}

TEST_F(LogFileTest, EndsTheServerAtTheStartWhenItCannotBeOpened) {
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {(folder_.path() / "none" / "log").string(), "No such file or directory"},
        {folder_.path().string(), "Is a directory"},
        {folder_.file("plain", "") + "/log", "Not a directory"}};
    for (const auto& [path, why] : wrong) {
        const Finished finished =
            run(loop_, {{chatserv_path(), "--listen", "127.0.0.1:0", "--log-file", path}});
        EXPECT_EQ(finished.status, EX_CANTCREAT) << path;
        EXPECT_EQ(finished.errors, "chatserv: --log-file \"" + path + "\" cannot be opened: " +
                                       why + "; choose a file that this user can write to\n");
    }
}

TEST_F(LogFileTest, IsRejectedWithoutAName) {
    const Finished finished = run(loop_, {{chatserv_path(), "--log-file", "", "--check-config"}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_THAT(finished.errors, HasSubstr("--log-file"));
}

TEST_F(LogFileTest, CanBeSetInTheEnvironment) {
    const Finished finished =
        run(loop_, {{chatserv_path(), "--check-config"}, {{"CHATSERV_LOG_FILE", "/var/log/chat"}}});
    EXPECT_EQ(finished.status, 0);
    EXPECT_THAT(finished.output, HasSubstr("log-file = \"/var/log/chat\"\n"));
    EXPECT_FALSE(fs::exists("/var/log/chat")) << "it is not opened for that";
}

// The terminal shows the error to the user who starts the server; the log keeps it for later.
TEST_F(LogFileTest, RecordsAFailedStartAsStandardErrorDoes) {
    start();
    launch({"--listen", server_->endpoint().text()});
    EXPECT_EQ(process_->wait_for_exit(), EX_UNAVAILABLE);
    const std::string why = "cannot listen on " + server_->endpoint().text();
    EXPECT_EQ(process_->errors().text().rfind("chatserv: " + why, 0), 0U)
        << process_->errors().text();
    EXPECT_THAT(text_of(log()), HasSubstr(" error master: " + why));
}

} // namespace
} // namespace chatserv::test
