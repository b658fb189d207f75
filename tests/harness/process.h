// A child process whose standard streams are pipes of the test. It never outlives the test.
#pragma once

#include "tests/harness/group_guard.h"
#include "tests/harness/loop.h"
#include "tests/harness/pipe.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv::test {

struct Command {
    std::vector<std::string> arguments; // [0] is the program, searched on PATH if without a slash
    std::vector<std::pair<std::string, std::string>> environment{}; // beside the test's own
    std::string file{}; // the program, if arguments[0] is not its path
    // Descriptors of the test that become the program's, from number 3 on.
    std::vector<int> descriptors{};
};

// Runs in a process group of its own. The destructor kills the whole group, and so does the end of
// the test by a signal: a failed test leaves nothing behind.
class Process {
public:
    Process(Loop& loop, const Command& command);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] PipeReader& output() { return output_; }
    [[nodiscard]] PipeReader& errors() { return errors_; }

    void type(std::string_view text) { input_.write(text); }
    void end_input() { input_.end(); }
    void signal(int number) const;

    [[nodiscard]] bool exited();
    // Waits for the end of the process and of its output. Returns the exit status as a shell does:
    // 128 + number for a signal.
    int wait_for_exit();
    void wait_for_output(std::string_view text);

    // Processes of the group that have lost their parent become this process's children, from now
    // on, so that their ends can be learned. Returns false where the system has no such thing.
    bool adopt_orphans() const;
    // Reaps those of them that have ended. The ends of `traced` are their tracers' to learn first.
    void reap_orphans(const std::vector<pid_t>& traced = {});
    // How such a process ended, as wait_for_exit() has it; nothing while it has not been reaped.
    [[nodiscard]] std::optional<int> status_of_orphan(pid_t pid) const;

    // Whether no process of the group is left; call after wait_for_exit(). An ended process that
    // lost its parent (a sanitizer's, of a killed worker) remains until init reaps it, so this
    // waits.
    [[nodiscard]] bool group_is_gone();

private:
    struct Pipes {
        FdPair input, output, errors;
    };
    Process(Loop& loop, const Command& command, Pipes pipes);

    Loop& loop_;
    std::string name_;
    pid_t pid_ = -1;
    std::optional<GroupGuard> guard_;
    std::optional<int> status_;
    std::map<pid_t, int> orphan_statuses_;
    PipeWriter input_;
    PipeReader output_;
    PipeReader errors_;
};

// Runs a command that ends by itself, its input empty.
struct Finished {
    int status = 0;
    std::string output;
    std::string errors;
};
[[nodiscard]] Finished run(Loop& loop, const Command& command);

// Whether a program of this name is on PATH.
[[nodiscard]] bool is_installed(const std::string& program);

} // namespace chatserv::test
