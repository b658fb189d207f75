// The other end of the control socket (control.h): how a second chatserv reaches a running one.
#pragma once

#include "shared/fd.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

// Which server is meant.
struct MasterChoice {
    int64_t pid = 0;       // 0: named by its socket
    std::string control{}; // empty: where it usually is
};

// --pid and --control.
void declare_master_choice(CLI::App& app, MasterChoice& choice);

class ControlClient {
public:
    // Connects. Throws Failure: EX_USAGE where no server was chosen, EX_UNAVAILABLE where it cannot
    // be reached.
    explicit ControlClient(const MasterChoice& choice);

    // Non-blocking; readable when there is something for read().
    [[nodiscard]] int fd() const { return socket_.get(); }

    // Sends a request, without its newline. Throws Failure(EX_UNAVAILABLE) where nobody takes it.
    void ask(const std::string& request);

    // Reads what has come, without waiting. Throws Failure(EX_UNAVAILABLE) where the server ended.
    void read();
    // The next whole line of what was read, without its newline; nothing where there is none.
    [[nodiscard]] std::optional<std::string> next_line();

private:
    UniqueFd socket_;
    std::string input_;
};

} // namespace chatserv
