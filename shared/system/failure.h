// Why a program of ours cannot start or go on: one line for the user, and the exit status.
#pragma once

#include "shared/system/printable_text.h"

#include <stdexcept>
#include <string>

namespace chatserv {

class Failure : public std::runtime_error {
public:
    // `exit_status`: as in sysexits(3). `what` may contain text that the user wrote; control
    // characters in it are replaced, so that they cannot break the line or the terminal.
    Failure(int exit_status, const std::string& what) :
        std::runtime_error(as_one_line(what)), exit_status_(exit_status) {}

    [[nodiscard]] int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

} // namespace chatserv
