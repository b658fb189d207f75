// A guess at what the user meant by a word that does not exist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// The one of `names` that differs from `word` by the fewest letters that were left out, added,
// changed or swapped with their neighbour; dashes, underscores, capitals and CHATSERV_ do not
// count. Empty where every name differs by more than a third of its letters.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& names);

} // namespace chatserv
