// The test's ends of a child's standard streams.
#pragma once

#include "tests/harness/loop.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace chatserv::test {

// Reads a pipe to its end. Keeps the bytes, or passes them to a sink and keeps nothing.
class PipeReader final : public Loop::Source {
public:
    using Sink = std::function<void(std::string_view)>;

    PipeReader(Loop& loop, UniqueFd fd) : Source(loop), fd_(std::move(fd)) {}

    [[nodiscard]] const std::string& text() const { return text_; }
    // True once every process that held the other end has closed it or ended.
    [[nodiscard]] bool ended() const { return !fd_; }
    // From now on all bytes go to the sink, the kept ones first.
    void hand_to(Sink sink);

    [[nodiscard]] pollfd interest() const override { return {fd_.get(), POLLIN, 0}; }
    void ready(short events) override;

private:
    UniqueFd fd_;
    std::string text_;
    Sink sink_;
};

// Queues without limit and writes when the pipe has room.
class PipeWriter final : public Loop::Source {
public:
    PipeWriter(Loop& loop, UniqueFd fd) : Source(loop), fd_(std::move(fd)) {}

    void write(std::string_view bytes) { queue_.append(bytes); }
    // Closes the pipe once the queue is written: the reader's end of file.
    void end();

    [[nodiscard]] pollfd interest() const override;
    void ready(short events) override;

private:
    UniqueFd fd_;
    std::string queue_;
    std::size_t written_ = 0;
    bool ending_ = false;
};

} // namespace chatserv::test
