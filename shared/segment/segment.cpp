#include "shared/segment/segment.h"

#include "shared/segment/bridged_chunk.h"
#include "shared/segment/lines.h"
#include "shared/segment/log_writer.h"
#include "shared/segment/relay_settings.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

namespace chatserv {

namespace {

constexpr uint64_t page_bytes = 4096;

constexpr uint64_t rounded_up(uint64_t value, uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

uint64_t staging_area_bytes(const SegmentHeader& header) {
    return rounded_up(batch_chunks_max * sizeof(ChunkRecord) + header.staging_bytes, page_bytes);
}

uint64_t name_records(const FramingSettings& framing, uint32_t users) {
    return framing.prefix == Prefix::name ? users : 0;
}

// Without lines, all of it is zero: no header with one wrong bit is that of another framing.
FramingSettings framing_of(const SegmentConfig& config) {
    return config.framing.framing == Framing::none ? FramingSettings{.line_bytes_max = 0}
                                                   : config.framing;
}

// An append takes at most a quarter of either ring, so an append that waits for room gets it long
// before every client has caught up.
uint64_t index_entries(uint64_t log_bytes) {
    return std::max<uint64_t>(4 * batch_chunks_max, log_bytes / 64);
}

// Places the areas one after the other, each on a page of its own.
SegmentHeader arrange(const SegmentConfig& config) {
    SegmentHeader header{};
    header.magic = segment_magic;
    header.layout_version = layout_version;
    header.users = config.users;
    header.workers = config.workers;
    header.processes = config.processes;
    header.log_bytes = config.log_bytes;
    header.index_entries = index_entries(config.log_bytes);
    header.staging_bytes = std::min<uint64_t>(config.log_bytes / 4, 256 * 1024);
    header.framing = framing_of(config);
    const bool joined = config.outbound_bytes != 0;
    header.outbound_bytes = config.outbound_bytes;
    header.outbound_entries = joined ? index_entries(config.outbound_bytes) : 0;

    uint64_t end = rounded_up(sizeof(SegmentHeader), page_bytes);
    const auto place = [&end](uint64_t bytes) {
        const uint64_t offset = end;
        end += rounded_up(bytes, page_bytes);
        return offset;
    };
    header.settings_offset = place(sizeof(SettingsControl));
    header.worker_table_offset = place((config.workers + (joined ? 1 : 0)) * sizeof(WorkerEntry));
    header.heartbeats_offset = place(config.processes * sizeof(Heartbeat));
    header.user_control_offset = place(sizeof(UserTableControl));
    header.user_table_offset = place(config.users * sizeof(UserSlot));
    header.names_offset = place(name_records(config.framing, config.users) * sizeof(NameRecord));
    header.log_control_offset = place(sizeof(LogControl));
    header.outbound_control_offset = place(joined ? sizeof(LogControl) : 0);
    header.room_offset = place(joined ? sizeof(RoomControl) : 0);
    header.index_offset = place(header.index_entries * sizeof(IndexEntry));
    header.ring_offset = place(header.log_bytes);
    header.outbound_index_offset = place(header.outbound_entries * sizeof(IndexEntry));
    header.outbound_ring_offset = place(header.outbound_bytes);
    header.parts_offset = place(config.users * part_stride(header.framing));
    header.staging_offset = place(config.workers * staging_area_bytes(header));
    header.segment_bytes = end;
    return header;
}

// A batch of a staging area must fit into it as into the broadcast log.
bool is_possible_outbound(const SegmentHeader& header) {
    return header.outbound_bytes == 0 ||
           (header.outbound_bytes == header.log_bytes && header.log_bytes >= joined_log_bytes_min);
}

// Accepts a header only if this program would have written the same one.
void validate(const SegmentHeader& header, uint64_t bytes) {
    if (header.magic != segment_magic)
        throw std::runtime_error("the shared-memory segment is not chatserv's");
    if (header.layout_version != layout_version)
        throw std::runtime_error("the shared-memory segment has layout version " +
                                 std::to_string(header.layout_version) + ", this program's is " +
                                 std::to_string(layout_version) +
                                 ": chatserv and chatserv-worker must be of one build");
    const bool bounded =
        header.users >= 1 && header.users <= users_max && header.workers >= 1 &&
        header.workers <= workers_max && header.processes >= 1 &&
        header.processes <= workers_max + spares_max && header.log_bytes >= log_bytes_min &&
        header.log_bytes <= log_bytes_max && is_possible_outbound(header) &&
        are_possible(header.framing, header.log_bytes) && header.segment_bytes <= bytes;
    const SegmentHeader expected = bounded ? arrange({.users = header.users,
                                                 .workers = header.workers,
                                                 .processes = header.processes,
                                                 .log_bytes = header.log_bytes,
                                                 .outbound_bytes = header.outbound_bytes,
                                                 .framing = header.framing,
                                                 .settings = {.stall_limit_ms = 0}})
                                           : SegmentHeader{};
    if (std::memcmp(&header, &expected, sizeof header) != 0)
        throw std::runtime_error("the shared-memory segment's header is damaged");
}

// Throws std::runtime_error if it cannot hold a header.
uint64_t bytes_of_memory(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) == -1)
        throw_errno("the shared-memory segment");
    const auto bytes = static_cast<uint64_t>(info.st_size);
    if (bytes < sizeof(SegmentHeader))
        throw std::runtime_error("the shared-memory segment is too small to be chatserv's");
    return bytes;
}

uint64_t random_word() {
    std::random_device random;
    uint64_t word = 0;
    while (word == 0)
        word = static_cast<uint64_t>(random()) << 32 | random();
    return word;
}

// Zeros would be the intent of worker 1 to append nothing, with which the log's head agrees: if the
// first append were repaired, that worker's batch would count as not published.
void begin_log(LogControl& control) {
    control.life = random_word();
    control.intent_head = intent_none;
}

RelaySettings settings_of(const Segment& segment) {
    const auto settings = settings_in_force(segment.settings());
    if (!settings)
        throw std::runtime_error("the shared-memory segment's settings are damaged");
    return *settings;
}

} // namespace

Segment::Segment(UniqueFd fd, uint64_t bytes, MappingAccess access) :
    fd_(std::move(fd)),
    mapping_(map_segment_memory(fd_.get(), bytes, "mapping the shared-memory segment", access)) {}

Segment Segment::create(const SegmentConfig& config) {
    const SegmentHeader header = arrange(config);
    Segment segment(make_segment_memory(header.segment_bytes), header.segment_bytes);
    segment.header_ = header;
    *segment.at<SegmentHeader>(0) = header;
    put_in_force(segment.settings(), config.settings);
    segment.first_settings_ = config.settings;
    for (WorkerEntry& entry : segment.worker_table())
        entry.batch = 1; // batch 0 counts as published
    begin_log(segment.log_control());
    if (segment.joined())
        begin_log(segment.outbound_control());
    return segment;
}

Segment Segment::attach(UniqueFd fd) {
    Segment segment = take_over(std::move(fd));
    segment.fd_.reset();
    return segment;
}

Segment Segment::take_over(UniqueFd fd) {
    const uint64_t bytes = bytes_of_memory(fd.get());
    Segment segment(std::move(fd), bytes);
    segment.header_ = *segment.at<SegmentHeader>(0);
    validate(segment.header_, bytes);
    segment.first_settings_ = settings_of(segment);
    return segment;
}

Segment Segment::attach_tables(UniqueFd fd) {
    const uint64_t bytes = bytes_of_memory(fd.get());
    Segment first(std::move(fd), sizeof(SegmentHeader), MappingAccess::read_only);
    const SegmentHeader header = *first.at<SegmentHeader>(0);
    validate(header, bytes);
    Segment tables(std::move(first.fd_), header.index_offset, MappingAccess::read_only);
    tables.header_ = header;
    tables.first_settings_ = settings_of(tables);
    tables.fd_.reset();
    return tables;
}

SettingsControl& Segment::settings() const {
    return *at<SettingsControl>(header().settings_offset);
}

std::span<WorkerEntry> Segment::worker_table() const {
    return {at<WorkerEntry>(header().worker_table_offset), header().workers};
}

std::span<WorkerEntry> Segment::all_entries() const {
    return {at<WorkerEntry>(header().worker_table_offset), header().workers + (joined() ? 1U : 0U)};
}

std::span<Heartbeat> Segment::heartbeats() const {
    return {at<Heartbeat>(header().heartbeats_offset), header().processes};
}

UserTableControl& Segment::user_control() const {
    return *at<UserTableControl>(header().user_control_offset);
}

std::span<UserSlot> Segment::user_table() const {
    return {at<UserSlot>(header().user_table_offset), header().users};
}

std::span<NameRecord> Segment::names() const {
    return {at<NameRecord>(header().names_offset),
        static_cast<size_t>(name_records(header().framing, header().users))};
}

LogControl& Segment::log_control() const {
    return *at<LogControl>(header().log_control_offset);
}

std::span<IndexEntry> Segment::index() const {
    return {at<IndexEntry>(header().index_offset), header().index_entries};
}

std::span<char> Segment::ring() const {
    return {at<char>(header().ring_offset), header().log_bytes};
}

LogControl& Segment::outbound_control() const {
    return *at<LogControl>(header().outbound_control_offset);
}

std::span<IndexEntry> Segment::outbound_index() const {
    return {at<IndexEntry>(header().outbound_index_offset), header().outbound_entries};
}

std::span<char> Segment::outbound_ring() const {
    return {at<char>(header().outbound_ring_offset), header().outbound_bytes};
}

RoomControl& Segment::room() const {
    return *at<RoomControl>(header().room_offset);
}

std::span<char> Segment::parts() const {
    return {at<char>(header().parts_offset),
        static_cast<size_t>(header().users * part_stride(header().framing))};
}

uint64_t Segment::staging_area_offset(EntryId entry) const {
    return header().staging_offset + index_of(entry) * staging_area_bytes(header());
}

std::span<ChunkRecord> Segment::staging_chunks(EntryId entry) const {
    return {at<ChunkRecord>(staging_area_offset(entry)), batch_chunks_max};
}

std::span<char> Segment::staging_bytes(EntryId entry) const {
    return {at<char>(staging_area_offset(entry) + batch_chunks_max * sizeof(ChunkRecord)),
        header().staging_bytes};
}

} // namespace chatserv
