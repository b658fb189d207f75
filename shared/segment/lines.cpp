#include "shared/segment/lines.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace chatserv {

namespace {

constexpr std::string_view newline = "\n";
constexpr std::string_view return_and_newline = "\r\n";

} // namespace

bool are_possible(const FramingSettings& settings, uint64_t log_bytes) {
    if (settings.framing == Framing::none)
        return settings.line_bytes_max == 0 && settings.line_end == LineEnd::keep &&
               settings.prefix == Prefix::none;
    return settings.framing == Framing::line && settings.line_end <= LineEnd::lf &&
           settings.prefix <= Prefix::name && settings.line_bytes_max >= line_bytes_min &&
           settings.line_bytes_max <= line_bytes_max_for(log_bytes);
}

Lines::Line Lines::ended(std::span<const char> bytes, size_t newline_at) const {
    const bool has_return = newline_at > 0 && bytes[newline_at - 1] == '\r';
    const bool shows_return = has_return && settings_.line_end == LineEnd::keep;
    return {.bytes = newline_at + 1,
        .content_bytes = newline_at - (has_return ? 1 : 0),
        .end = shows_return ? return_and_newline : newline};
}

std::optional<Lines::Line> Lines::first(std::span<const char> bytes, bool is_all) const {
    const size_t limit = settings_.line_bytes_max;
    const size_t searched = std::min(bytes.size(), longest_bytes());
    if (searched == 0)
        return std::nullopt;
    if (const void* const found = std::memchr(bytes.data(), '\n', searched)) {
        const Line line =
            ended(bytes, static_cast<size_t>(static_cast<const char*>(found) - bytes.data()));
        if (line.content_bytes <= limit)
            return line;
    }
    const bool may_still_end = searched <= limit || (searched == limit + 1 && bytes[limit] == '\r');
    if (!may_still_end || (is_all && searched > limit))
        return Line{.bytes = limit, .content_bytes = limit, .end = newline, .cut = true};
    if (is_all)
        return Line{.bytes = searched, .content_bytes = searched, .end = newline};
    return std::nullopt;
}

Lines::Whole Lines::whole(
    std::span<const char> bytes, bool is_all, size_t prefix_bytes, Limits limits) const {
    Whole whole;
    while (const auto line = first(bytes.subspan(whole.bytes), is_all)) {
        const size_t log_bytes = prefix_bytes + line->content_bytes + line->end.size();
        if (whole.log_bytes + log_bytes > limits.log_bytes ||
            (whole.bytes > 0 && whole.bytes + line->bytes > limits.bytes))
            break;
        whole.bytes += line->bytes;
        whole.log_bytes += log_bytes;
        whole.cuts += line->cut ? 1 : 0;
    }
    return whole;
}

size_t Lines::log_bytes(std::span<const char> chunk, size_t prefix_bytes) const {
    constexpr size_t any = std::numeric_limits<size_t>::max();
    return whole(chunk, true, prefix_bytes, {.bytes = any, .log_bytes = any}).log_bytes;
}

} // namespace chatserv
