// Servers and commands that meet in a folder of the test's own.
#pragma once

#include "tests/harness/process.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/control_connection.h"
#include "tests/integration/server_test.h"

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace chatserv::test {

// Servers and commands of these tests know only this folder, so that they do not see other servers
// of this machine.
class ControlFolderTest : public ServerTest {
protected:
    using Environment = std::vector<std::pair<std::string, std::string>>;

    std::string in(const std::string& name) const { return (folder_.path() / name).string(); }

    Environment environment(const std::string& control = "") const {
        return {{"CHATSERV_CONTROL_DIR", folder_.path().string()}, {"CHATSERV_CONTROL", control}};
    }

    std::unique_ptr<Server> start_server(const std::string& control = "") {
        return std::make_unique<Server>(loop_, ServerOptions{.environment = environment(control)});
    }

    Finished ask(std::vector<std::string> words) {
        words.insert(words.begin(), chatserv_path());
        return run(loop_, {words, environment()});
    }

    static std::string usual_name(Server& server) {
        return "chatserv-" + std::to_string(server.process().pid()) + ".sock";
    }

    std::string socket_of(Server& server) const { return in(usual_name(server)); }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            all.push_back(entry.path().filename().string());
        return all;
    }

    static void kill_at_once(Server& server) { server.kill(); }

    TemporaryDirectory folder_;
};

} // namespace chatserv::test
