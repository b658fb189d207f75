// A running chatserv, or the reference server, on ports of its own choice.
#pragma once

#include "tests/harness/endpoint.h"
#include "tests/harness/log_line.h"
#include "tests/harness/process.h"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

// CHATSERV_BINARY and CHATSERV_REFERENCE of the environment, otherwise what the build compiled in.
[[nodiscard]] std::string chatserv_path();
[[nodiscard]] std::string reference_path();

enum class Program { chatserv, reference };

struct ServerOptions {
    Program program = Program::chatserv;
    std::vector<std::string> listen{"127.0.0.1:0"};
    std::vector<std::string> more{}; // further options as on the command line
    std::vector<std::pair<std::string, std::string>> environment{};
    std::string binary{}; // a build other than the usual one
    // A command that becomes the program, such as setpriv(1) or a shell that ends in `exec "$0"
    // "$@"`.
    std::vector<std::string> starter{};
    // chatserv's --placement; empty: it is not on the command line. All workers have clients in
    // most tests, since that is where more can go wrong.
    std::string placement = "even";
    // Listen sockets of the test, which the server finds from descriptor 3 on: instead of the
    // addresses above, or of some of them.
    std::vector<int> descriptors{};
    std::size_t listens_by_file = 0; // how many more addresses a configuration file names
};

// Listening when constructed. Prints its log if the test fails.
class Server {
public:
    Server(Loop& loop, const ServerOptions& options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // In the order of the listen options.
    [[nodiscard]] const Endpoint& endpoint(std::size_t index = 0) const {
        return endpoints_.at(index);
    }
    // The process that was started: on systems that have keepers, the keeper.
    [[nodiscard]] Process& process() { return process_; }
    // The server's pid: process()'s, or that of the process that is the keeper after it.
    [[nodiscard]] pid_t keeper_pid();
    // The master, which is process() itself where there is no keeper.
    [[nodiscard]] pid_t master_pid();

    // The log's lines so far, without newlines.
    [[nodiscard]] const std::vector<std::string>& log();
    // How many lines hold the text.
    [[nodiscard]] std::size_t count(std::string_view text);
    // How many lines, by its own account, the log lacks because a busy test read too slowly.
    [[nodiscard]] std::size_t dropped();
    // Waits until that many lines hold the text and returns the last of them.
    std::string wait_for_line(std::string_view text, std::size_t wanted = 1);

    // Waits until the client of this address has joined.
    Joined wait_for_join(const std::string& address);

    // The pid of the process that last took up each worker entry, spares not among them.
    [[nodiscard]] std::vector<pid_t> worker_pids();

    // Whether every process of the server has ended.
    [[nodiscard]] bool ended();

    // Sends SIGTERM to the server's pid and waits; the exit status of the server.
    int stop();
    // SIGKILL to keeper and master, and waits for the end of all that is left of the server.
    void kill();

private:
    Loop& loop_;
    Process process_;
    std::vector<Endpoint> endpoints_;
    std::vector<std::string> lines_;
    std::size_t split_bytes_ = 0; // of the log's text, how much is in lines_
};

} // namespace chatserv::test
