#include "master/config/reload_plan.h"

#include "master/config/option_table.h"
#include "master/config/room_options.h"

#include <string_view>
#include <utility>

namespace chatserv {

namespace {

constexpr size_t shown_bytes_max = 400;

// No value of --listen is another thing than its default: a socket unit says where to listen.
std::string name_of_none(const OptionRow& row) {
    return row.name == "listen" ? "the sockets of the service manager" : row.by_default;
}

// A value is printable UTF-8, which is cut between two characters.
std::string shown(const OptionRow& row, const std::string& value) {
    std::string text = value.empty() ? name_of_none(row) : value;
    if (row.name == "join")
        text = without_passwords(std::move(text));
    if (text.size() <= shown_bytes_max)
        return text;
    size_t end = shown_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return text.substr(0, end) + "...";
}

bool has_room(const OptionRow& row, const Options& wanted, const TableRoom& room) {
    if (row.name == "users")
        return wanted.users <= room.users;
    if (row.name == "workers")
        return wanted.workers <= room.workers;
    return row.name != "spares" || wanted.spares <= room.spares;
}

} // namespace

ReloadPlan plan_reload(const Options& in_force, const Options& wanted, const TableRoom& room) {
    ReloadPlan plan{.options = in_force};
    for (const OptionRow& row : option_table()) {
        const std::string from = row.kind.print(in_force);
        const std::string to = row.kind.print(wanted);
        if (from == to)
            continue;
        const bool taken = row.on_reload != OnReload::keeps && has_room(row, wanted, room);
        if (taken)
            row.kind.copy(plan.options, wanted);
        (taken ? plan.changed : plan.kept)
            .push_back({.option = row.name, .from = shown(row, from), .to = shown(row, to)});
    }
    return plan;
}

} // namespace chatserv
