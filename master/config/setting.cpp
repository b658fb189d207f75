#include "master/config/setting.h"

#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>

namespace chatserv {

namespace {

// A longer value would make the error line unreadable.
constexpr size_t shown_bytes_max = 240;
constexpr const char* blanks = " \t\r\n";

std::string trimmed(const std::string& text) {
    const size_t first = text.find_first_not_of(blanks);
    if (first == std::string::npos)
        return "";
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// The index after the quoted text that begins at `begin`; npos if the quote is not closed.
size_t end_of_quote(const std::string& text, size_t begin) {
    const char quote = text[begin];
    for (size_t i = begin + 1; i < text.size(); ++i) {
        if (text[i] == '\\' && quote == '"')
            ++i;
        else if (text[i] == quote)
            return i + 1;
    }
    return std::string::npos;
}

bool is_quote(char letter) {
    return letter == '"' || letter == '\'';
}

// The text between an opening bracket at the beginning and its closing bracket at the end. All of
// `text` if there is no such pair.
std::string without_brackets(const std::string& text) {
    if (text.empty() || text.front() != '[')
        return text;
    size_t depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (is_quote(text[i])) {
            i = std::min(end_of_quote(text, i), text.size()) - 1;
            continue;
        }
        depth += text[i] == '[';
        depth -= text[i] == ']' && depth > 0;
        if (depth == 0)
            return i + 1 == text.size() ? text.substr(1, i - 1) : text;
    }
    return text;
}

// The parts between commas. Commas in quotes do not separate.
std::vector<std::string> split_at_commas(const std::string& text) {
    std::vector<std::string> parts(1);
    for (size_t i = 0; i < text.size(); ++i) {
        if (is_quote(text[i])) {
            const size_t end = std::min(end_of_quote(text, i), text.size());
            parts.back() += text.substr(i, end - i);
            i = end - 1;
        } else if (text[i] == ',') {
            parts.emplace_back();
        } else {
            parts.back() += text[i];
        }
    }
    return parts;
}

void add_words(std::vector<Setting>& items, const Setting& part) {
    for (size_t begin = 0; begin < part.text.size();) {
        const size_t end = std::min(part.text.find_first_of(blanks, begin), part.text.size());
        const std::string word = part.text.substr(begin, end - begin);
        if (begin != 0 && word.find('=') != std::string::npos)
            items.back().text += " " + word;
        else
            items.push_back({part.place, word});
        begin = std::min(part.text.find_first_not_of(blanks, end), part.text.size());
    }
}

} // namespace

void reject_value(const Setting& setting, const std::string& allowed) {
    std::string shown = setting.text.substr(0, shown_bytes_max);
    if (shown.size() < setting.text.size())
        shown += "...";
    throw Failure(setting.place.exit_status,
        fmt::format("{} \"{}\": must be {}", setting.place.text, shown, allowed));
}

std::vector<Setting> list_items(const Setting& setting, const std::string& allowed) {
    const std::string whole = trimmed(setting.text);
    const std::string inner = without_brackets(whole);
    std::vector<std::string> parts = split_at_commas(inner);
    // A list in brackets may have a comma after its last item.
    if (inner.size() != whole.size() && parts.size() > 1 && trimmed(parts.back()).empty())
        parts.pop_back();
    std::vector<Setting> items;
    for (const std::string& part : parts) {
        const Setting item{setting.place, trimmed(part)};
        if (item.text.empty())
            reject_value(item, allowed);
        if (is_quote(item.text.front()))
            items.push_back(without_quotes(item));
        else
            add_words(items, item);
    }
    return items;
}

Setting without_quotes(const Setting& setting) {
    const std::string& text = setting.text;
    if (text.empty() || !is_quote(text.front()))
        return setting;
    const size_t end = end_of_quote(text, 0);
    if (end == std::string::npos)
        reject_value(setting, "closed by the quote that opens it");
    if (end != text.size())
        reject_value(setting, "quoted as a whole, or not at all");
    std::string inner;
    for (size_t i = 1; i + 1 < end; ++i) {
        const bool escape = text.front() == '"' && text[i] == '\\' && i + 2 < end &&
                            (text[i + 1] == '"' || text[i + 1] == '\\');
        inner += text[escape ? ++i : i];
    }
    return {setting.place, inner};
}

std::string in_quotes(const std::string& text) {
    std::string quoted = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\')
            quoted += '\\';
        quoted += letter;
    }
    return quoted + "\"";
}

} // namespace chatserv
