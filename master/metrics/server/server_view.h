// The running server, as the metrics process sees it: the segment's tables and the ledger, mapped
// to be read alone. Nothing is asked of any process, so none can be held up, and what a reader of
// this process breaks stays in it. The bytes that users send are not mapped.
#pragma once

#include "master/clients/counters.h"
#include "master/ledger/ledger.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/room_standing.h"
#include "shared/segment/segment.h"
#include "shared/system/fd.h"

#include <optional>
#include <span>

namespace chatserv {

class ServerView {
public:
    // Both descriptors are closed. Throws std::runtime_error for memory that is not this version's,
    // std::system_error if it cannot be mapped.
    ServerView(UniqueFd segment, UniqueFd ledger) :
        segment_(Segment::attach_tables(std::move(segment))),
        ledger_(Ledger::attach(std::move(ledger), MappingAccess::read_only)), counters_(ledger_) {
        ledger_.close_descriptor();
    }

    [[nodiscard]] const SegmentHeader& header() const { return segment_.header(); }
    [[nodiscard]] std::span<const Heartbeat> heartbeats() const { return segment_.heartbeats(); }
    [[nodiscard]] const UserTableControl& user_control() const { return segment_.user_control(); }
    [[nodiscard]] std::span<const UserSlot> users() const { return segment_.user_table(); }
    [[nodiscard]] const LogControl& log() const { return segment_.log_control(); }
    // None where no room of several hosts is joined.
    [[nodiscard]] std::optional<RoomStanding> room() const {
        if (!segment_.joined())
            return std::nullopt;
        RoomStanding standing = standing_of(segment_.room(), segment_.outbound_control());
        const SeatRecord& bridge = ledger_.bridge().front();
        if (static_cast<SeatState>(load_acquire(bridge.state)) == SeatState::empty)
            standing.link = LinkState::connecting; // what the last bridge has reported
        return standing;
    }

    [[nodiscard]] const KeeperWords& keeper() const { return ledger_.keeper(); }
    [[nodiscard]] const StandingWords& standing() const { return ledger_.standing(); }
    [[nodiscard]] const UpgradeWords& upgrade() const { return ledger_.upgrade(); }
    [[nodiscard]] const RedoRecord& redo() const { return ledger_.redo(); }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] const uint64_t& departed_out() const {
        return ledger_.counters()[departed_out_counter];
    }
    [[nodiscard]] std::span<const EntryRecord> entries() const { return ledger_.entries(); }
    [[nodiscard]] std::span<const SeatRecord> seats() const { return ledger_.seats(); }
    [[nodiscard]] std::span<const SourceRecord> sources() const { return ledger_.places(); }
    [[nodiscard]] const SeatRecord& metrics() const { return ledger_.metrics().front(); }

    [[nodiscard]] std::span<const char> mapped() const { return segment_.bytes(); }

private:
    Segment segment_;
    Ledger ledger_;
    Counters counters_;
};

} // namespace chatserv
