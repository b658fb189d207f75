#include "tests/upgrade/installation.h"

#include "tests/harness/server.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace chatserv::test {

namespace {

namespace fs = std::filesystem;

std::string named(const char* variable) {
    const char* const path = std::getenv(variable);
    return path == nullptr ? "" : path;
}

std::string beside(const std::string& program, const char* name) {
    return (fs::path(program).parent_path() / name).string();
}

std::string worker_of(const std::string& program) {
    return beside(program, "chatserv-worker");
}

} // namespace

std::string usual_version() {
    return chatserv_path();
}

std::string other_version() {
    return named("CHATSERV_OTHER_VERSION");
}

std::string version_with_dying_masters() {
    return named("CHATSERV_DYING_MASTER");
}

void Installation::put(const std::string& name, const std::string& from) const {
    fs::copy_file(from, path("new"), fs::copy_options::overwrite_existing);
    fs::rename(path("new"), path(name));
}

void Installation::install(const std::string& program) {
    put("chatserv", program);
    put("chatserv-worker", worker_of(program));
    for (const char* const name : {"chatserv-metrics", "chatserv-source", "chatserv-bridge"})
        if (const std::string other = beside(program, name); fs::exists(other))
            put(name, other);
}

// The script goes on as a copy beside it, since a program looks for its worker beside itself.
void Installation::install_script(
    const std::string& when, const std::string& commands, const std::string& program) {
    put("chatserv-itself", program);
    put("chatserv-worker", worker_of(program));
    install_script_as("chatserv", "if [ \"$1\" = " + when + " ]; then\n" + commands +
                                      "\nfi\nexec '" + path("chatserv-itself") + "' \"$@\"");
}

void Installation::install_one(const std::string& name, const std::string& program) const {
    put(name, beside(program, name.c_str()));
}

void Installation::install_script_as(const std::string& name, const std::string& commands) const {
    std::ofstream(path("new")) << "#!/bin/sh\n" << commands << "\n";
    fs::permissions(path("new"), fs::perms::owner_all);
    fs::rename(path("new"), path(name));
}

void Installation::install_changed(
    const std::string& from, const std::string& to, const std::string& program) {
    put("chatserv-changed", program);
    std::fstream file(path("chatserv-changed"), std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1))
        file.seekp(static_cast<std::streamoff>(at)) << to;
    file.close();
    put("chatserv-worker", worker_of(program));
    fs::rename(path("chatserv-changed"), chatserv());
}

void Installation::remove(const std::string& name) const {
    fs::remove(path(name));
}

} // namespace chatserv::test
