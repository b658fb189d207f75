#include "master/commands/command_options.h"

#include "master/config/option_values.h"
#include "shared/segment/layout.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fmt/core.h>
#include <limits>
#include <utility>

namespace chatserv {

namespace {

constexpr const char* leave_out = "; leave --pid out to use the server that runs";
constexpr int interval_seconds_max = 60;
constexpr pid_t pid_max = std::numeric_limits<pid_t>::max();

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (size_t at = 0; (at = text.find_first_not_of(" \t\r\n", at)) != std::string::npos;) {
        const size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

CommandForm with_common_flags(CommandForm form) {
    form.flags.push_back({"pid", fmt::format("a process id, a number from 1 to {}", pid_max)});
    form.flags.push_back({"control", "the path of a server's control socket"});
    return form;
}

} // namespace

Flag interval_flag() {
    return {"interval", fmt::format("a number of seconds from 0 to {}", interval_seconds_max)};
}

const char* const common_help =
    "  --pid PID        Use the server with this process id. Without --pid and --control, use\n"
    "                   the only server of this user; if several run, list them.\n"
    "  --control PATH   Use the server that was started with this --control PATH.\n"
    "  -h, --help       Print this help and exit.\n"
    "  -V, --version    Print the version and exit.\n";

CommandOptions::CommandOptions(
    CommandForm form, const std::string& help, int argc, const char* const* argv) :
    form_(with_common_flags(std::move(form))),
    line_(read_command_line(form_, argc, argv)), done_(answer(line_.asked, help + common_help)) {
    if (done_)
        return;
    if (find("pid") != nullptr && find("control") != nullptr)
        throw form_.misuse("--pid and --control both name a server: give only one of them");
    parse_pid();
    parse_control();
}

const std::string* CommandOptions::find(const std::string& option) const {
    const auto given = line_.settings.find(option);
    return given == line_.settings.end() ? nullptr : &given->second.front().text;
}

void CommandOptions::refuse_value(const std::string& option, const std::string& advice) const {
    const auto flag = std::find_if(form_.flags.begin(), form_.flags.end(),
        [&](const Flag& each) { return each.name == option; });
    throw form_.misuse(
        fmt::format("--{} \"{}\": must be {}{}", option, *find(option), flag->allowed, advice));
}

// The value may come from pgrep(1), which can print several pids, or none.
void CommandOptions::parse_pid() {
    const std::string* const given = find("pid");
    if (given == nullptr)
        return;
    const std::vector<std::string> words = words_of(*given);
    if (words.empty())
        throw form_.misuse(fmt::format("--pid \"\": names no process{}", leave_out));
    for (const std::string& word : words) {
        const auto pid = count_of(word);
        if (!pid || *pid < 1 || *pid > static_cast<uint64_t>(pid_max))
            refuse_value("pid", leave_out);
        server_.pid = static_cast<pid_t>(*pid);
    }
    if (words.size() > 1)
        throw form_.misuse(
            fmt::format("--pid was given {} process ids, {}: give one of them, or leave --pid out "
                        "to list the servers that run",
                words.size(), list_of(words)));
}

void CommandOptions::parse_control() {
    const std::string* const given = find("control");
    if (given == nullptr)
        return;
    if (given->empty())
        refuse_value("control");
    server_.control = *given;
}

ServerChoice CommandOptions::server() const {
    return server_;
}

std::optional<double> CommandOptions::number(
    const std::string& option, double min, double max) const {
    const std::string* const given = find(option);
    if (given == nullptr)
        return std::nullopt;
    const auto number = seconds_of(*given);
    if (!number || *number < min || *number > max)
        refuse_value(option);
    return number;
}

std::optional<uint64_t> CommandOptions::count(const std::string& option) const {
    const std::string* const given = find(option);
    if (given == nullptr)
        return std::nullopt;
    const auto number = count_of(*given);
    if (!number)
        refuse_value(option);
    return number;
}

std::optional<std::string> CommandOptions::one_of(
    const std::string& option, const std::vector<std::string>& words) const {
    const std::string* const given = find(option);
    if (given == nullptr)
        return std::nullopt;
    if (std::find(words.begin(), words.end(), *given) == words.end())
        refuse_value(option);
    return *given;
}

std::chrono::milliseconds CommandOptions::interval() const {
    const double seconds = number("interval", 0, interval_seconds_max).value_or(1);
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

const std::string& CommandOptions::operand(const std::string& allowed) const {
    if (!line_.operand)
        throw form_.misuse(fmt::format("{} is missing: {}", form_.operand, allowed));
    return *line_.operand;
}

uint32_t CommandOptions::worker() const {
    const std::string allowed = fmt::format("the number of a worker, from 1 to {}", workers_max);
    const auto number = count_of(operand(allowed));
    if (!number || *number < 1 || *number > workers_max)
        throw form_.misuse(
            fmt::format("{} \"{}\": must be {}", form_.operand, *line_.operand, allowed));
    return static_cast<uint32_t>(*number);
}

void print(const std::string& text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw_errno("standard output");
}

} // namespace chatserv
