// Why the server cannot start (or go on), told to the user in one line, with the exit status.
#pragma once

#include "shared/system/printable_text.h"

#include <stdexcept>
#include <string>

namespace chatserv {

class Failure : public std::runtime_error {
public:
    // `exit_status`: as in sysexits(3). What the user wrote may be part of `what`: nothing in it
    // may break the line, or the terminal.
    Failure(int exit_status, const std::string& what) :
        std::runtime_error(as_one_line(what)), exit_status_(exit_status) {}

    [[nodiscard]] int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

} // namespace chatserv
