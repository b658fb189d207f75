// Why the server cannot start (or go on), told to the user in one line, with the exit status.
#pragma once

#include <stdexcept>
#include <string>

namespace chatserv {

// What the user wrote may be part of it: nothing in that may break the line, or the terminal.
[[nodiscard]] inline std::string as_one_line(std::string text) {
    for (char& letter : text)
        if (static_cast<unsigned char>(letter) < ' ' || letter == '\x7f')
            letter = '?';
    return text;
}

class Failure : public std::runtime_error {
public:
    // `exit_status`: as in sysexits(3).
    Failure(int exit_status, const std::string& what) :
        std::runtime_error(as_one_line(what)), exit_status_(exit_status) {}

    [[nodiscard]] int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

} // namespace chatserv
