// A server that writes its log to a file of the test.
#pragma once

#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace chatserv::test {

inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline std::size_t count_in(const std::string& text, const std::string& wanted) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(wanted, at)) != std::string::npos; ++at)
        ++count;
    return count;
}

class LogFileTest : public ServerTest {
protected:
    std::filesystem::path log() const { return folder_.path() / "log"; }

    void launch(const std::vector<std::string>& options = {}) {
        Command command{{chatserv_path(), "--listen", "127.0.0.1:0", "--control", "none",
            "--log-file", log().string()}};
        command.arguments.insert(command.arguments.end(), options.begin(), options.end());
        process_ = std::make_unique<Process>(loop_, command);
    }

    void start_with_file(const std::vector<std::string>& options = {}) {
        launch(options);
        note_address(wait_for(log(), "listening on "));
    }

    void note_address(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);)
            if (const auto address = parse_listening(line))
                endpoint_ = Endpoint(*address);
    }

    // No event reports the content of a file, so the test looks at the file repeatedly.
    void wait_until(const std::function<bool()>& holds, const std::string& what) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end || process_->exited())
                throw std::runtime_error(
                    "in vain for " + what + "\n" + text_of(log()) + process_->errors().text());
            loop_.turn(std::chrono::milliseconds(10));
        }
    }
    std::string wait_for(
        const std::filesystem::path& path, const std::string& text, std::size_t count = 1) {
        wait_until([&] { return count_in(text_of(path), text) >= count; },
            "'" + text + "' in " + path.string());
        return text_of(path);
    }

    std::unique_ptr<Client> join_and_find_it_in(const std::filesystem::path& path) {
        auto client = std::make_unique<Client>(loop_, endpoint_);
        wait_for(path, " joined from " + client->address());
        return client;
    }

    // The number of the server's processes that have the file open; nothing if the system does not
    // show it.
    std::optional<std::size_t> holders_of(const std::filesystem::path& path) {
        struct stat wanted {};
        if (!std::filesystem::exists("/proc/self/fd") || ::stat(path.c_str(), &wanted) == -1)
            return std::nullopt;
        std::size_t holders = 0;
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const pid_t pid = std::atoi(entry.path().filename().c_str());
            if (pid == 0 || ::getpgid(pid) != process_->pid())
                continue;
            std::error_code gone;
            bool holds = false;
            for (const auto& fd : std::filesystem::directory_iterator(entry.path() / "fd", gone)) {
                struct stat status {};
                holds =
                    holds || (::stat(fd.path().c_str(), &status) == 0 &&
                                 status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev);
            }
            holders += holds ? 1 : 0;
        }
        return holders;
    }

    int stop() {
        process_->signal(SIGTERM);
        return process_->wait_for_exit();
    }

    TemporaryDirectory folder_;
    std::unique_ptr<Process> process_;
    Endpoint endpoint_;
};

} // namespace chatserv::test
