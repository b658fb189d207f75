#include "master/commands/users_table.h"

#include "master/commands/figures.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <fmt/core.h>
#include <string_view>

namespace chatserv {

namespace {

constexpr const char* columns =
    "{:>6}  {:<{}}  {}{:<6}  {}{:<20}  {:>11}  {:>11}  {:>11}  {:>13}  {:>13}";

// A column that there may be, with the space behind it.
std::string optional_column(std::string_view text, size_t width) {
    return width == 0 ? std::string() : fmt::format("{:<{}}  ", text, width);
}

} // namespace

UserWidths widths_for(const std::vector<UserReading>& users) {
    const auto widen = [](size_t& width, std::string_view heading,
                           const std::optional<std::string>& text) {
        if (text)
            width = std::max({width, heading.size(), text->size()});
    };
    UserWidths widths{.address = std::string_view("address").size(), .name = 0, .source = 0};
    for (const UserReading& user : users) {
        widths.address = std::max(widths.address, user.address.size());
        widen(widths.name, "name", user.name);
        widen(widths.source, "source", user.source);
    }
    return widths;
}

std::string users_heading(const UserWidths& widths) {
    return fmt::format(fmt::runtime(columns), "slot", "address", widths.address,
        optional_column("name", widths.name), "role", optional_column("source", widths.source),
        "since", "in", "out", "backlog", "in now", "out now");
}

std::string user_row(const UserReading& user, const UserWidths& widths) {
    return fmt::format(fmt::runtime(columns), user.slot, as_one_line(user.address), widths.address,
        optional_column(as_one_line(user.name.value_or("")), widths.name), as_one_line(user.role),
        optional_column(as_one_line(user.source.value_or("")), widths.source),
        time_text(user.since_ms), bytes_text(static_cast<double>(user.bytes_in)),
        bytes_text(static_cast<double>(user.bytes_out)),
        bytes_text(static_cast<double>(user.backlog)), rate_text(user.in_rate),
        rate_text(user.out_rate));
}

} // namespace chatserv
