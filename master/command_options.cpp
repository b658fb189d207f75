#include "master/command_options.h"

#include "config.h"
#include "master/failure.h"
#include "master/option_values.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <limits>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr const char* leave_out = "leave --pid out, and the server that runs is found";

// A closed standard stream's number would be given to the next socket, and what is printed would go
// there. What is opened in its place refuses to be written, or read.
void hold_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (size_t at = 0; (at = text.find_first_not_of(" \t\r\n", at)) != std::string::npos;) {
        const size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

template <typename Number>
std::optional<Number> whole_number(const std::string& text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || parsed_to != end || text.front() == '-')
        return std::nullopt;
    return number;
}

// Digits alone keep strtod(3) from infinity, exponents and hexadecimal numbers.
std::optional<double> decimal_number(const std::string& text) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos || *end != '\0')
        return std::nullopt;
    return number;
}

} // namespace

const char* const common_help =
    "  --pid PID        The server with this process id. Without it and --control the only\n"
    "                   server of this user is taken; if several run, they are listed.\n"
    "  --control PATH   The server that was started with this --control PATH.\n"
    "  -h, --help       Print this help, and exit.\n"
    "  -V, --version    Print the version, and exit.\n";

CommandOptions::CommandOptions(const CommandForm& form, int argc, const char* const* argv) :
    form_(form) {
    hold_standard_streams();
    names_ = form.options;
    names_.insert(names_.end(), {"--pid", "--control"});
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
        const std::string name = word.substr(0, equals);
        if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
            done_ = take_plain_word(word);
            if (done_)
                return;
        }
        if (equals == std::string::npos && i + 1 == argc)
            fail(fmt::format("{} needs a value", name));
        const std::string value = equals == std::string::npos ? argv[++i] : word.substr(equals + 1);
        if (!values_.emplace(name, value).second)
            fail(fmt::format("{} was given twice", name));
        if (value.empty() && name != "--pid")
            fail(fmt::format("{} \"\": needs a value", name));
    }
    if (values_.contains("--pid") && values_.contains("--control"))
        fail("--pid and --control each name a server: give one of them");
    parse_pid();
}

bool CommandOptions::take_plain_word(const std::string& word) {
    if (word == "-h" || word == "--help") {
        print(form_.help + common_help);
        return true;
    }
    if (word == "-V" || word == "--version") {
        print("chatserv " CHATSERV_VERSION "\n");
        return true;
    }
    if (word.starts_with("-") && word != "-")
        fail(fmt::format("there is no option {}: {} has {}", word, form_.name, list_of(names_)));
    fail(fmt::format("\"{}\" follows no option: {} has {}", word, form_.name, list_of(names_)));
}

void CommandOptions::fail(const std::string& what) const {
    throw Failure(EX_USAGE, fmt::format("{} (see chatserv {} --help)", what, form_.name));
}

// What pgrep(1) prints can come to be several pids, or none.
void CommandOptions::parse_pid() {
    const auto given = values_.find("--pid");
    if (given == values_.end())
        return;
    const std::vector<std::string> words = words_of(given->second);
    if (words.empty())
        fail(fmt::format("--pid \"\": names no process; {}", leave_out));
    for (const std::string& word : words) {
        const auto pid = whole_number<pid_t>(word);
        if (!pid || *pid < 1)
            fail(fmt::format("--pid \"{}\": must be a process id, a number from 1 to {}; {}",
                given->second, std::numeric_limits<pid_t>::max(), leave_out));
        pid_ = pid;
    }
    if (words.size() > 1)
        fail(fmt::format("--pid was given {} process ids, {}: give one of them, or leave --pid out "
                         "for a list of the servers that run",
            words.size(), list_of(words)));
}

ServerChoice CommandOptions::server() const {
    return {.pid = pid_, .control = text("--control").value_or("")};
}

std::optional<std::string> CommandOptions::text(const std::string& option) const {
    const auto given = values_.find(option);
    return given == values_.end() ? std::nullopt : std::optional(given->second);
}

std::optional<double> CommandOptions::number(
    const std::string& option, double min, double max) const {
    const auto given = text(option);
    if (!given)
        return std::nullopt;
    const auto number = decimal_number(*given);
    if (!number || *number < min || *number > max)
        fail(fmt::format("{} \"{}\": must be a number from {} to {}", option, *given, min, max));
    return number;
}

std::optional<uint64_t> CommandOptions::count(
    const std::string& option, uint64_t min, uint64_t max) const {
    const auto given = text(option);
    if (!given)
        return std::nullopt;
    const auto number = whole_number<uint64_t>(*given);
    if (!number || *number < min || *number > max)
        fail(fmt::format("{} \"{}\": must be a number from {} to {}", option, *given, min, max));
    return number;
}

std::optional<std::string> CommandOptions::one_of(
    const std::string& option, const std::vector<std::string>& words) const {
    const auto given = text(option);
    if (given && std::find(words.begin(), words.end(), *given) == words.end())
        fail(fmt::format("{} \"{}\": must be one of {}", option, *given, list_of(words)));
    return given;
}

void print(const std::string& text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw Failure(
            EX_IOERR, fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

} // namespace chatserv
