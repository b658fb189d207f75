#include "tests/harness/pipe.h"

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace chatserv::test {

namespace {

// Far more than a correct program writes to a test; beyond this size the pipe is closed.
constexpr std::size_t text_bytes_max = 200'000'000;

} // namespace

void PipeReader::hand_to(Sink sink) {
    sink_ = std::move(sink);
    sink_(std::exchange(text_, {}));
}

void PipeReader::ready(short /*events*/) {
    std::array<char, 65536> buffer; // NOLINT: filled by read(2)
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got > 0 && text_.size() <= text_bytes_max) {
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        if (sink_)
            sink_(bytes);
        else
            text_.append(bytes);
    } else if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
        fd_.reset();
    }
}

void PipeWriter::end() {
    ending_ = true;
    if (written_ == queue_.size())
        fd_.reset();
}

pollfd PipeWriter::interest() const {
    const bool waiting = written_ < queue_.size();
    return {waiting ? fd_.get() : -1, POLLOUT, 0};
}

void PipeWriter::ready(short /*events*/) {
    const ssize_t put = ::write(fd_.get(), queue_.data() + written_, queue_.size() - written_);
    if (put > 0)
        written_ += static_cast<std::size_t>(put);
    else if (errno != EAGAIN && errno != EINTR)
        fd_.reset(); // the child is gone; the test decides what that means
    if (written_ == queue_.size()) {
        queue_.clear();
        written_ = 0;
        if (ending_)
            fd_.reset();
    }
}

} // namespace chatserv::test
