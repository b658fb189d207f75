// Stands for the masters of a server, one after the other, as a command meets them at the control
// socket: each dies before it greets the command, or at a chosen request, before it has answered,
// or behind a chosen answer.
#pragma once

#include "shared/ipc/unix_socket.h"
#include "tests/harness/loop.h"

#include <cstddef>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv::test {

class StandInMasters final : public Loop::Source {
public:
    struct Master {
        std::vector<std::string> answers; // to its first requests, in their order
        bool dies_behind_them = false;    // false: it dies at the next request
        bool greets = true;               // false: it dies before
    };

    // Each master serves one connection, and the server ends with the last one.
    StandInMasters(Loop& loop, const std::string& path, std::vector<Master> masters) :
        Source(loop), listener_(listen_at(path)), masters_(std::move(masters)) {}

    // All requests so far, in order; an empty one where a connection has ended.
    [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }

    [[nodiscard]] pollfd interest() const override {
        return {connection_ ? connection_.get() : listener_ ? listener_->fd.get() : -1, POLLIN, 0};
    }
    void ready(short /*events*/) override {
        if (connection_)
            read();
        else
            take_office();
    }

private:
    void take_office() {
        connection_ = UniqueFd(::accept(listener_->fd.get(), nullptr, nullptr));
        answered_ = 0;
        if (!masters_[number_].greets)
            return die();
        say(R"({"event":"hello","pid":7,"master":)" + std::to_string(number_) +
            R"(,"workers":1,"hang_limit_ms":2000})");
    }
    void read() {
        char bytes[1024];
        const ssize_t got = ::read(connection_.get(), bytes, sizeof bytes);
        if (got <= 0)
            return die();
        input_.append(bytes, static_cast<size_t>(got));
        for (size_t end = 0; connection_ && (end = input_.find('\n')) != std::string::npos;) {
            requests_.push_back(input_.substr(0, end));
            input_.erase(0, end + 1);
            answer();
        }
    }
    void answer() {
        const Master& master = masters_[number_];
        if (answered_ == master.answers.size())
            return die();
        say(master.answers[answered_++]);
        if (answered_ == master.answers.size() && master.dies_behind_them)
            die();
    }
    void die() {
        connection_.reset();
        input_.clear();
        requests_.emplace_back();
        if (++number_ == masters_.size())
            listener_.reset();
    }
    void say(std::string_view line) const {
        const std::string text = std::string(line) + "\n";
        EXPECT_EQ(::write(connection_.get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
    }

    std::optional<NamedSocket> listener_;
    std::vector<Master> masters_;
    size_t number_ = 0; // of the master that is in office, or next
    size_t answered_ = 0;
    UniqueFd connection_;
    std::string input_;
    std::vector<std::string> requests_;
};

} // namespace chatserv::test
