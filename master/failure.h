// Why the server cannot start (or go on), told to the user in one line, with the exit status.
#pragma once

#include <stdexcept>
#include <string>

namespace chatserv {

class Failure : public std::runtime_error {
public:
    // `exit_status`: as in sysexits(3).
    Failure(int exit_status, const std::string& what) :
        std::runtime_error(what), exit_status_(exit_status) {}

    [[nodiscard]] int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

} // namespace chatserv
