// No terminal for `chatserv top`: a build without ncurses.
#include "master/commands/terminal.h"

#include "shared/system/failure.h"

#include <sysexits.h>

namespace chatserv {

void Terminal::require() {
    throw Failure(EX_UNAVAILABLE,
        "this chatserv was built without ncurses, so it has no `top`: `chatserv status` and "
        "`chatserv users` show the same");
}

Terminal::Terminal() {
    require();
}

Terminal::~Terminal() = default;

size_t Terminal::rows() const {
    return 0;
}

size_t Terminal::columns() const {
    return 0;
}

void Terminal::draw(const TopView::Screen& /*screen*/) {}

std::optional<Key> Terminal::key(std::chrono::milliseconds /*limit*/) {
    return std::nullopt;
}

} // namespace chatserv
