#include "master/command_line.h"

#include "master/commands.h"
#include "master/failure.h"
#include "master/nearest.h"
#include "master/option_table.h"

#include <algorithm>
#include <fmt/core.h>
#include <set>
#include <string>
#include <sysexits.h>
#include <vector>

namespace chatserv {

namespace {

// What the command line knows of a flag, whichever table it stands in.
struct Flag {
    std::string name;    // "users"
    std::string allowed; // "": it takes no value
    bool repeats = false;
};

std::vector<Flag> all_flags() {
    std::vector<Flag> flags;
    for (const OptionRow& row : option_table())
        flags.push_back({row.name, row.kind.allowed, row.repeats()});
    for (const CommandLineFlag& flag : command_line_flags)
        flags.push_back({std::string(flag.name),
            std::string(flag.type.empty() ? std::string_view() : allowed_config)});
    return flags;
}

Failure usage(const std::string& what) {
    return {EX_USAGE, what + " (see chatserv --help)"};
}

// The long dashes that word processors make of two short ones: U+2012 to U+2015 and U+2212.
bool begins_with_long_dash(std::string_view word) {
    return word.starts_with("\xe2\x80\x92") || word.starts_with("\xe2\x80\x93") ||
           word.starts_with("\xe2\x80\x94") || word.starts_with("\xe2\x80\x95") ||
           word.starts_with("\xe2\x88\x92");
}

class Reader {
public:
    Reader(int argc, const char* const* argv) : words_(argv + std::min(argc, 1), argv + argc) {}

    CommandLine read() {
        while (next_ < words_.size() && line_.asked_for.empty()) {
            const std::string word = words_[next_++];
            if (word == "--" && next_ == words_.size())
                break;
            if (word.size() > 1 && word.front() == '-')
                take_flag(word);
            else
                refuse_word(word);
        }
        return std::move(line_);
    }

private:
    [[nodiscard]] std::string suggestion(const std::string& word) const {
        std::vector<std::string> names;
        for (const Flag& flag : flags_)
            names.push_back(flag.name);
        const std::string near = nearest(word, names);
        return near.empty() ? "" : fmt::format("; did you mean --{}?", near);
    }

    [[noreturn]] void refuse_word(const std::string& word) const {
        const std::string name = word.substr(0, word.find('='));
        if (begins_with_long_dash(word))
            throw usage(fmt::format("\"{}\" begins with a long dash: options begin with --{}", word,
                suggestion(name.substr(3))));
        const std::vector<std::string> names = command_names();
        if (std::find(names.begin(), names.end(), word) != names.end())
            throw usage(fmt::format("the command {} must come first: chatserv {}", word, word));
        if (const std::string near = nearest(word, names); !near.empty())
            throw usage(
                fmt::format("there is no command \"{}\"; did you mean {}? The commands are {}",
                    word, near, names_of_commands()));
        throw usage(fmt::format("there is no command \"{}\": the commands are {}, and options "
                                "begin with --{}",
            word, names_of_commands(), suggestion(name)));
    }

    // "--users=10", "--users" or "-h".
    void take_flag(const std::string& word) {
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const Flag* const flag = find(name);
        if (flag == nullptr)
            throw usage(fmt::format("unknown option {}{}", name, suggestion(name)));
        const std::string written = "--" + flag->name;
        if (!seen_.insert(flag->name).second && !flag->repeats)
            throw usage(fmt::format("{} is given twice; give it once", written));
        if (flag->allowed.empty()) {
            if (equals != std::string::npos)
                throw usage(written + " takes no value");
            take_switch(flag->name);
            return;
        }
        Setting setting{{written, EX_USAGE}, {}};
        if (equals != std::string::npos)
            setting.text = word.substr(equals + 1);
        else if (next_ < words_.size() && !is_flag(words_[next_]))
            setting.text = words_[next_++];
        else
            throw usage(fmt::format("{} needs a value: {}", written, flag->allowed));
        if (flag->name == "config")
            line_.config = setting;
        else
            line_.settings[flag->name].push_back(setting);
    }

    void take_switch(const std::string& name) {
        if (name == "check-config")
            line_.check_config = true;
        else
            line_.asked_for = name == "help" ? "help" : "version";
    }

    [[nodiscard]] const Flag* find(const std::string& written) const {
        for (const Flag& flag : flags_)
            if (written == "--" + flag.name)
                return &flag;
        for (const CommandLineFlag& flag : command_line_flags)
            if (!flag.letter.empty() && written == "-" + std::string(flag.letter))
                return find("--" + std::string(flag.name));
        return nullptr;
    }

    // Such a word is not the value of the option before it.
    [[nodiscard]] bool is_flag(const std::string& word) const {
        return word.starts_with("--") && find(word.substr(0, word.find('='))) != nullptr;
    }

    const std::vector<Flag> flags_ = all_flags();
    const std::vector<std::string> words_;
    std::set<std::string> seen_{};
    size_t next_ = 0;
    CommandLine line_{};
};

} // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
    return Reader(argc, argv).read();
}

} // namespace chatserv
