// Masters that are processes, share this one's descriptor table, and are killed at any instruction
// while connections come and go as fast as they can. No connection is lost.
#include "tests/harness/seed.h"
#include "tests/unit/deaths/mortal_master.h"

#include "shared/system/open_descriptors.h"
#include "shared/system/shared_table.h"

#include <csignal>
#include <gtest/gtest.h>
#include <poll.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

constexpr uint32_t slots = 3;
constexpr int at_once = 5; // more than there are slots, so some are refused
constexpr Departure end_of_file{LeaveReason::end_of_file};

// What the clients' process tells: in memory that both map.
struct Report {
    uint64_t admitted;
    uint64_t refused;
    uint64_t wrong; // connections that got something else
};

// Takes newcomers in, and releases each client that has sent its end of file. For ever.
[[noreturn]] void serve(MortalMaster& master) {
    master.succeed();
    for (;;) {
        std::vector<pollfd> watched{{.fd = master.listener().fd(), .events = POLLIN, .revents = 0},
            {.fd = master.events().fd(), .events = POLLIN, .revents = 0}};
        std::vector<ClientId> members = master.members();
        for (const ClientId client : members)
            watched.push_back({.fd = master.book().escrow().find(client)->socket(),
                .events = POLLIN,
                .revents = 0});
        (void)::poll(watched.data(), watched.size(), -1);
        if (watched[0].revents != 0)
            master.accept();
        if (watched[1].revents != 0)
            master.hear_lingering();
        for (size_t i = 0; i < members.size(); ++i)
            if (watched[i + 2].revents != 0)
                master.book().release_client(members[i], end_of_file);
    }
}

// Connects `at_once` times, sends an end of file on each connection, and reads what comes.
void visit(const Address& address, Report& report) {
    std::vector<UniqueFd> sockets;
    for (int i = 0; i < at_once; ++i) {
        sockets.emplace_back(::socket(address.family(), SOCK_STREAM, 0));
        if (::connect(sockets.back().get(), address.data(), address.size()) == -1)
            ++report.wrong;
    }
    for (const UniqueFd& socket : sockets) {
        ::shutdown(socket.get(), SHUT_WR);
        std::string heard;
        char piece[64];
        ssize_t got = 0;
        while ((got = ::read(socket.get(), piece, sizeof piece)) > 0)
            heard.append(piece, static_cast<size_t>(got));
        if (got == 0 && heard.empty())
            ++report.admitted;
        else if (got == 0 && heard == "too many users!\n")
            ++report.refused;
        else
            ++report.wrong;
    }
}

// In a process that shares nothing: its sockets are no business of the masters'.
pid_t start_clients(const Address& address, uint64_t visits, Report& report) {
    const pid_t pid = ::fork();
    if (pid != 0)
        return pid;
    close_descriptors_from(STDERR_FILENO + 1);
    for (uint64_t i = 0; i < visits; ++i)
        visit(address, report);
    ::_exit(0);
}

bool has_ended(pid_t pid) {
    return ::waitpid(pid, nullptr, WNOHANG) == pid;
}

TEST(KilledMaster, LosesNoConnection) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system shares no descriptor tables";
    const uint64_t visits = number_from_environment("CHATSERV_TEST_DEATH_VISITS", 1500);
    void* const memory =
        ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    Report& report = *new (memory) Report{};
    std::mt19937_64 random(base_seed());
    uint64_t kills = 0;
    MortalMaster master(slots, 0, MortalMaster::Table::of_masters_alone);
    const pid_t clients = start_clients(master.listener().address(), visits, report);
    while (!has_ended(clients)) {
        const pid_t pid = start_sharing_descriptors();
        if (pid == 0)
            serve(master);
        ASSERT_NE(pid, -1);
        ::usleep(static_cast<useconds_t>(random() % 3000)); // so that the kills are anywhere
        ::kill(pid, SIGKILL);
        ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
        ++kills;
    }
    master.succeed();
    while (!master.members().empty())
        master.book().release_client(master.members().front(), end_of_file);
    master.check();
    EXPECT_EQ(report.wrong, 0U);
    EXPECT_EQ(report.admitted + report.refused, visits * at_once);
    EXPECT_EQ(master.counted("accepted"), report.admitted);
    EXPECT_EQ(master.turned_away(), report.refused);
    EXPECT_GT(kills, 20U);
    RecordProperty("kills", static_cast<int>(kills));
    ::munmap(memory, sizeof(Report));
}

} // namespace
} // namespace chatserv::test
