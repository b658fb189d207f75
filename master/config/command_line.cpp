#include "master/config/command_line.h"

#include "master/config/commands.h"
#include "master/config/nearest.h"
#include "master/config/option_table.h"
#include "master/config/option_values.h"
#include "shared/system/version.h"

#include <algorithm>
#include <cstdio>
#include <fmt/core.h>
#include <string_view>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

// Word processors turn two short dashes into one long dash: U+2012 to U+2015, or U+2212.
bool begins_with_long_dash(std::string_view word) {
    return word.starts_with("\xe2\x80\x92") || word.starts_with("\xe2\x80\x93") ||
           word.starts_with("\xe2\x80\x94") || word.starts_with("\xe2\x80\x95") ||
           word.starts_with("\xe2\x88\x92");
}

// The flags of the form, with --version and --help.
std::vector<Flag> all_flags(const CommandForm& form) {
    std::vector<Flag> flags = form.flags;
    for (const CommandLineFlag& flag : command_line_flags)
        if (flag.of_every_command)
            flags.push_back({.name = std::string(flag.name), .letter = std::string(flag.letter)});
    return flags;
}

class Reader {
public:
    Reader(const CommandForm& form, int argc, const char* const* argv) :
        form_(form), flags_(all_flags(form)), words_(argv + std::min(argc, 1), argv + argc) {}

    CommandLine read() {
        while (next_ < words_.size() && line_.asked == Question::none) {
            const std::string word = words_[next_++];
            if (word == "--" && next_ == words_.size())
                break;
            if (word.size() > 1 && word.front() == '-')
                take_flag(word);
            else if (!form_.operand.empty() && !line_.operand && !begins_with_long_dash(word))
                line_.operand = word;
            else
                refuse_word(word);
        }
        return std::move(line_);
    }

private:
    // Suggests the option that was probably meant; empty if no option is similar.
    [[nodiscard]] std::string suggestion(const std::string& word) const {
        std::vector<std::string> names;
        for (const Flag& flag : flags_)
            names.push_back(flag.name);
        const std::string near = nearest(word, names);
        return near.empty() ? "" : fmt::format("; did you mean --{}?", near);
    }

    // The suggestion, or else a list of all options. The server's options are never listed: they
    // would fill the screen.
    [[nodiscard]] std::string hint(const std::string& word) const {
        std::string near = suggestion(word);
        if (!near.empty() || form_.command.empty())
            return near;
        std::vector<std::string> names;
        for (const Flag& flag : form_.flags)
            names.push_back("--" + flag.name);
        return fmt::format(": {} has {}", form_.command, list_of(names));
    }

    [[noreturn]] void refuse_word(const std::string& word) const {
        const std::string name = word.substr(0, word.find('='));
        if (begins_with_long_dash(word))
            throw form_.misuse(
                fmt::format("\"{}\" begins with a long dash: options begin with --{}", word,
                    suggestion(name.substr(3))));
        if (form_.command.empty())
            refuse_command(word, name);
        throw form_.misuse(fmt::format("unexpected word \"{}\"{}", word, hint(name)));
    }

    // `name`: the part of the word before "=".
    [[noreturn]] void refuse_command(const std::string& word, const std::string& name) const {
        const std::vector<std::string> names = command_names();
        if (std::find(names.begin(), names.end(), word) != names.end())
            throw form_.misuse(
                fmt::format("the command {} must come first: chatserv {}", word, word));
        if (const std::string near = nearest(word, names); !near.empty())
            throw form_.misuse(
                fmt::format("unknown command \"{}\"; did you mean {}? The commands are {}", word,
                    near, names_of_commands()));
        throw form_.misuse(fmt::format("unknown command \"{}\": the commands are {}, and options "
                                       "begin with --{}",
            word, names_of_commands(), suggestion(name)));
    }

    // `word`: "--users=10", "--users" or "-h".
    void take_flag(const std::string& word) {
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const Flag* const flag = find(name);
        if (flag == nullptr)
            throw form_.misuse(fmt::format("unknown option {}{}", name, hint(name)));
        const std::string written = "--" + flag->name;
        if (!seen_.insert(flag->name).second && !flag->repeats)
            throw form_.misuse(fmt::format("{} is given twice; give it once", written));
        if (flag->allowed.empty()) {
            if (equals != std::string::npos)
                throw form_.misuse(written + " takes no value");
            take_switch(flag->name);
            return;
        }
        Setting setting{{written, EX_USAGE}, {}};
        if (equals != std::string::npos)
            setting.text = word.substr(equals + 1);
        else if (!flag->without_value.empty())
            setting.text = flag->without_value;
        else if (next_ < words_.size() && !is_flag(words_[next_]))
            setting.text = words_[next_++];
        else
            throw form_.misuse(fmt::format("{} needs a value: {}", written, flag->allowed));
        line_.settings[flag->name].push_back(setting);
    }

    void take_switch(const std::string& name) {
        if (name == "help")
            line_.asked = Question::help;
        else if (name == "version")
            line_.asked = Question::version;
        else
            line_.switches.insert(name);
    }

    [[nodiscard]] const Flag* find(const std::string& written) const {
        for (const Flag& flag : flags_)
            if (written == "--" + flag.name ||
                (!flag.letter.empty() && written == "-" + flag.letter))
                return &flag;
        return nullptr;
    }

    // Whether the word is an option, and so not the value of the option before it.
    [[nodiscard]] bool is_flag(const std::string& word) const {
        return word.starts_with("--") && find(word.substr(0, word.find('='))) != nullptr;
    }

    const CommandForm& form_;
    const std::vector<Flag> flags_;
    const std::vector<std::string> words_;
    std::set<std::string> seen_{};
    size_t next_ = 0;
    CommandLine line_{};
};

} // namespace

Failure CommandForm::misuse(const std::string& what) const {
    return {EX_USAGE,
        fmt::format("{} (see chatserv{}{} --help)", what, command.empty() ? "" : " ", command)};
}

CommandLine read_command_line(const CommandForm& form, int argc, const char* const* argv) {
    return Reader(form, argc, argv).read();
}

bool answer(Question asked, const std::string& help) {
    if (asked != Question::none)
        std::fputs(
            (asked == Question::help ? help : fmt::format("chatserv {}\n", program_version()))
                .c_str(),
            stdout);
    return asked != Question::none;
}

} // namespace chatserv
