// The reason why the server cannot start or continue: one line for the user, and the exit status.
#pragma once

#include "shared/system/printable_text.h"

#include <stdexcept>
#include <string>

namespace chatserv {

class Failure : public std::runtime_error {
public:
    // `exit_status`: as in sysexits(3). `what` may contain text from the user, so bytes that could
    // break the line or the terminal are replaced.
    Failure(int exit_status, const std::string& what) :
        std::runtime_error(as_one_line(what)), exit_status_(exit_status) {}

    [[nodiscard]] int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

} // namespace chatserv
