// A conversation in which the test knows what each client must have received: the text of all
// others, in order, and nothing else.
#pragma once

#include "tests/integration/server_test.h"

namespace chatserv::test {

class ConversationTest : public ServerTest {
protected:
    // `count` clients join.
    void gather(std::size_t count) {
        clients_ = join_many(count);
        expected_.resize(count);
    }

    // Client `from` sends `text`. Waits until all other clients have received it.
    void say(std::size_t from, const std::string& text) {
        clients_[from]->send(text);
        for (std::size_t to = 0; to < clients_.size(); ++to) {
            if (to == from)
                continue;
            expected_[to] += text;
            clients_[to]->wait_for_bytes(expected_[to].size());
        }
    }

    void expect_that_nobody_noticed() {
        for (std::size_t i = 0; i < clients_.size(); ++i)
            EXPECT_EQ(clients_[i]->received(), expected_[i]) << "client " << i;
        EXPECT_EQ(server_->count(" left: "), 0U);
    }

    // Each client sends a line that all others receive, and no client receives anything else.
    void expect_that_all_can_talk(const std::string& occasion) {
        for (std::size_t from = 0; from < clients_.size(); ++from)
            say(from, occasion + ", said by " + std::to_string(from) + ";");
        expect_that_nobody_noticed();
    }

    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::string> expected_;
};

} // namespace chatserv::test
