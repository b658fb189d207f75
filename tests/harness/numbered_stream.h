// What a user sends while something else happens: numbered lines, as fast as they are taken.
#pragma once

#include "tests/harness/client.h"
#include "tests/harness/loop.h"
#include "tests/harness/process.h"

#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

class NumberedStream {
public:
    // The next lines, if all that was said before has gone out. None for a slow command that would
    // have the readers hold more than they can.
    void go_on(Client& sender) {
        if (!sender.is_sent() || said_.size() > Client::received_bytes_max / 2)
            return;
        std::string lines;
        for (const unsigned end = number_ + 500; number_ < end; ++number_)
            lines += std::to_string(number_) + "\n";
        say(sender, lines);
    }
    // As long as the command runs.
    void go_on_during(Loop& loop, Process& command, Client& sender) {
        while (!command.exited()) {
            go_on(sender);
            loop.turn(std::chrono::milliseconds(1));
        }
    }
    void say(Client& sender, const std::string& words) {
        sender.send(words);
        said_ += words;
    }

    [[nodiscard]] const std::string& said() const { return said_; }

    // Every reader, there since the beginning, has everything, once and in order. The stream begins
    // anew for them, so that one of any length is possible.
    void expect_all_read(const std::vector<std::unique_ptr<Client>>& readers) {
        for (const auto& reader : readers) {
            reader->wait_for_bytes(said_.size());
            EXPECT_TRUE(reader->received() == said_)
                << reader->received().size() << " bytes, and not " << said_.size();
            reader->forget_received();
        }
        said_.clear();
    }

private:
    std::string said_;
    unsigned number_ = 0;
};

} // namespace chatserv::test
