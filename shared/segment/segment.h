// The shared-memory segment as a mapping: made once by the master, attached by every worker.
//
// The segment has no name (shared/segment/segment_memory.h): workers get it as an inherited
// descriptor. When the last process that maps it is gone, so is the memory.
#pragma once

#include "shared/segment/layout.h"
#include "shared/system/fd.h"

#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <span>

namespace chatserv {

struct SegmentConfig {
    uint32_t users;
    uint32_t workers;
    uint32_t processes = workers; // that can exist at once: workers and spares
    uint64_t log_bytes;
    RelaySettings settings;
};

class Segment {
public:
    // Makes a segment for `config` and fills in its header. All of its memory is backed, so that
    // lack of it is an error here and never a SIGBUS later. Throws MemoryRefused,
    // std::system_error.
    static Segment create(const SegmentConfig& config);

    // Maps the segment behind `fd`, and closes that: with it the segment could be cut off under all
    // who map it. Throws std::runtime_error where magic, layout version or sizes are not this
    // program's, std::system_error where mapping fails.
    static Segment attach(UniqueFd fd);

    // Of the segment that create() made, for others to attach to; -1 where it was attached.
    [[nodiscard]] int fd() const { return fd_.get(); }

    // All of it, as this process has mapped it.
    [[nodiscard]] std::span<const char> bytes() const {
        return {static_cast<const char*>(mapping_.get_address()), mapping_.get_size()};
    }

    // A private copy: what another process may do to the segment later cannot move the areas.
    [[nodiscard]] const SegmentHeader& header() const { return header_; }
    [[nodiscard]] std::span<WorkerEntry> worker_table() const;
    [[nodiscard]] std::span<Heartbeat> heartbeats() const;
    [[nodiscard]] UserTableControl& user_control() const;
    [[nodiscard]] std::span<UserSlot> user_table() const;
    [[nodiscard]] LogControl& log_control() const;
    [[nodiscard]] std::span<IndexEntry> index() const;
    [[nodiscard]] std::span<char> ring() const;
    [[nodiscard]] std::span<ChunkRecord> staging_chunks(uint32_t entry) const;
    [[nodiscard]] std::span<char> staging_bytes(uint32_t entry) const;

private:
    Segment(UniqueFd fd, uint64_t bytes);

    template <typename T>
    [[nodiscard]] T* at(uint64_t offset) const {
        return reinterpret_cast<T*>(static_cast<char*>(mapping_.get_address()) + offset);
    }
    [[nodiscard]] uint64_t staging_area_offset(uint32_t entry) const;

    UniqueFd fd_;
    boost::interprocess::mapped_region mapping_;
    SegmentHeader header_{};
};

} // namespace chatserv
