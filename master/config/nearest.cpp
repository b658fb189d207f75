#include "master/config/nearest.h"

#include <algorithm>
#include <cctype>

namespace chatserv {

namespace {

// Longer words are not typing errors, and comparing them would take long.
constexpr size_t letters_max = 64;

std::string letters_of(std::string_view word) {
    std::string letters;
    for (const char letter : word)
        if (letter != '-' && letter != '_')
            letters += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    constexpr std::string_view prefix = "chatserv";
    return letters.starts_with(prefix) ? letters.substr(prefix.size()) : letters;
}

// The number of edits between two words: their optimal string alignment distance.
size_t distance(const std::string& from, const std::string& to) {
    std::vector<std::vector<size_t>> edits(from.size() + 1, std::vector<size_t>(to.size() + 1));
    for (size_t i = 0; i <= from.size(); ++i) {
        for (size_t j = 0; j <= to.size(); ++j) {
            if (i == 0 || j == 0) {
                edits[i][j] = i + j;
                continue;
            }
            edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1,
                edits[i - 1][j - 1] + (from[i - 1] != to[j - 1])});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
        }
    }
    return edits[from.size()][to.size()];
}

} // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
    const std::string meant = letters_of(word);
    if (meant.empty() || meant.size() > letters_max)
        return "";
    std::string best;
    size_t best_distance = letters_max;
    for (const std::string& name : names) {
        const std::string letters = letters_of(name);
        // A word that is the beginning of a name counts as one edit.
        const size_t edits = meant.size() >= 3 && letters.starts_with(meant)
                                 ? letters.size() != meant.size()
                                 : distance(meant, letters);
        if (edits <= std::max<size_t>(1, letters.size() / 3) && edits < best_distance &&
            edits < meant.size()) {
            best = name;
            best_distance = edits;
        }
    }
    return best;
}

} // namespace chatserv
