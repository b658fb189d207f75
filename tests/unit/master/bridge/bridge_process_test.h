// The fixture of tests of the bridge as masters see it. The test writes into the segment what a
// bridge would write there.
#pragma once

#include "master/bridge/bridge_process.h"
#include "master/bridge/bridge_settings.h"
#include "shared/segment/atomic_word.h"
#include "tests/unit/master/companions/companion_test.h"

#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace chatserv {

class BridgeProcessTest : public CompanionTest<BridgeProcess> {
protected:
    using CompanionTest::master;

    void use_program(const std::string& commands) override {
        resources_.program.emplace(script(commands));
    }
    BridgeProcess& master(uint32_t upgrade) override {
        return kept(std::make_unique<BridgeProcess>(BridgeProcess::Server{
            resources_, options_, segment_, ledger_, doorbells_, events_, clock_, upgrade}));
    }
    [[nodiscard]] SeatRecord& seat_record() const override { return ledger_.bridge().front(); }

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
};

} // namespace chatserv
