// What must be so when nobody has anything to do any more: no client is lost or in two hands, no
// byte is lost, repeated or reordered, and all books agree.
#pragma once

#include "master/ledger/ledger.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"
#include "tests/model/setting.h"
#include "tests/model/simulator.h"

#include <cstdint>
#include <string>

namespace chatserv::model {

class Judgement {
public:
    // Segment and ledger show the memory.
    Judgement(const Setting& setting, const Segment& segment, const Ledger& ledger,
        const State& state, uint64_t index_begin) :
        setting_(setting),
        segment_(segment), ledger_(ledger), state_(state), users_(segment),
        index_begin_(index_begin) {}

    // What is wrong; empty: nothing.
    [[nodiscard]] std::string pass() const;

private:
    [[nodiscard]] std::string on_log(const std::string& text) const;
    [[nodiscard]] std::string on_index(const std::string& text) const;
    [[nodiscard]] std::string on_listener(const std::string& text) const;
    [[nodiscard]] std::string on_entries() const;
    [[nodiscard]] std::string on_move() const;
    [[nodiscard]] std::string on_connection(uint32_t number) const;
    [[nodiscard]] std::string on_client(uint32_t number, uint32_t place) const;
    [[nodiscard]] std::string on_ledger() const;

    const Setting& setting_;
    const Segment& segment_;
    const Ledger& ledger_;
    const State& state_;
    UserTable users_;
    uint64_t index_begin_; // the number of the index entry that comes first
};

// Of the ledger's counters (master/clients/counters.cpp): clients that came, and that ended.
inline constexpr uint32_t counter_accepted = 0;
inline constexpr uint32_t counter_left = 24;

// Of all messages.
[[nodiscard]] uint64_t bytes_in_all(const Setting& setting);

} // namespace chatserv::model
