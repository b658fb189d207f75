// Guesses which name the user meant by an unknown word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// Returns the name that needs the fewest edits to become `word`: a letter left out, added, changed
// or swapped with its neighbour. Dashes, underscores, capitals and the prefix CHATSERV_ are
// ignored. Empty if every name differs in more than a third of its letters.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& names);

} // namespace chatserv
