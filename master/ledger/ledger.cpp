#include "master/ledger/ledger.h"

#include "shared/segment/segment_memory.h"
#include "shared/system/errors.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

namespace chatserv {

namespace {

constexpr const char* mapping_it = "mapping the ledger";

constexpr uint64_t rounded_up(uint64_t value, uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Places the areas one after the other, each on a cache line of its own.
LedgerHeader arrange(const LedgerConfig& config) {
    LedgerHeader header{};
    header.magic = ledger_magic;
    header.ledger_version = ledger_version;
    header.users = config.users;
    header.workers = config.workers;
    header.processes = config.processes;

    uint64_t end = rounded_up(sizeof(LedgerHeader), cache_line_bytes);
    const auto place = [&end](uint64_t bytes) {
        const uint64_t offset = end;
        end += rounded_up(bytes, cache_line_bytes);
        return offset;
    };
    header.keeper_offset = place(sizeof(KeeperWords));
    header.standing_offset = place(sizeof(StandingWords));
    header.upgrade_offset = place(sizeof(UpgradeWords));
    header.counters_offset = place(counters_max * sizeof(uint64_t));
    header.redo_offset = place(sizeof(RedoRecord));
    header.newcomers_offset = place(newcomers_max * sizeof(NewcomerRecord));
    header.lingering_offset = place(lingering_places * sizeof(LingeringRecord));
    header.holdings_offset = place(holdings_max * sizeof(HoldingRecord));
    header.entries_offset = place(config.workers * sizeof(EntryRecord));
    header.seats_offset = place(config.processes * sizeof(SeatRecord));
    header.metrics_offset = place(sizeof(SeatRecord));
    header.bridge_offset = place(sizeof(SeatRecord));
    header.sources_offset = place(source_numbers_max * sizeof(SeatRecord));
    header.places_offset = place(source_numbers_max * sizeof(SourceRecord));
    header.clients_offset = place(config.users * sizeof(ClientRecord));
    header.ledger_bytes = end;
    return header;
}

// Accepts a header only if this program would have written the same one.
void validate(const LedgerHeader& header, uint64_t bytes) {
    if (header.magic != ledger_magic)
        throw std::runtime_error("the ledger is not chatserv's");
    if (header.ledger_version != ledger_version)
        throw std::runtime_error("the ledger has version " + std::to_string(header.ledger_version) +
                                 ", this program's is " + std::to_string(ledger_version));
    const bool bounded = header.users >= 1 && header.users <= users_max && header.workers >= 1 &&
                         header.workers <= workers_max && header.processes >= 1 &&
                         header.processes <= workers_max + spares_max &&
                         header.ledger_bytes <= bytes;
    const LedgerHeader expected =
        bounded
            ? arrange(
                  {.users = header.users, .workers = header.workers, .processes = header.processes})
            : LedgerHeader{};
    if (std::memcmp(&header, &expected, sizeof header) != 0)
        throw std::runtime_error("the ledger's header is damaged");
}

} // namespace

Ledger::Ledger(UniqueFd fd, uint64_t bytes, MappingAccess access) :
    fd_(std::move(fd)), mapping_(map_segment_memory(fd_.get(), bytes, mapping_it, access)) {}

Ledger Ledger::create(const LedgerConfig& config) {
    const LedgerHeader header = arrange(config);
    Ledger ledger(
        make_segment_memory(header.ledger_bytes), header.ledger_bytes, MappingAccess::read_write);
    ledger.header_ = header;
    *ledger.at<LedgerHeader>(0) = header;
    return ledger;
}

Ledger Ledger::attach(UniqueFd fd, MappingAccess access) {
    struct stat info {};
    if (::fstat(fd.get(), &info) == -1)
        throw_errno("the ledger");
    const auto bytes = static_cast<uint64_t>(info.st_size);
    if (bytes < sizeof(LedgerHeader))
        throw std::runtime_error("the ledger is too small to be chatserv's");
    Ledger ledger(std::move(fd), bytes, access);
    ledger.header_ = *ledger.at<LedgerHeader>(0);
    validate(ledger.header_, bytes);
    return ledger;
}

KeeperWords& Ledger::keeper() const {
    return *at<KeeperWords>(header().keeper_offset);
}

StandingWords& Ledger::standing() const {
    return *at<StandingWords>(header().standing_offset);
}

UpgradeWords& Ledger::upgrade() const {
    return *at<UpgradeWords>(header().upgrade_offset);
}

std::span<uint64_t> Ledger::counters() const {
    return {at<uint64_t>(header().counters_offset), counters_max};
}

RedoRecord& Ledger::redo() const {
    return *at<RedoRecord>(header().redo_offset);
}

std::span<NewcomerRecord> Ledger::newcomers() const {
    return {at<NewcomerRecord>(header().newcomers_offset), newcomers_max};
}

std::span<LingeringRecord> Ledger::lingering() const {
    return {at<LingeringRecord>(header().lingering_offset), lingering_places};
}

std::span<HoldingRecord> Ledger::holdings() const {
    return {at<HoldingRecord>(header().holdings_offset), holdings_max};
}

std::span<EntryRecord> Ledger::entries() const {
    return {at<EntryRecord>(header().entries_offset), header().workers};
}

std::span<SeatRecord> Ledger::seats() const {
    return {at<SeatRecord>(header().seats_offset), header().processes};
}

std::span<SeatRecord> Ledger::metrics() const {
    return {at<SeatRecord>(header().metrics_offset), 1};
}

std::span<SeatRecord> Ledger::bridge() const {
    return {at<SeatRecord>(header().bridge_offset), 1};
}

std::span<SeatRecord> Ledger::sources() const {
    return {at<SeatRecord>(header().sources_offset), source_numbers_max};
}

std::span<SourceRecord> Ledger::places() const {
    return {at<SourceRecord>(header().places_offset), source_numbers_max};
}

std::span<ClientRecord> Ledger::clients() const {
    return {at<ClientRecord>(header().clients_offset), header().users};
}

} // namespace chatserv
