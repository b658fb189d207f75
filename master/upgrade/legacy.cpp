#include "master/upgrade/legacy.h"

#include "master/ledger/holdings.h"
#include "master/upgrade/packed_options.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sysexits.h>

namespace chatserv {

namespace {

constexpr const char* mapping_it = "mapping the options in force";
constexpr uint64_t bytes_max = 16 * 1024 * 1024;

using nlohmann::json;

json packed(const std::vector<OptionChange>& changes) {
    json all = json::array();
    for (const OptionChange& change : changes)
        all.push_back({change.option, change.from, change.to});
    return all;
}

std::vector<OptionChange> unpacked_changes(const json& told) {
    std::vector<OptionChange> changes;
    for (const json& each : told)
        changes.push_back({.option = each.at(0).get<std::string>(),
            .from = each.at(1).get<std::string>(),
            .to = each.at(2).get<std::string>()});
    return changes;
}

SourceAddress source_of(const std::string& text) {
    const Place place{.text = "the options in force"};
    return SourceAddress::parse({place, text});
}

// CBOR: a path may be any bytes, and JSON holds Unicode alone.
std::string packed(const Legacy& legacy) {
    json told = packed(legacy.options);
    told["program"] = legacy.program;
    told["control"] = legacy.control;
    told["why_no_account"] = legacy.why_no_account;
    told["command_line"] = legacy.command_line;
    told["listeners"] = json::array();
    for (const ListenerNote& listener : legacy.listeners)
        told["listeners"].push_back({listener.number, listener.serves,
            static_cast<uint8_t>(listener.role), listener.is_handed_over,
            static_cast<uint8_t>(listener.handed_role), listener.proxied});
    told["sources"] = json::array();
    for (const NumberedSource& source : legacy.sources)
        told["sources"].push_back({source.number, source.address.text(), source.is_wanted});
    told["reload"] = {{"number", legacy.reload.number}, {"changed", packed(legacy.reload.changed)},
        {"kept", packed(legacy.reload.kept)}};
    std::string bytes;
    json::to_cbor(told, bytes);
    return bytes;
}

Legacy unpacked(const std::string& bytes) {
    const json told = json::from_cbor(bytes);
    Legacy legacy{.options = unpacked_options(told),
        .program = told.at("program").get<std::string>(),
        .control = told.at("control").get<std::string>(),
        .why_no_account = told.at("why_no_account").get<std::string>(),
        .command_line = told.at("command_line").get<std::vector<std::string>>()};
    for (const json& listener : told.at("listeners"))
        legacy.listeners.push_back({.number = listener.at(0).get<uint32_t>(),
            .serves = listener.at(1).get<std::string>(),
            .role = role_of(listener.at(2).get<uint8_t>()),
            .proxied = listener.at(5).get<bool>(),
            .is_handed_over = listener.at(3).get<bool>(),
            .handed_role = role_of(listener.at(4).get<uint8_t>())});
    for (const json& source : told.at("sources"))
        legacy.sources.push_back({.number = source.at(0).get<uint32_t>(),
            .address = source_of(source.at(1).get<std::string>()),
            .is_wanted = source.at(2).get<bool>()});
    const json& reload = told.at("reload");
    legacy.reload.number = reload.at("number").get<uint32_t>();
    legacy.reload.changed = unpacked_changes(reload.at("changed"));
    legacy.reload.kept = unpacked_changes(reload.at("kept"));
    return legacy;
}

} // namespace

// The length first: the memory is as long as whole pages are.
UniqueFd write_legacy(const Legacy& legacy) {
    const std::string bytes = packed(legacy);
    const uint64_t length = bytes.size();
    UniqueFd fd = make_segment_memory(sizeof length + length);
    const auto mapping = map_segment_memory(fd.get(), sizeof length + length, mapping_it);
    auto* const at = static_cast<char*>(mapping.get_address());
    std::memcpy(at, &length, sizeof length);
    std::ranges::copy(bytes, at + sizeof length);
    return fd;
}

Legacy read_legacy(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) == -1)
        throw_errno("the options in force");
    const auto size = static_cast<uint64_t>(info.st_size);
    uint64_t length = 0;
    if (size < sizeof length || size > bytes_max)
        throw Failure(EX_SOFTWARE, "the options in force are not chatserv's");
    const auto mapping = map_segment_memory(fd, size, mapping_it);
    const auto* const at = static_cast<const char*>(mapping.get_address());
    std::memcpy(&length, at, sizeof length);
    if (length > size - sizeof length)
        throw Failure(EX_SOFTWARE, "the options in force are damaged");
    try {
        return unpacked({at + sizeof length, at + sizeof length + length});
    } catch (const json::exception& failure) {
        throw Failure(
            EX_SOFTWARE, std::string("the options in force are not what this program expects: ") +
                             failure.what());
    }
}

int legacy_in_force(const Ledger& ledger) {
    return Holdings(ledger).find(Holding::legacy, load_acquire(ledger.standing().options_number));
}

} // namespace chatserv
