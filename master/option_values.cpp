#include "master/option_values.h"

#include "master/failure.h"
#include "shared/unix_socket.h"

#include <charconv>
#include <cstdlib>
#include <fmt/core.h>
#include <optional>
#include <set>
#include <string_view>
#include <sysexits.h>

namespace chatserv {

namespace {

constexpr double limit_seconds_min = 0.1;
constexpr double limit_seconds_max = 3600;

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

// Not every library has std::from_chars for fractions yet; digits alone keep strtod(3) to them.
std::optional<double> seconds_of(const std::string& text) {
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    if (text.find_first_not_of("0123456789.") != std::string::npos || end == text.c_str() ||
        *end != '\0')
        return std::nullopt;
    return seconds;
}

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

} // namespace

void refuse(const std::string& option, const std::string& value, const std::string& allowed) {
    throw Failure(EX_USAGE, fmt::format("{} \"{}\": must be {}", option, value, allowed));
}

uint32_t count_of(const char* option, const std::string& text, uint32_t min, uint32_t max) {
    const auto number = number_of<uint32_t>(text);
    if (!number || *number < min || *number > max)
        refuse(option, text, fmt::format("a number from {} to {}", min, max));
    return *number;
}

uint64_t bytes_of(
    const char* option, const std::string& text, uint64_t min, uint64_t max, const char* allowed) {
    std::string digits = text;
    uint64_t unit = 1;
    if (const size_t suffix = std::string_view("KMG").find(text.empty() ? ' ' : text.back());
        suffix != std::string_view::npos) {
        unit = 1ULL << (10 * (suffix + 1));
        digits.pop_back();
    }
    const auto number = number_of<uint64_t>(digits);
    if (!number || *number > max / unit || *number * unit < min)
        refuse(option, text, fmt::format("{}, as a number with or without K, M or G", allowed));
    return *number * unit;
}

std::chrono::milliseconds limit_of(const char* option, const std::string& text) {
    const auto seconds = seconds_of(text);
    if (!seconds || *seconds < limit_seconds_min || *seconds > limit_seconds_max)
        refuse(option, text,
            fmt::format("seconds from {} to {}", limit_seconds_min, limit_seconds_max));
    return milliseconds_of(*seconds);
}

std::chrono::milliseconds timeout_of(
    const char* option, const std::string& text, std::chrono::milliseconds max) {
    const double max_seconds = std::chrono::duration<double>(max).count();
    const auto seconds = seconds_of(text);
    if (!seconds || (*seconds != 0 && *seconds < limit_seconds_min) || *seconds > max_seconds)
        refuse(option, text,
            fmt::format("0, or seconds from {} to {}", limit_seconds_min, max_seconds));
    return milliseconds_of(*seconds);
}

std::string control_path_of(const std::string& text) {
    if (text.size() > socket_path_bytes_max)
        refuse("--control", text,
            fmt::format("a path of at most {} bytes, or none", socket_path_bytes_max));
    return text;
}

std::vector<Address> addresses_of(const std::vector<std::string>& texts) {
    std::vector<Address> addresses;
    std::set<std::string> seen;
    for (const std::string& text : texts) {
        const auto address = Address::parse(text);
        if (!address)
            refuse("--listen", text,
                "ADDR:PORT, for example 127.0.0.1:9999, 0.0.0.0:9999 or "
                "[::1]:9999 (port 0: any free one)");
        if (address->port() != 0 && !seen.insert(address->text()).second)
            refuse("--listen", text, "given once only");
        addresses.push_back(*address);
    }
    return addresses;
}

std::vector<Network> networks_of(const char* option, const std::vector<std::string>& texts) {
    std::vector<Network> networks;
    for (const std::string& text : texts) {
        const auto network = Network::parse(text);
        if (!network)
            refuse(option, text,
                "an address or a network without bits beyond its prefix, for example 192.0.2.7, "
                "10.0.0.0/8 or 2001:db8::/32");
        networks.push_back(*network);
    }
    return networks;
}

} // namespace chatserv
