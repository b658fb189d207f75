// The options as anybody may write them: on the command line, in the environment, in a file. Each
// is taken or refused by a Failure of one line; nothing else may come out.
//
// Input: lines. Up to the first empty one they are arguments, up to the next NAME=VALUE of the
// environment (chatserv's own names only), and the rest is the file.
#include "master/config/options.h"
#include "shared/system/failure.h"
#include "tests/fuzz/input.h"

#include <cctype>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace chatserv::fuzz {

namespace {

constexpr size_t words_max = 16;

std::string next_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return std::string(line.substr(0, line.find('\0')));
}

// At most `words_max` lines, up to an empty one.
std::vector<std::string> next_lines(std::string_view& rest) {
    std::vector<std::string> lines;
    while (!rest.empty() && lines.size() < words_max) {
        std::string line = next_line(rest);
        if (line.empty())
            break;
        lines.push_back(std::move(line));
    }
    return lines;
}

// The file that --config names in this process.
class ConfigFile {
public:
    ConfigFile() : fd_(::memfd_create("chatserv.conf", MFD_CLOEXEC)) {
        must(fd_ != -1, "there is no file for the options");
    }
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
    void fill(std::string_view text) const {
        must(::ftruncate(fd_, 0) == 0 &&
                 ::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
            "the file for the options cannot be written");
    }

private:
    int fd_;
};

// What of this the environment takes: CHATSERV_* but for the file, which is not to be any that
// there happens to be.
class Environment {
public:
    explicit Environment(const std::vector<std::string>& assignments) {
        for (const std::string& assignment : assignments) {
            const size_t equals = assignment.find('=');
            const std::string name = "CHATSERV_" + assignment.substr(0, equals);
            if (equals == std::string::npos || name == "CHATSERV_CONFIG")
                continue;
            ::setenv(name.c_str(), assignment.c_str() + equals + 1, 1);
            names_.push_back(name);
        }
    }
    ~Environment() {
        for (const std::string& name : names_)
            ::unsetenv(name.c_str());
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

private:
    std::vector<std::string> names_;
};

void must_be_one_line(const std::string& text) {
    must(!text.empty(), "a refusal without a word");
    for (const char letter : text)
        must(std::iscntrl(static_cast<unsigned char>(letter)) == 0, "a refusal of several lines");
}

void parse(std::string_view rest) {
    static const ConfigFile file;
    std::vector<std::string> arguments = next_lines(rest);
    const Environment environment(next_lines(rest));
    file.fill(rest);
    arguments.insert(arguments.begin(), "chatserv");
    for (std::string& argument : arguments)
        if (argument.starts_with("--config"))
            argument = "--config=" + file.path();
    std::vector<const char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    try {
        const auto options = parse_options(static_cast<int>(arguments.size()), argv.data());
        must(!options || !describe(*options).empty(), "options that cannot be described");
    } catch (const Failure& failure) {
        must_be_one_line(failure.what());
        must(failure.exit_status() != 0, "a refusal with the status of success");
    }
}

} // namespace

} // namespace chatserv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    chatserv::fuzz::parse({reinterpret_cast<const char*>(data), size});
    return 0;
}
