// The terminal of `chatserv top`, by ncurses(3X).
#include "master/commands/terminal.h"

#include "shared/system/failure.h"

#define NCURSES_NOMACROS // functions alone: their names can be qualified
#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <curses.h>
#include <fmt/core.h>
#include <string>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

void Terminal::require() {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        throw Failure(EX_USAGE,
            "top needs a terminal: `chatserv status` and `chatserv users` print "
            "the same to anything else");
}

Terminal::Terminal() {
    (void)std::setlocale(LC_CTYPE, ""); // names of users are UTF-8: ncurses(3X), "Initialization"
    const char* const type = std::getenv("TERM");
    // initscr(3X) ends the process if it does not know the terminal.
    SCREEN* const screen = ::newterm(nullptr, stdout, stdin);
    if (screen == nullptr)
        throw Failure(
            EX_UNAVAILABLE, fmt::format("the type of this terminal is not known: TERM is {}",
                                type == nullptr ? "not set" : type));
    ::cbreak();
    ::noecho();
    ::keypad(stdscr, TRUE);
    ::curs_set(0);
}

Terminal::~Terminal() {
    ::endwin();
}

size_t Terminal::rows() const {
    return static_cast<size_t>(std::max(0, getmaxy(stdscr)));
}

size_t Terminal::columns() const {
    return static_cast<size_t>(std::max(0, getmaxx(stdscr)));
}

void Terminal::draw(const TopView::Screen& screen) {
    ::erase();
    for (size_t row = 0; row < screen.lines.size(); ++row) {
        const bool is_heading = row == screen.heading;
        const auto attribute = screen.selected == row ? A_REVERSE : is_heading ? A_BOLD : A_NORMAL;
        ::attrset(static_cast<int>(attribute));
        // The last column of the last row has no place for a cursor behind it: the error is none.
        (void)::mvaddnstr(static_cast<int>(row), 0, screen.lines[row].c_str(),
            static_cast<int>(screen.lines[row].size()));
    }
    ::refresh();
}

std::optional<Key> Terminal::key(std::chrono::milliseconds limit) {
    ::timeout(static_cast<int>(limit.count()));
    const int pressed = ::getch();
    switch (pressed) {
    case ERR:
        return std::nullopt;
    case KEY_UP:
        return Key{.kind = Key::Kind::up};
    case KEY_DOWN:
        return Key{.kind = Key::Kind::down};
    case KEY_PPAGE:
        return Key{.kind = Key::Kind::page_up};
    case KEY_NPAGE:
        return Key{.kind = Key::Kind::page_down};
    case KEY_RESIZE:
        return Key{.kind = Key::Kind::resize};
    default:
        break;
    }
    if (pressed < 0 || pressed > 127)
        return std::nullopt;
    return Key{.kind = Key::Kind::character, .character = static_cast<char>(pressed)};
}

} // namespace chatserv
