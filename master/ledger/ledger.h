// The ledger as a mapping: made once by the keeper, inherited by every master, never given to a
// worker. layout.h says what lies where.
//
// Like the segment, it has a descriptor and no name. A program that replaces this one by exec(2)
// attaches it by that descriptor.
#pragma once

#include "master/ledger/layout.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/fd.h"

#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <span>

namespace chatserv {

struct LedgerConfig {
    uint32_t users;
    uint32_t workers;
    uint32_t processes = workers; // at most, at the same time: workers and spares
};

class Ledger {
public:
    // Makes an empty ledger, all of whose memory is backed. Throws MemoryRefused,
    // std::system_error.
    [[nodiscard]] static Ledger create(const LedgerConfig& config);

    // Maps the ledger behind `fd`, and keeps `fd`. Throws std::runtime_error if magic, version or
    // sizes are not this program's, std::system_error if mapping fails. A store through a mapping
    // that is read-only ends the process.
    [[nodiscard]] static Ledger attach(
        UniqueFd fd, MappingAccess access = MappingAccess::read_write);

    [[nodiscard]] int fd() const { return fd_.get(); }
    // The mapping stays.
    void close_descriptor() { fd_.reset(); }

    // A private copy of the header.
    [[nodiscard]] const LedgerHeader& header() const { return header_; }
    [[nodiscard]] KeeperWords& keeper() const;
    [[nodiscard]] StandingWords& standing() const;
    [[nodiscard]] UpgradeWords& upgrade() const;
    [[nodiscard]] std::span<uint64_t> counters() const;
    [[nodiscard]] RedoRecord& redo() const;
    [[nodiscard]] std::span<NewcomerRecord> newcomers() const;
    [[nodiscard]] std::span<LingeringRecord> lingering() const;
    [[nodiscard]] std::span<HoldingRecord> holdings() const;
    [[nodiscard]] std::span<EntryRecord> entries() const;
    [[nodiscard]] std::span<SeatRecord> seats() const;
    [[nodiscard]] std::span<SeatRecord> metrics() const;  // one, of the metrics process
    [[nodiscard]] std::span<SeatRecord> bridge() const;   // one
    [[nodiscard]] std::span<SeatRecord> sources() const;  // by number, from 1
    [[nodiscard]] std::span<SourceRecord> places() const; // likewise
    [[nodiscard]] std::span<ClientRecord> clients() const;

private:
    Ledger(UniqueFd fd, uint64_t bytes, MappingAccess access);

    template <typename T>
    [[nodiscard]] T* at(uint64_t offset) const {
        return reinterpret_cast<T*>(static_cast<char*>(mapping_.get_address()) + offset);
    }

    UniqueFd fd_;
    boost::interprocess::mapped_region mapping_;
    LedgerHeader header_{};
};

} // namespace chatserv
