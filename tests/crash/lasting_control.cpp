#include "tests/crash/lasting_control.h"

#include <stdexcept>

namespace chatserv::test {

namespace {

constexpr int attempts_max = 100;

} // namespace

void LastingControl::ask(const std::string& request) {
    // A master that is about to die can accept the connection, so one attempt is not enough.
    for (int attempts = 0; !connection_ || !connection_->try_to_ask(request + "\n"); ++attempts) {
        if (attempts == attempts_max)
            throw std::runtime_error("no server listens at " + path_);
        connection_.emplace(loop_, path_);
    }
}

// By a connection of its own, since the answers of earlier requests may be on their way.
std::string LastingControl::answer(const std::string& request) {
    const std::string begin = "{\"event\":\"" + request + "\"";
    std::size_t found = std::string::npos;
    std::size_t end = std::string::npos;
    connection_.reset();
    ask(request);
    loop_.wait_until(
        [&] {
            if (connection_->ended())
                ask(request);
            found = connection_->heard().find(begin);
            end = connection_->heard().find('\n', found);
            return found != std::string::npos && end != std::string::npos;
        },
        "the answer to " + request);
    return connection_->heard().substr(found, end - found);
}

} // namespace chatserv::test
