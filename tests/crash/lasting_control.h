// A control client that outlives masters: its connection ends with each of them, and it connects
// again.
#pragma once

#include "tests/integration/control_connection.h"

#include <optional>
#include <string>
#include <utility>

namespace chatserv::test {

class LastingControl {
public:
    // Connects with the first request.
    LastingControl(Loop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}

    // Sends a request. The next master gets it where the last one is dead; one that the dead master
    // has received and not carried out is lost.
    void ask(const std::string& request);
    // The server's answer to the request `stats`, JSON.
    [[nodiscard]] std::string statistics() { return answer("stats"); }
    // ... or to another one whose answer is an event of its name.
    [[nodiscard]] std::string answer(const std::string& request);

private:
    Loop& loop_;
    std::string path_;
    std::optional<ControlConnection> connection_{};
};

} // namespace chatserv::test
