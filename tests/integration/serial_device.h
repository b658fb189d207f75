// A serial device of the test: a pty(7) whose terminal side has a path while the device is plugged
// in.
#pragma once

#include "tests/harness/pipe.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace chatserv::test {

class SerialDevice {
public:
    // Plugged in. `path`: where programs find it.
    explicit SerialDevice(std::filesystem::path path) : path_(std::move(path)) { plug(); }

    [[nodiscard]] std::string path() const { return path_.string(); }

    void plug() {
        terminal_ = UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (!terminal_ || ::grantpt(terminal_.get()) != 0 || ::unlockpt(terminal_.get()) != 0)
            throw std::runtime_error("there is no pseudo terminal");
        set_nonblocking(terminal_.get());
        std::filesystem::create_symlink(::ptsname(terminal_.get()), path_);
    }
    void unplug() {
        std::filesystem::remove(path_);
        writer_.reset();
        reader_.reset();
        terminal_.reset();
    }

    // What it says and hears from now on. Only while a program has the line open: without one the
    // line is at its end.
    void attach(Loop& loop) {
        reader_ = std::make_unique<PipeReader>(loop, UniqueFd(::dup(terminal_.get())));
        writer_ = std::make_unique<PipeWriter>(loop, UniqueFd(::dup(terminal_.get())));
    }
    void say(std::string_view text) { writer_->write(text); }
    [[nodiscard]] const std::string& heard() const { return reader_->text(); }

private:
    std::filesystem::path path_;
    UniqueFd terminal_{};
    std::unique_ptr<PipeReader> reader_{};
    std::unique_ptr<PipeWriter> writer_{};
};

} // namespace chatserv::test
