// `chatserv upgrade`: the server becomes the program that is installed, and no user notices; or it
// goes on as it was, and one line says why.
#include "tests/upgrade/upgrade_test.h"

#include "master/ledger/layout.h"
#include "shared/segment/layout.h"
#include "shared/system/fd.h"
#include "tests/harness/seed.h"
#include "tests/integration/handed_socket.h"

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <system_error>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

// A sender sends all the time, readers come before, and one newcomer during each upgrade. All get
// every byte once and in order.
TEST_F(UpgradeTest, NoUserNoticesThatTheServerIsUpgradedBackAndForth) {
    start_installed();
    const pid_t pid = server_->process().pid();
    const auto sender = join();
    const std::vector<std::unique_ptr<Client>> readers = join_many(4);
    const std::uint64_t times = number_from_environment("CHATSERV_TEST_UPGRADES", 20);
    for (std::uint64_t i = 0; i < times; ++i) {
        installation_.install(i % 2 == 0 ? other_version() : usual_version());
        Process command(loop_, upgrade_command());
        Client newcomer(loop_, server_->endpoint());
        stream_.go_on_during(loop_, command, *sender);
        EXPECT_EQ(command.wait_for_exit(), 0) << command.errors().text();
        server_->wait_for_join(newcomer.address());
        const std::string word = "upgrade " + std::to_string(i) + "\n";
        stream_.say(*sender, word);
        newcomer.wait_for(word);
        EXPECT_TRUE(stream_.said().ends_with(newcomer.received())) << "of upgrade " << i;
        if (i % 20 == 19)
            stream_.expect_all_read(readers);
    }
    stream_.expect_all_read(readers);
    EXPECT_EQ(server_->count("upgraded from "), times);
    EXPECT_EQ(stats()["pid"], pid);
    EXPECT_EQ(title_of(pid), "chatserv: keeper");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(UpgradeTest, LeavesNoDescriptorBehind) {
    start_installed();
    const auto first = join();
    const auto second = join();
    const pid_t keeper = server_->process().pid();
    // The master, two workers and a spare.
    ASSERT_TRUE(comes_true([&] { return descendants_of(keeper).size() == 4; }));
    const auto before = descriptors_of(keeper);
    if (!before)
        GTEST_SKIP() << "this system shows no descriptors";
    installation_.install(other_version());
    expect_upgrade(usual, other);
    for (int i = 0; i < 3; ++i)
        expect_upgrade(other, other);
    EXPECT_TRUE(comes_true([&] { return *descriptors_of(keeper) <= *before; }))
        << *descriptors_of(keeper) << " and not " << *before;
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeTest, ASignalIsEnough) {
    start_installed();
    const auto first = join();
    const auto second = join();
    installation_.install(other_version());
    server_->process().signal(SIGUSR2);
    server_->wait_for_line(upgraded_text);
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
}

// The file may be in the midst of an edit.
TEST_F(UpgradeTest, KeepsTheOptionsInForce) {
    const std::string config = folder_.file("config", "users = 7\nslow-policy = disconnect\n");
    start_installed({"--config", config});
    std::ofstream(config) << "users = ";
    installation_.install(other_version());
    expect_upgrade(usual, other);
    EXPECT_EQ(stats()["users_max"], 7);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeTest, KeepsTheFiguresOfTheServerAndItsUsers) {
    start_installed();
    const auto first = join();
    const auto second = join();
    first->send("hello\n");
    second->wait_for("hello\n");
    const auto figure = [&](const std::string& member) {
        return nlohmann::json::parse(run(loop_, {{usual_version(), "status", "--json", "--interval",
                                                    "0", "--control", socket()}})
                                         .output)
            .at(member);
    };
    ASSERT_TRUE(comes_true([&] { return figure("bytes_out") == 6; }));
    const auto started = figure("started_ms");
    installation_.install(other_version());
    expect_upgrade(usual, other);
    EXPECT_EQ(figure("version"), other);
    EXPECT_EQ(figure("started_ms"), started);
    EXPECT_EQ(figure("bytes_in"), 6);
    EXPECT_EQ(figure("bytes_out"), 6);
    EXPECT_EQ(figure("users"), 2);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeTest, KeepsItsLogFile) {
    const std::string log = folder_.path().string() + "/log";
    const auto text = [&] {
        std::ifstream file(log);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    Process process(loop_, {{installation_.chatserv(), "--listen", "127.0.0.1:0", "--control",
                               socket(), "--log-file", log}});
    ASSERT_TRUE(comes_true([&] { return text().find("listening on ") != std::string::npos; }));
    installation_.install(other_version());
    EXPECT_EQ(upgrade().status, 0);
    EXPECT_THAT(text(), HasSubstr(upgraded_text));
    std::filesystem::rename(log, log + ".1");
    process.signal(SIGHUP);
    ASSERT_TRUE(comes_true([&] { return text().find("opened") != std::string::npos; }));
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait_for_exit(), 0);
    EXPECT_THAT(text(), HasSubstr("SIGTERM: stopping"));
}

TEST_F(UpgradeTest, KeepsTheSocketsThatAServiceManagerHandedOver) {
    const UniqueFd handed = listening_socket();
    server_ = std::make_unique<Server>(loop_, ServerOptions{.listen = {},
                                                  .more = {"--control", socket(), "--workers", "2"},
                                                  .environment = {{"LISTEN_FDS", "1"}},
                                                  .binary = installation_.chatserv(),
                                                  .starter = with_own_pid,
                                                  .descriptors = {handed.get()}});
    const auto first = join();
    const auto second = join();
    installation_.install(other_version());
    expect_upgrade(usual, other);
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeTest, AServerWithoutSparesIsUpgradedToo) {
    start_installed({"--spares", "0"});
    const auto first = join();
    const auto second = join();
    installation_.install(other_version());
    expect_upgrade(usual, other);
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeTest, IsRefusedWhileAnotherIsUnderWay) {
    start_installed();
    ASSERT_EQ(::mkfifo(installation_.path("gate").c_str(), 0600), 0);
    installation_.install_script(
        "take-over-trial", "read word < '" + installation_.path("gate") + "'", other_version());
    Process first(loop_, upgrade_command());
    first.wait_for_output("upgrading from ");
    const Finished second = upgrade();
    EXPECT_EQ(second.status, 69);
    EXPECT_THAT(second.errors, HasSubstr("refuses: an upgrade is under way"));
    std::ofstream(installation_.path("gate")) << "go on\n";
    EXPECT_EQ(first.wait_for_exit(), 0) << first.errors().text();
    EXPECT_EQ(server_->stop(), 0);
}

// The server is another version's as far as its memory says so.
class OtherLayoutTest : public UpgradeTest {
protected:
    // Changes a word of the memory that begins with `magic`. False where the system shows no
    // descriptors of other processes.
    static bool set_word(pid_t pid, std::uint64_t magic, off_t offset, std::uint32_t word) {
        const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
        std::error_code none;
        for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
            if (!std::filesystem::is_regular_file(entry, none))
                continue;
            const UniqueFd memory(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
            std::uint64_t begin = 0;
            if (::pread(memory.get(), &begin, sizeof begin, 0) == sizeof begin && begin == magic)
                return ::pwrite(memory.get(), &word, sizeof word, offset) == sizeof word;
        }
        return false;
    }

    void expect_refusal(
        std::uint64_t magic, off_t offset, std::uint32_t version, const std::string& why) {
        start_installed();
        const auto first = join();
        const auto second = join();
        const pid_t master = server_->master_pid();
        if (!set_word(master, magic, offset, version + 1))
            GTEST_SKIP() << "this system does not show the server's memory";
        installation_.install(other_version());
        expect_failure(
            why + std::to_string(version + 1) + ", this program's is " + std::to_string(version));
        EXPECT_EQ(server_->master_pid(), master) << "nothing was ended";
        expect_service(*first, *second);
        ASSERT_TRUE(set_word(master, magic, offset, version));
        expect_upgrade(usual, other);
        EXPECT_EQ(server_->stop(), 0);
    }
};

TEST_F(OtherLayoutTest, OfTheLedgerIsRefused) {
    expect_refusal(ledger_magic, offsetof(LedgerHeader, ledger_version), ledger_version,
        "the ledger has version ");
}

TEST_F(OtherLayoutTest, OfTheSegmentIsRefused) {
    expect_refusal(segment_magic, offsetof(SegmentHeader, layout_version), layout_version,
        "the shared-memory segment has layout version ");
}

// What is wrong with the new program, and what the one line says of it.
struct Fault {
    const char* name;
    void (*make)(Installation&);
    const char* why;
};

class FaultyUpgradeTest : public UpgradeTest, public testing::WithParamInterface<Fault> {};

TEST_P(FaultyUpgradeTest, LeavesTheServerAsItWas) {
    start_installed();
    expect_that_it_changes_nothing(GetParam().make, GetParam().why);
}

const Fault faults[] = {
    {"NoProgram", [](Installation& there) { there.remove("chatserv"); },
        "chatserv: No such file or directory"},
    {"NotExecutable",
        [](Installation& there) {
            std::filesystem::permissions(there.chatserv(), std::filesystem::perms::none);
        },
        "chatserv: Permission denied"},
    {"NoProgramAtAll",
        [](Installation& there) {
            there.remove("chatserv");
            std::ofstream(there.chatserv()) << "half a pro";
            std::filesystem::permissions(there.chatserv(), std::filesystem::perms::owner_all);
        },
        "chatserv: Exec format error"},
    {"NoWorker", [](Installation& there) { there.remove("chatserv-worker"); },
        "there is no chatserv-worker that can be run"},
    {"OlderThanAnOption",
        [](Installation& there) {
            there.install_changed("slow-policy", "slow-pol1cy", other_version());
        },
        "unknown option \"slow-policy\""},
    {"ThatFails",
        [](Installation& there) {
            there.install_script("take-over-trial", "exit 3", other_version());
        },
        "could not be tried: exit status 3"},
    {"ThatDies",
        [](Installation& there) {
            there.install_script("take-over-trial", "kill -9 $$", other_version());
        },
        "could not be tried: killed by signal 9"},
    {"OfAnotherKind",
        [](Installation& there) {
            there.install_script("take-over-trial", "exit 0", other_version());
        },
        "could not be tried: exit status 0"},
};
INSTANTIATE_TEST_SUITE_P(Faults, FaultyUpgradeTest, testing::ValuesIn(faults),
    [](const testing::TestParamInfo<Fault>& fault) { return std::string(fault.param.name); });

} // namespace
} // namespace chatserv::test
