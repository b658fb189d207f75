#include "master/config/option_kinds.h"

#include "master/config/option_values.h"
#include "shared/segment/layout.h"
#include "shared/system/printable_text.h"

#include <fmt/core.h>

namespace chatserv {

namespace {

constexpr double limit_seconds_min = 0.1;

template <typename Item>
std::string printed_list(const std::vector<Item>& items) {
    std::vector<std::string> quoted;
    quoted.reserve(items.size());
    for (const Item& item : items)
        quoted.push_back(in_quotes(item.text()));
    return quoted.empty() ? "" : "[" + list_of(quoted) + "]";
}

} // namespace

OptionKind count(uint32_t Options::*member, uint32_t min, uint32_t max) {
    const std::string allowed = fmt::format("a number from {} to {}", min, max);
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto number = count_of(setting.text);
            if (!number || *number < min || *number > max)
                reject_value(setting, allowed);
            options.*member = static_cast<uint32_t>(*number);
        },
        [=](const Options& options) { return std::to_string(options.*member); }, copy_of(member)};
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
        [=](const Options& options) { return text_of_bytes(options.*member); }, copy_of(member)};
}

template OptionKind bytes(uint32_t Options::*, uint64_t, uint64_t, const char*);
template OptionKind bytes(uint64_t Options::*, uint64_t, uint64_t, const char*);

OptionKind seconds(std::chrono::milliseconds Options::*member, double max_seconds, bool none) {
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
        [=](const Options& options) { return text_of_seconds(options.*member); }, copy_of(member)};
}

OptionKind text(std::string Options::*member, const std::string& allowed, size_t bytes_max) {
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
        },
        copy_of(member)};
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
        [=](const Options& options) { return printed_list(options.*member); }, copy_of(member),
        [=](Options& options) { (options.*member).clear(); }};
}

OptionKind addresses(std::vector<ListenAddress> Options::*member, const std::string& flag,
    const char* allowed, ParseAddress parse) {
    return {allowed,
        [=](Options& options, const Setting& setting) {
            (options.*member).push_back(parse(setting));
            (options.*member).back().flag = flag;
        },
        [=](const Options& options) { return printed_list(options.*member); }, copy_of(member),
        [=](Options& options) { (options.*member).clear(); }};
}

// A comma stands between two values, and between the device and the speed of a serial line.
OptionKind sources() {
    return {allowed_source,
        [](Options& options, const Setting& setting) {
            std::vector<SourceAddress>& all = options.sources;
            const bool follows_line =
                !all.empty() && all.back().kind == SourceAddress::Kind::serial;
            if (!follows_line || !count_of(setting.text)) {
                all.push_back(SourceAddress::parse(setting));
                return;
            }
            const std::string line = all.back().text();
            all.back() = SourceAddress::parse(
                {setting.place, line.substr(0, line.rfind(',') + 1) + setting.text});
        },
        [](const Options& options) { return printed_list(options.sources); },
        copy_of(&Options::sources), [](Options& options) { options.sources.clear(); }};
}

OptionKind yes_or_no(bool Options::*member) {
    OptionKind kind = word<bool>(member, {{"yes", true}, {"no", false}});
    kind.without_value = "yes";
    return kind;
}

// The user is looked up only after all options are known (worker_user.h). user_place is kept so
// that an error line can still name the place.
OptionKind user() {
    OptionKind kind = text(&Options::user, "the name or number of a user on this system");
    kind.parse = [parse = kind.parse](Options& options, const Setting& setting) {
        parse(options, setting);
        options.user_place = setting.place;
    };
    kind.copy = [](Options& to, const Options& from) {
        to.user = from.user;
        to.user_by_default = from.user_by_default;
        to.user_place = from.user_place;
        to.worker_uid = from.worker_uid;
        to.worker_gid = from.worker_gid;
    };
    return kind;
}

// The mode of a file, in octal digits, as for chmod(1).
OptionKind mode(uint32_t Options::*member) {
    const std::string allowed = "a mode of a file in octal digits, from 0 to 777, for example 660";
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const std::string& text = setting.text;
            if (text.empty() || text.size() > 4 ||
                text.find_first_not_of("01234567") != std::string::npos ||
                std::stoul(text, nullptr, 8) > 0777)
                reject_value(setting, allowed);
            options.*member = static_cast<uint32_t>(std::stoul(text, nullptr, 8));
        },
        [=](const Options& options) { return fmt::format("{:04o}", options.*member); },
        copy_of(member)};
}

// The group is looked up only after all options are known (unix_access.h).
OptionKind group() {
    OptionKind kind = text(&Options::unix_group, "the name or number of a group on this system");
    kind.parse = [parse = kind.parse](Options& options, const Setting& setting) {
        parse(options, setting);
        options.unix_group_place = setting.place;
    };
    kind.copy = [](Options& to, const Options& from) {
        to.unix_group = from.unix_group;
        to.unix_group_place = from.unix_group_place;
        to.unix_gid = from.unix_gid;
    };
    return kind;
}

OptionKind replay() {
    const std::string allowed =
        fmt::format("a number of lines up to {}, or of bytes with K, M or G", replay_lines_max);
    return {allowed,
        [=](Options& options, const Setting& setting) {
            const auto amount = ReplayAmount::parse(setting.text);
            if (!amount)
                reject_value(setting, allowed);
            options.replay = *amount;
        },
        [](const Options& options) { return options.replay.text(); }, copy_of(&Options::replay)};
}

} // namespace chatserv
