// What must be so in a joined room when nobody has anything to do any more: the broadcast log is
// what the order makes of the stream, each message is in it once, and each client was sent all that
// the others have said, and nothing of its own.
#pragma once

#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"
#include "tests/model/joined/setting.h"
#include "tests/model/simulator.h"

#include <cstdint>
#include <string>

namespace chatserv::model {

class JoinedJudgement {
public:
    // The segment shows the memory.
    JoinedJudgement(const JoinedSetting& setting, const Segment& segment, const State& state) :
        setting_(setting), segment_(segment), state_(state), users_(segment) {}

    // What is wrong; empty: nothing.
    [[nodiscard]] std::string pass() const;

private:
    [[nodiscard]] std::string on_log(const std::string& text) const;
    [[nodiscard]] std::string on_order(const std::string& text) const;
    [[nodiscard]] std::string on_index(const std::string& text) const;
    [[nodiscard]] std::string on_client(uint32_t number, const std::string& text) const;
    [[nodiscard]] std::string on_end(
        uint32_t number, const std::string& received, const std::string& text) const;
    [[nodiscard]] std::string on_outbound() const;
    [[nodiscard]] std::string on_entries() const;

    const JoinedSetting& setting_;
    const Segment& segment_;
    const State& state_;
    UserTable users_;
};

} // namespace chatserv::model
