#include "master/config/option_table.h"

#include "master/config/option_values.h"
#include "shared/ipc/unix_socket.h"
#include "shared/segment/layout.h"
#include "shared/system/logging.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <limits>
#include <optional>
#include <utility>

namespace chatserv {

namespace {

using std::chrono::milliseconds;

constexpr uint64_t min_drain_bytes_max = 1024 * 1024 * 1024;
constexpr double limit_seconds_min = 0.1;
constexpr double limit_seconds_max = 3600;
constexpr double idle_seconds_max = idle_timeout_ms_max / 1000.0;

OptionKind count(uint32_t Options::*member, uint32_t min, uint32_t max) {
    const std::string allowed = fmt::format("a number from {} to {}", min, max);
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto number = count_of(setting.text);
            if (!number || *number < min || *number > max)
                reject_value(setting, allowed);
            options.*member = static_cast<uint32_t>(*number);
        },
        [=](const Options& options) { return std::to_string(options.*member); }};
}

template <typename Number>
OptionKind bytes(Number Options::*member, uint64_t min, uint64_t max, const char* unit) {
    const std::string allowed =
        fmt::format("a number of {} from {} to {}, with or without K, M or G", unit,
            text_of_bytes(min), text_of_bytes(max));
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto number = bytes_of(setting.text);
            if (!number || *number < min || *number > max)
                reject_value(setting, allowed);
            options.*member = static_cast<Number>(*number);
        },
        [=](const Options& options) { return text_of_bytes(options.*member); }};
}

// With `none`, 0 is allowed too and means that there is no limit.
OptionKind seconds(milliseconds Options::*member, double max_seconds, bool none) {
    const std::string allowed = fmt::format("{}a number of seconds from {} to {}, without a unit",
        none ? "0, or " : "", limit_seconds_min, max_seconds);
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto number = seconds_of(setting.text);
            const bool is_none = none && number == 0;
            if (!number || (!is_none && *number < limit_seconds_min) || *number > max_seconds)
                reject_value(setting, allowed);
            options.*member = milliseconds_of(*number);
        },
        [=](const Options& options) { return text_of_seconds(options.*member); }};
}

template <typename Value>
using Words = std::vector<std::pair<std::string, Value>>;

// One of several words. The words in `others` are accepted too, but not mentioned.
template <typename Value>
OptionKind word(Value Options::*member, Words<Value> words, Words<Value> others = {}) {
    std::string allowed;
    for (const auto& [text, value] : words) {
        const bool last = text == words.back().first;
        allowed += (allowed.empty() ? "" : last ? " or " : ", ") + text;
    }
    return {allowed,
        [=](Options& options, const Setting& setting) {
            for (const Words<Value>& each : {words, others})
                for (const auto& [text, value] : each)
                    if (text == in_lower_case(setting.text)) {
                        options.*member = value;
                        return;
                    }
            reject_value(setting, allowed);
        },
        [=](const Options& options) {
            for (const auto& [text, value] : words)
                if (options.*member == value)
                    return text;
            return std::string();
        }};
}

// Any printable text that is not empty.
OptionKind text(std::string Options::*member, const std::string& allowed,
    size_t bytes_max = std::numeric_limits<size_t>::max()) {
    return {allowed,
        [=](Options& options, const Setting& setting) {
            if (setting.text.empty() || setting.text.size() > bytes_max)
                reject_value(setting, allowed);
            if (!is_printable(setting.text))
                reject_value(setting, allowed + ", in UTF-8 and without control characters");
            options.*member = setting.text;
        },
        [=](const Options& options) {
            const std::string& value = options.*member;
            return value.empty() ? value : in_quotes(value);
        }};
}

template <typename Item>
std::string printed_list(const std::vector<Item>& items) {
    std::vector<std::string> quoted;
    quoted.reserve(items.size());
    for (const Item& item : items)
        quoted.push_back(in_quotes(item.text()));
    return quoted.empty() ? "" : "[" + list_of(quoted) + "]";
}

OptionKind networks(std::vector<Network> Options::*member) {
    const std::string allowed =
        "an address, or a network without bits set beyond its prefix, for example 192.0.2.7, "
        "10.0.0.0/8 or 2001:db8::/32";
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto network = Network::parse(setting.text);
            if (!network)
                reject_value(setting, allowed);
            (options.*member).push_back(*network);
        },
        [=](const Options& options) { return printed_list(options.*member); },
        [=](Options& options) { (options.*member).clear(); }};
}

OptionKind addresses(std::vector<ListenAddress> Options::*member) {
    return {allowed_listen,
        [=](Options& options, const Setting& setting) {
            (options.*member).push_back(ListenAddress::parse(setting));
        },
        [=](const Options& options) { return printed_list(options.*member); },
        [=](Options& options) { (options.*member).clear(); }};
}

// The user is looked up only after all options are known (worker_user.h). user_place is kept so
// that an error line can still name the place.
OptionKind user() {
    OptionKind kind = text(&Options::user, "the name or number of a user on this system");
    kind.parse = [parse = kind.parse](Options& options, const Setting& setting) {
        parse(options, setting);
        options.user_place = setting.place;
    };
    return kind;
}

Words<std::string> log_level_words() {
    Words<std::string> words;
    for (const std::string_view level : log_levels)
        words.emplace_back(level, level);
    return words;
}

std::vector<OptionRow> make_table() {
    return {
        {"listen", "ADDRESS", "Address to listen on", addresses(&Options::listen),
            "9999: 127.0.0.1:9999 and [::1]:9999"},
        {"users", "N", "Maximum number of users at the same time",
            count(&Options::users, 1, users_max)},
        {"workers", "N", "Worker processes; by default one per core, but at least 2",
            count(&Options::workers, 1, workers_max)},
        {"spares", "N", "Spare workers, ready to replace a worker that dies",
            count(&Options::spares, 0, spares_max)},
        {"placement", "POLICY",
            "load: as few workers serve the users as can; even: each worker serves as many as the "
            "others",
            word<PlacementPolicy>(&Options::placement,
                {{"load", PlacementPolicy::load}, {"even", PlacementPolicy::even}})},
        {"log-size", "BYTES", "How far the slowest reader may fall behind",
            bytes(&Options::log_bytes, log_bytes_min, log_bytes_max, "bytes")},
        {"stall-limit", "SECONDS",
            "How long a slow reader may hold up the other users before it is disconnected",
            seconds(&Options::stall_limit, limit_seconds_max, false)},
        {"min-drain", "BYTES", "... unless it reads at least this much per second meanwhile",
            bytes(&Options::min_drain_bytes, 1, min_drain_bytes_max, "bytes per second")},
        {"slow-policy", "POLICY",
            "wait: as above; disconnect: disconnect a reader at once when it is a whole log behind",
            word<SlowPolicy>(&Options::slow_policy,
                {{"wait", SlowPolicy::wait}, {"disconnect", SlowPolicy::disconnect}})},
        {"hang-limit", "SECONDS", "Replace a worker that does not respond for this long",
            seconds(&Options::hang_limit, limit_seconds_max, false)},
        {"control", "PATH", "Control socket, used by `chatserv chaos`, `drain` and `stats`",
            text(&Options::control,
                fmt::format("a path of at most {} bytes, or none", socket_path_bytes_max),
                socket_path_bytes_max),
            "chatserv-PID.sock in /run, $XDG_RUNTIME_DIR, $TMPDIR or /tmp"},
        {"log-level", "LEVEL", "Lowest severity that is logged",
            word<std::string>(
                &Options::log_level, log_level_words(), {{"warn", "warning"}, {"err", "error"}})},
        {"log-format", "FORMAT", "Write log lines for people or for programs",
            word<LogFormat>(
                &Options::log_format, {{"text", LogFormat::text}, {"json", LogFormat::json}})},
        {"log-file", "PATH", "Append the log to this file, and reopen the file on SIGHUP",
            text(&Options::log_file, "the path of a file"), "standard error"},
        {"max-per-address", "N",
            "Maximum number of users from one IPv4 address or IPv6 /64; 0 means no limit",
            count(&Options::max_per_address, 0, users_max)},
        {"allow", "CIDR", "Admit users only from this network", networks(&Options::allow),
            "every network"},
        {"deny", "CIDR", "Admit no users from this network, even if it is allowed",
            networks(&Options::deny), "no network"},
        {"keepalive", "SECONDS",
            "Disconnect a user whose machine does not respond for about this long; 0 means never",
            count(&Options::keepalive_seconds, 0, keepalive_seconds_max)},
        {"max-rate", "BYTES", "Read at most this much per second from each user; 0 means no limit",
            bytes(&Options::max_rate_bytes, 0, max_rate_bytes_max, "bytes per second")},
        {"idle-timeout", "SECONDS",
            "Disconnect a user that sends nothing for this long; 0 means never",
            seconds(&Options::idle_timeout, idle_seconds_max, true)},
        {"user", "NAME", "Run the workers as this user; only root can choose another user", user(),
            "nobody, if started as root"},
    };
}

} // namespace

std::string OptionRow::variable() const {
    std::string variable = "CHATSERV_";
    for (const char letter : name)
        variable += letter == '-'
                        ? '_'
                        : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    return variable;
}

const std::vector<OptionRow>& option_table() {
    static const std::vector<OptionRow> table = make_table();
    return table;
}

const OptionRow* find_option(std::string_view name) {
    for (const OptionRow& row : option_table())
        if (row.name == name)
            return &row;
    return nullptr;
}

} // namespace chatserv
