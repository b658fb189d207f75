#include "tests/harness/loop.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>

namespace chatserv::test {

namespace {

// The signal handler writes to this pipe, so that a child's end wakes poll(2) even if the signal
// arrives just before it.
volatile sig_atomic_t child_signal_writer = -1;

void on_child_signal(int) {
    const int saved = errno;
    [[maybe_unused]] const ssize_t written = ::write(child_signal_writer, "", 1);
    errno = saved;
}

struct sigaction set_action(int signal, void (*handler)(int)) {
    struct sigaction action {};
    struct sigaction former {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, &former);
    return former;
}

// Only wakes the loop; each wait for a child asks whether that child has ended.
class ChildWatch final : public Loop::Source {
public:
    ChildWatch(Loop& loop, int fd) : Source(loop), fd_(fd) {}
    [[nodiscard]] pollfd interest() const override { return {fd_, POLLIN, 0}; }
    void ready(short /*events*/) override {
        std::array<char, 64> wakes{};
        while (::read(fd_, wakes.data(), wakes.size()) > 0) {
        }
    }

private:
    int fd_;
};

} // namespace

Loop::Source::Source(Loop& loop) : loop_(loop) {
    loop_.sources_.push_back(this);
}

Loop::Source::~Source() {
    std::erase(loop_.sources_, this);
}

Loop::Loop() : child_signal_(make_pipe()) {
    assert(child_signal_writer == -1);
    child_signal_writer = child_signal_.second.get();
    child_watch_ = std::make_unique<ChildWatch>(*this, child_signal_.first.get());
    former_child_action_ = set_action(SIGCHLD, on_child_signal);
    former_pipe_action_ = set_action(SIGPIPE, SIG_IGN);
}

Loop::~Loop() {
    ::sigaction(SIGCHLD, &former_child_action_, nullptr);
    ::sigaction(SIGPIPE, &former_pipe_action_, nullptr);
    child_signal_writer = -1;
}

void Loop::turn(std::chrono::milliseconds timeout) {
    polled_.clear();
    for (const Source* source : sources_)
        polled_.push_back(source->interest());
    const int ready = ::poll(
        polled_.data(), static_cast<nfds_t>(polled_.size()), static_cast<int>(timeout.count()));
    if (ready == -1 && errno != EINTR && errno != EAGAIN)
        throw std::system_error(errno, std::generic_category(), "poll");
    if (ready <= 0)
        return;
    for (std::size_t i = 0; i < polled_.size(); ++i) {
        if (polled_[i].revents != 0)
            sources_[i]->ready(polled_[i].revents);
    }
    assert(sources_.size() == polled_.size());
}

void Loop::wait_until(const std::function<bool()>& condition, std::string_view what) {
    using std::chrono::steady_clock;
    const auto deadline = steady_clock::now() + patience;
    while (!condition()) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) {
            throw std::runtime_error("waited " + std::to_string(patience.count()) +
                                     " s in vain for " + std::string(what));
        }
        turn(left);
    }
}

} // namespace chatserv::test
