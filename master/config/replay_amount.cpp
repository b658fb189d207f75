#include "master/config/replay_amount.h"

#include "master/config/option_values.h"
#include "shared/segment/layout.h"

namespace chatserv {

std::optional<ReplayAmount> ReplayAmount::parse(std::string_view text) {
    ReplayAmount amount;
    if (const auto lines = count_of(text))
        amount.lines = *lines;
    else if (const auto bytes = bytes_of(text))
        amount.bytes = *bytes;
    else
        return std::nullopt;
    if (amount.lines > replay_lines_max || amount.bytes > log_bytes_max)
        return std::nullopt;
    return amount;
}

std::string ReplayAmount::text() const {
    return bytes > 0 ? text_of_bytes(bytes) : std::to_string(lines);
}

} // namespace chatserv
