#include "master/config/config_file.h"

#include "master/config/config_input.h"
#include "master/config/nearest.h"
#include "master/config/option_table.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <optional>
#include <sysexits.h>
#include <vector>

namespace chatserv {

namespace {

constexpr const char* blanks = " \t\r";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return "";
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

// The result of scanning a line: where a comment begins, and how many brackets are open at its end.
struct Scan {
    size_t comment = std::string_view::npos;
    int open_brackets = 0;
};

// A quote opens only where a word can begin, and a comment only at the start or after a blank.
Scan scan(std::string_view text) {
    Scan found;
    char quote = '\0';
    for (size_t i = 0; i < text.size(); ++i) {
        const char letter = text[i];
        const bool at_word =
            i == 0 || std::string_view(" \t,=[").find(text[i - 1]) != std::string_view::npos;
        if (quote != '\0') {
            if (letter == '\\' && quote == '"')
                ++i;
            else if (letter == quote)
                quote = '\0';
        } else if ((letter == '"' || letter == '\'') && at_word) {
            quote = letter;
        } else if ((letter == '#' || letter == ';') &&
                   (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) {
            found.comment = i;
            break;
        } else {
            found.open_brackets += letter == '[';
            found.open_brackets -= letter == ']';
        }
    }
    return found;
}

std::string without_comment(std::string_view line) {
    return trimmed(line.substr(0, scan(line).comment));
}

class Parser {
public:
    Parser(std::string file, std::string_view text) : file_(std::move(file)), rest_(text) {}

    Settings parse() {
        if (rest_.starts_with(byte_order_mark))
            rest_.remove_prefix(byte_order_mark.size());
        while (const auto line = next_line()) {
            if (!line->empty())
                take(*line);
        }
        return std::move(settings_);
    }

private:
    // The next line without its comment; nothing at the end of the file.
    std::optional<std::string> next_line() {
        if (rest_.empty())
            return std::nullopt;
        ++line_;
        const std::string_view whole = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(rest_.size(), whole.size() + 1));
        if (whole.find('\0') != std::string_view::npos)
            throw failure("there is a NUL byte in this line; the file must be text");
        const std::string line = without_comment(whole);
        std::string printed = line;
        std::replace(printed.begin(), printed.end(), '\t', ' ');
        if (!is_printable(printed))
            throw failure(fmt::format(
                "\"{}\" must be text in UTF-8 without control characters", line.substr(0, 100)));
        return line;
    }

    void take(const std::string& line) {
        const size_t equals = line.find('=');
        if (line.front() == '[' && line.back() == ']')
            throw failure(fmt::format(
                "{}: sections are not supported; write only `name = value` lines", line));
        if (equals == std::string::npos)
            throw failure(fmt::format("\"{}\": must be `name = value`", line));
        const OptionRow& row = row_of(trimmed(line.substr(0, equals)));
        std::vector<Setting>& values = settings_[row.name];
        const auto [first, is_first] = first_lines_.emplace(row.name, line_);
        if (!is_first && !row.repeats())
            throw failure(fmt::format(
                "{} is set twice, first in line {}; set it once", row.name, first->second));
        Setting setting;
        setting.place = {fmt::format("{}:{}: {}", file_, line_, row.name), EX_CONFIG};
        setting.text = trimmed(line.substr(equals + 1));
        if (row.repeats()) {
            complete_list(setting);
            values.push_back(setting);
        } else {
            values.push_back(without_quotes(setting));
        }
    }

    // Appends lines to a list in brackets until its last bracket is closed.
    void complete_list(Setting& setting) {
        const int first_line = line_;
        while (setting.text.starts_with('[') && scan(setting.text).open_brackets > 0) {
            const auto line = next_line();
            if (!line) {
                line_ = first_line;
                throw failure("the list that begins in this line has no closing ]");
            }
            setting.text += " " + *line;
        }
    }

    const OptionRow& row_of(const std::string& name) {
        if (const OptionRow* const row = find_option(name))
            return *row;
        for (const CommandLineFlag& flag : command_line_flags)
            if (name == flag.name)
                throw failure(
                    fmt::format("{} can be given only on the command line, as --{}", name, name));
        std::vector<std::string> names;
        for (const OptionRow& row : option_table())
            names.push_back(row.name);
        const std::string near = nearest(name, names);
        throw failure(fmt::format("unknown option \"{}\"{}", name,
            near.empty() ? "; chatserv --help lists the options"
                         : fmt::format("; did you mean {}?", near)));
    }

    [[nodiscard]] Failure failure(const std::string& what) const {
        return {EX_CONFIG, fmt::format("{}:{}: {}", file_, line_, what)};
    }

    const std::string file_;
    std::string_view rest_;
    int line_ = 0;
    std::map<std::string, int> first_lines_{};
    Settings settings_{};
};

} // namespace

Settings parse_config_text(const std::string& file, const std::string& text) {
    for (const std::string_view mark : {"\xff\xfe", "\xfe\xff"})
        if (text.starts_with(mark))
            throw Failure(EX_CONFIG, file + ": is UTF-16 text; save it as UTF-8");
    return Parser(file, text).parse();
}

Settings read_config_file(const Setting& config) {
    return parse_config_text(config.text, config_input(config));
}

} // namespace chatserv
