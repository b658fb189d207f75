// Which file this process runs, and which one its user started: they differ once a new version was
// installed.
#pragma once

#include "shared/system/fd.h"

#include <string>
#include <vector>

namespace chatserv {

// The names by which this program may have been started: what the system says, then what `argv0`
// says, which the process that starts a program chooses freely. Each may be empty.
[[nodiscard]] std::vector<std::string> own_program_names(const std::string& argv0);

// The path by which this program was started, made absolute; symbolic links are kept, since an
// upgrade may change where they lead. Empty where that is not known.
[[nodiscard]] std::string own_program_path(const std::string& argv0);

// The file that this process runs, where the system can tell, though another file has its name by
// now; otherwise the file at `path`. Nothing where it cannot be read.
[[nodiscard]] UniqueFd open_own_program(const std::string& path);

} // namespace chatserv
