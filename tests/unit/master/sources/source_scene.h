// What a source is in the midst of, for tests: a client book, the seats of the sources, and a
// program that takes the place of chatserv-source.
#pragma once

#include "master/clients/acceptor.h"
#include "master/sources/program/loopback_pair.h"
#include "master/sources/source_process.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <vector>

namespace chatserv {

class SourceScene : public testing::Test {
protected:
    enum class Watched : uint8_t { listener = 1, lingering = 2, source = 3, proxied = 4 };

    static SourceAddress source(const std::string& text) {
        const Place place{.text = "a test"};
        return SourceAddress::parse({place, text});
    }

    // The next processes run this script of sh(1). Its arguments are those of chatserv-source, so
    // descriptor $3 is its lifeline.
    void run(const std::string& script) {
        const std::string name = "source-" + std::to_string(++programs_);
        path_ = folder_.file(name, "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
        program_ = std::make_unique<ProgramFile>(UniqueFd(), path_);
    }

    // A script that ends when its lifeline says something or ends. A shell knows only descriptors
    // of one digit.
    static constexpr const char* until_a_word =
        "exec python3 -c 'import os, sys; os.read(int(sys.argv[1]), 1)' $3";

    // As a connection of the source of this number that was passed on.
    ClientId admit(uint8_t number) {
        FdPair pair = make_loopback_pair();
        peer_ = std::move(pair.second);
        const auto admitted = acceptor_.admit_source(
            {.socket = pair.first.release(), .role = Role::speak, .source = number}, *book_,
            [] { return entry_0; });
        EXPECT_TRUE(admitted);
        UserTable users(segment_.mapping);
        users.attach(admitted->client, 0);
        return admitted->client;
    }
    void let_leave(ClientId client) {
        book_->release_client(client, {.reason = LeaveReason::end_of_file});
    }

    // Waits until the process has exited. It is not reaped.
    static void wait_for_exit(pid_t pid) {
        siginfo_t info{};
        ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    }

    // As a master makes it that begins, or follows another one.
    [[nodiscard]] std::unique_ptr<ClientBook> make_book() {
        return std::make_unique<ClientBook>(ledger_, segment_.users, events_, clock_,
            ClientBook::Settings{.entries = 2,
                .keep_account = false,
                .rules = {},
                .limits = {},
                .lingering_tag = Watched::lingering,
                .lingering_timer = 3});
    }

    test::TemporaryDirectory folder_;
    SmallSegment segment_{4};
    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, std::chrono::milliseconds(100)};
    const Ledger ledger_{small_ledger(4)};
    std::unique_ptr<ClientBook> book_ = make_book();
    std::vector<Listener> listeners_{};
    const Acceptor acceptor_{events_, clock_, listeners_, Watched::listener, Watched::proxied, 0};
    Options options_{};
    UniqueFd peer_{}; // the other end of the client that was admitted last
    std::string path_{};
    int programs_ = 0;
    std::unique_ptr<ProgramFile> program_{};
};

} // namespace chatserv
