#include "master/config/option_table.h"

#include "master/clients/keepalive.h"
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
                refuse(setting, allowed);
            options.*member = static_cast<uint32_t>(*number);
        },
        [=](const Options& options) { return std::to_string(options.*member); }};
}

template <typename Number>
OptionKind bytes(Number Options::*member, uint64_t min, uint64_t max, const char* unit) {
    const std::string allowed = fmt::format("{} from {} to {}, with or without K, M or G", unit,
        text_of_bytes(min), text_of_bytes(max));
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto number = bytes_of(setting.text);
            if (!number || *number < min || *number > max)
                refuse(setting, allowed);
            options.*member = static_cast<Number>(*number);
        },
        [=](const Options& options) { return text_of_bytes(options.*member); }};
}

// With `none`, 0 is allowed as well, and means that there is no limit.
OptionKind seconds(milliseconds Options::*member, double max_seconds, bool none) {
    const std::string allowed = fmt::format("{}seconds from {} to {}, without a unit",
        none ? "0, or " : "", limit_seconds_min, max_seconds);
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto number = seconds_of(setting.text);
            const bool is_none = none && number == 0;
            if (!number || (!is_none && *number < limit_seconds_min) || *number > max_seconds)
                refuse(setting, allowed);
            options.*member = milliseconds_of(*number);
        },
        [=](const Options& options) { return text_of_seconds(options.*member); }};
}

template <typename Value>
using Words = std::vector<std::pair<std::string, Value>>;

// One of several words. `others` are taken as well, but not mentioned.
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
                    if (text == in_small_letters(setting.text)) {
                        options.*member = value;
                        return;
                    }
            refuse(setting, allowed);
        },
        [=](const Options& options) {
            for (const auto& [text, value] : words)
                if (options.*member == value)
                    return text;
            return std::string();
        }};
}

// Any text that fits on a line, and is not empty.
OptionKind text(std::string Options::*member, const std::string& allowed,
    size_t bytes_max = std::numeric_limits<size_t>::max()) {
    return {allowed,
        [=](Options& options, const Setting& setting) {
            if (setting.text.empty() || setting.text.size() > bytes_max)
                refuse(setting, allowed);
            if (!is_printable(setting.text))
                refuse(setting, allowed + ", in UTF-8 and without control characters");
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
    for (const Item& item : items)
        quoted.push_back(in_quotes(item.text()));
    return quoted.empty() ? "" : "[" + list_of(quoted) + "]";
}

OptionKind networks(std::vector<Network> Options::*member) {
    const std::string allowed =
        "an address, or a network without bits beyond its prefix, for example 192.0.2.7, "
        "10.0.0.0/8 or 2001:db8::/32";
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto network = Network::parse(setting.text);
            if (!network)
                refuse(setting, allowed);
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

// --user is looked up only after all options are known (worker_user.h); a refusal then still names
// the place.
OptionKind user() {
    OptionKind kind = text(&Options::user, "the name or the number of a user of this system");
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
        {"listen", "ADDRESS", "Where to listen", addresses(&Options::listen),
            "9999: 127.0.0.1:9999 and [::1]:9999"},
        {"users", "N", "How many users there can be at once", count(&Options::users, 1, users_max)},
        {"workers", "N", "Worker processes; by default one per core, and at least 2",
            count(&Options::workers, 1, workers_max)},
        {"spares", "N", "Workers that stand by to replace one that dies",
            count(&Options::spares, 0, spares_max)},
        {"log-size", "BYTES", "How far the slowest reader may be behind",
            bytes(&Options::log_bytes, log_bytes_min, log_bytes_max, "bytes")},
        {"stall-limit", "SECONDS",
            "How long one reader may hold everybody back before it is disconnected",
            seconds(&Options::stall_limit, limit_seconds_max, false)},
        {"min-drain", "BYTES", "... unless it reads this much a second meanwhile",
            bytes(&Options::min_drain_bytes, 1, min_drain_bytes_max, "bytes a second")},
        {"slow-policy", "POLICY",
            "wait: as above; disconnect: a reader that is a whole log behind is disconnected at "
            "once",
            word<SlowPolicy>(&Options::slow_policy,
                {{"wait", SlowPolicy::wait}, {"disconnect", SlowPolicy::disconnect}})},
        {"hang-limit", "SECONDS", "A worker that does not answer for that long is replaced",
            seconds(&Options::hang_limit, limit_seconds_max, false)},
        {"control", "PATH", "Where `chatserv chaos` and `chatserv stats` reach this server",
            text(&Options::control,
                fmt::format("a path of at most {} bytes, or none", socket_path_bytes_max),
                socket_path_bytes_max),
            "chatserv-PID.sock in /run, $XDG_RUNTIME_DIR, $TMPDIR or /tmp"},
        {"log-level", "LEVEL", "The least severity that is logged",
            word<std::string>(
                &Options::log_level, log_level_words(), {{"warn", "warning"}, {"err", "error"}})},
        {"log-format", "FORMAT", "Log lines for people or for programs",
            word<LogFormat>(
                &Options::log_format, {{"text", LogFormat::text}, {"json", LogFormat::json}})},
        {"log-file", "PATH", "Append the log to this file, and open it again on SIGHUP",
            text(&Options::log_file, "the path of a file"), "standard error"},
        {"max-per-address", "N",
            "Users at once from one IPv4 address or IPv6 /64; 0 for any number",
            count(&Options::max_per_address, 0, users_max)},
        {"allow", "CIDR", "Let nobody in but from this network", networks(&Options::allow),
            "everybody"},
        {"deny", "CIDR", "Let nobody in from this network, even if it is allowed",
            networks(&Options::deny), "nobody"},
        {"keepalive", "SECONDS",
            "Disconnect a user whose machine has been silent for about that long; 0 for never",
            count(&Options::keepalive_seconds, 0, keepalive_seconds_max)},
        {"max-rate", "BYTES", "Read no more than this from one user; 0 for any number",
            bytes(&Options::max_rate_bytes, 0, max_rate_bytes_max, "bytes a second")},
        {"idle-timeout", "SECONDS",
            "Disconnect a user that has sent nothing for that long; 0 for never",
            seconds(&Options::idle_timeout, idle_seconds_max, true)},
        {"user", "NAME", "Whose rights the workers have; only root can choose another user", user(),
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
