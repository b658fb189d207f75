#include "tests/surroundings/surroundings_test.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace chatserv::test {

namespace {

std::vector<std::string> program_with(const std::vector<std::string>& options) {
    const char* const path = std::getenv("CHATSERV_SURROUNDINGS");
    if (path == nullptr)
        throw std::runtime_error("CHATSERV_SURROUNDINGS does not name the program");
    std::vector<std::string> all{path};
    all.insert(all.end(), options.begin(), options.end());
    return all;
}

} // namespace

std::string SurroundingsTest::why_not(const Surroundings& surroundings) {
    Command command{.arguments = program_with(surroundings)};
    command.arguments.emplace_back("true");
    const Finished probe = run(loop_, command);
    return probe.status == 0 ? "" : "the system does not permit it: " + probe.errors;
}

void SurroundingsTest::start_in(
    const Surroundings& surroundings, const std::vector<std::string>& options) {
    ServerOptions all{Program::chatserv, {"127.0.0.1:0"}, options, {}};
    all.starter = program_with(surroundings);
    server_ = std::make_unique<Server>(loop_, all);
}

Command SurroundingsTest::command_in(
    const Surroundings& surroundings, const std::vector<std::string>& options) {
    Command command{.arguments = program_with(surroundings)};
    command.arguments.insert(
        command.arguments.end(), {chatserv_path(), "--listen", "127.0.0.1:0", "--control", "none"});
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return command;
}

// Version 1 of control groups has one tree for each limited resource. Version 2 has one tree for
// all, in which the memory controller must be enabled.
MemoryGroup::MemoryGroup(const std::string& limit) {
    namespace fs = std::filesystem;
    const fs::path root("/sys/fs/cgroup");
    std::error_code error;
    const bool first_kind = fs::exists(root / "memory/memory.limit_in_bytes", error);
    path_ = (first_kind ? root / "memory" : root) / ("chatserv-test-" + std::to_string(::getpid()));
    if (::mkdir(path_.c_str(), 0755) == -1) {
        why_not_ = path_ + ": " + std::strerror(errno);
        return;
    }
    std::ofstream file(path_ + (first_kind ? "/memory.limit_in_bytes" : "/memory.max"));
    if (!(file << limit).flush())
        why_not_ = path_ + ": memory cannot be limited";
}

MemoryGroup::~MemoryGroup() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::rmdir(path_.c_str()) == -1 && errno == EBUSY &&
           std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
}

} // namespace chatserv::test
