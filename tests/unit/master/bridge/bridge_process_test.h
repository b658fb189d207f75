// The fixture of tests of the bridge as masters see it. A script stands in for the program, and the
// test writes what it would write into the segment.
#pragma once

#include "master/bridge/bridge_process.h"
#include "master/bridge/bridge_settings.h"
#include "shared/segment/atomic_word.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {

using namespace std::chrono_literals;

class BridgeProcessTest : public testing::Test {
protected:
    static constexpr const char* lives_on = "exec sleep 1000";

    void use_program(const std::string& commands) {
        const std::filesystem::path program = folder_.path() / "program";
        std::ofstream(program) << "#!/bin/sh\n" << commands << "\n";
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        resources_.program.emplace(UniqueFd(), program.string());
    }

    // A master of that program. None is ever deleted: what one has open its successor inherits.
    BridgeProcess& master(uint32_t upgrade = 0) {
        static auto* const all = new std::vector<BridgeProcess*>;
        all->push_back(new BridgeProcess(
            {resources_, options_, segment_, ledger_, doorbells_, events_, clock_, upgrade}));
        return *all->back();
    }

    // Turns of a master's loop.
    void turn_until(
        BridgeProcess& bridge, const std::function<bool()>& condition, bool wanted = true) {
        while (!condition()) {
            (void)clock_.now();
            bridge.look(wanted);
            clock_.about_to_sleep(10ms);
            for (const EventQueue::Event& event : events_.wait(10ms))
                if (is_exit(event))
                    (void)bridge.handle_exit(pid_of(event));
        }
    }
    void turn_until_gone(BridgeProcess& bridge, bool wanted = true) {
        turn_until(
            bridge, [&] { return bridge.pid() == 0; }, wanted);
    }
    // Another one than `former`, which has stored its pid: a seat without one is given up.
    pid_t turn_until_there(BridgeProcess& bridge, pid_t former = 0) {
        turn_until(bridge, [&] { return bridge.pid() != 0 && bridge.pid() != former; });
        while (load_acquire(ledger_.bridge().front().pid) != bridge.pid())
            ::usleep(1000);
        return bridge.pid();
    }
    [[nodiscard]] SeatState seat() const {
        return static_cast<SeatState>(ledger_.bridge().front().state);
    }
    [[nodiscard]] uint64_t deaths() const { return Counters(ledger_).bridge_deaths(); }
    // As a bridge that died in the midst of an append leaves it.
    void take_lock() const {
        store_release(segment_.log_control().lock, index_of(segment_.bridge_entry()) + 1);
        store_release(segment_.all_entries().back().asleep, wake_on_growth);
    }
    [[nodiscard]] bool is_repaired() const {
        return load_acquire(segment_.log_control().lock) == 0 &&
               load_acquire(segment_.all_entries().back().asleep) == 0;
    }

    const test::TemporaryDirectory folder_;
    const Options options_{.hang_limit = 400ms,
        .join = {"nats://u:p@h"},
        .room = "lobby",
        .worker_uid = ::geteuid(),
        .worker_gid = ::getegid()};
    BridgeResources resources_{};
    const Segment segment_ = Segment::create({.users = 4,
        .workers = 2,
        .log_bytes = 1024 * 1024,
        .outbound_bytes = 1024 * 1024,
        .settings = {.stall_limit_ms = 1000}});
    const std::vector<FdPair> doorbells_ = make_pipes(3);
    const Ledger ledger_ = small_ledger();
    EventQueue events_;
    ServedRecord served_{};
    ServedClock clock_{served_, 100ms};
};

} // namespace chatserv
