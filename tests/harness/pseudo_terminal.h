// A program in a terminal of the test's own: pty(7).
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/loop.h"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

// Its standard streams are a terminal of 24 rows and 100 columns. The destructor kills it.
class TerminalProgram final : public Loop::Source {
public:
    // `arguments[0]`: the program's path. `environment`: "NAME=value", beside the test's own.
    TerminalProgram(Loop& loop, const std::vector<std::string>& arguments,
        std::vector<std::string> environment);
    ~TerminalProgram() override;
    TerminalProgram(const TerminalProgram&) = delete;
    TerminalProgram& operator=(const TerminalProgram&) = delete;

    void type(std::string_view keys) const;
    // Waits until it writes this after what was waited for before. Returns all that it has written.
    const std::string& wait_for(std::string_view text);
    // Its exit status.
    [[nodiscard]] int wait_for_exit();

    [[nodiscard]] pollfd interest() const override { return {terminal_.get(), POLLIN, 0}; }
    void ready(short events) override;

private:
    UniqueFd terminal_;
    pid_t pid_ = 0;
    std::string written_;
    size_t seen_ = 0; // of written_
};

} // namespace chatserv::test
