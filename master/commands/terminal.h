// The terminal of `chatserv top`: a screen of lines, and keys. By ncurses; a build without it has
// no such screen (terminal_none.cpp).
#pragma once

#include "master/commands/top_view.h"

#include <chrono>
#include <cstddef>
#include <optional>

namespace chatserv {

class Terminal {
public:
    // Throws Failure if there can be no such screen: EX_USAGE if standard input or output is no
    // terminal, EX_UNAVAILABLE in a build without ncurses.
    static void require();

    // Takes the terminal that require() has found. Throws Failure(EX_UNAVAILABLE) if its type is
    // not known to terminfo(5).
    Terminal();
    // The terminal is as it was.
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] size_t rows() const;
    [[nodiscard]] size_t columns() const;
    void draw(const TopView::Screen& screen);
    // The next key; nothing if none is pressed within the limit, and for keys that Key has not.
    [[nodiscard]] std::optional<Key> key(std::chrono::milliseconds limit);
};

} // namespace chatserv
