// The shared-memory segment as a mapping: made once by the master, attached by every worker.
//
// The segment has no name (shared/segment/segment_memory.h): workers inherit its descriptor. The
// kernel frees the memory when the last process that maps it has ended.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/line_records.h"
#include "shared/segment/room_records.h"
#include "shared/segment/segment_memory.h"
#include "shared/segment/settings_records.h"
#include "shared/system/fd.h"

#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <span>

namespace chatserv {

struct SegmentConfig {
    uint32_t users;
    uint32_t workers;
    uint32_t processes = workers; // at most, at the same time: workers and spares
    uint64_t log_bytes;
    uint64_t outbound_bytes = 0; // of the outbound log of a joined room; 0: no room is joined
    FramingSettings framing{};
    RelaySettings settings;
};

class Segment {
public:
    // Makes a segment for `config` and fills in its header. All of its memory is backed, so a lack
    // of memory is an error here and never a SIGBUS later. Throws MemoryRefused, std::system_error.
    static Segment create(const SegmentConfig& config);

    // Maps the segment behind `fd` and closes `fd`: a process that kept it could truncate the
    // segment under all processes that map it. Throws std::runtime_error if magic, layout version,
    // sizes or settings are not this program's, std::system_error if mapping fails.
    static Segment attach(UniqueFd fd);

    // The same, and keeps `fd`: for a process that goes on in place of the one that made it.
    static Segment take_over(UniqueFd fd);

    // Maps what comes before the log's rings, to read it, and closes `fd`: the conversation itself
    // is not mapped. A store through it, or a look at index(), ring(), parts() or a staging area,
    // ends the process. Throws as attach() does.
    static Segment attach_tables(UniqueFd fd);

    // The descriptor of a segment that create() made or take_over() kept, for workers to inherit;
    // -1 after attach().
    [[nodiscard]] int fd() const { return fd_.get(); }

    // The whole segment, as this process has mapped it.
    [[nodiscard]] std::span<const char> bytes() const {
        return {static_cast<const char*>(mapping_.get_address()), mapping_.get_size()};
    }

    // A private copy of the header: no later change to the segment can move the areas.
    [[nodiscard]] const SegmentHeader& header() const { return header_; }
    // A private copy of the settings that were in force when this object was made. For those of
    // now: relay_settings.h.
    [[nodiscard]] const RelaySettings& first_settings() const { return first_settings_; }
    [[nodiscard]] SettingsControl& settings() const;
    [[nodiscard]] std::span<WorkerEntry> worker_table() const;
    // All that can be rung and can hold a log's lock: the entries of the worker table and, where a
    // room is joined, behind them the bridge's.
    [[nodiscard]] std::span<WorkerEntry> all_entries() const;
    // Where a room is joined.
    [[nodiscard]] EntryId bridge_entry() const { return EntryId{header().workers}; }
    // Whether this server has joined a room of several hosts (room_records.h).
    [[nodiscard]] bool joined() const { return header().outbound_bytes != 0; }
    [[nodiscard]] std::span<Heartbeat> heartbeats() const;
    [[nodiscard]] UserTableControl& user_control() const;
    [[nodiscard]] std::span<UserSlot> user_table() const;
    // Empty unless clients are told apart by their names.
    [[nodiscard]] std::span<NameRecord> names() const;
    [[nodiscard]] LogControl& log_control() const;
    [[nodiscard]] std::span<IndexEntry> index() const;
    [[nodiscard]] std::span<char> ring() const;
    // The outbound log and the bridge's words. Where no room is joined, they are not there.
    [[nodiscard]] LogControl& outbound_control() const;
    [[nodiscard]] std::span<IndexEntry> outbound_index() const;
    [[nodiscard]] std::span<char> outbound_ring() const;
    [[nodiscard]] RoomControl& room() const;
    // Empty without whole lines: parts.h.
    [[nodiscard]] std::span<char> parts() const;
    [[nodiscard]] std::span<ChunkRecord> staging_chunks(EntryId entry) const;
    [[nodiscard]] std::span<char> staging_bytes(EntryId entry) const;

private:
    Segment(UniqueFd fd, uint64_t bytes, MappingAccess access = MappingAccess::read_write);

    template <typename T>
    [[nodiscard]] T* at(uint64_t offset) const {
        return reinterpret_cast<T*>(static_cast<char*>(mapping_.get_address()) + offset);
    }
    [[nodiscard]] uint64_t staging_area_offset(EntryId entry) const;

    UniqueFd fd_;
    boost::interprocess::mapped_region mapping_;
    SegmentHeader header_{};
    RelaySettings first_settings_{};
};

} // namespace chatserv
