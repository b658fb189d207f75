// Real nats-servers with JetStream, on free ports of 127.0.0.1, their files in a folder of the
// test.
#pragma once

#include "tests/harness/loop.h"
#include "tests/harness/process.h"
#include "tests/harness/temporary_directory.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace chatserv::test {

// Another program has taken a port before a server could.
class AddressInUse : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// One server. It keeps its ports and its files over kills and starts.
class NatsServer {
public:
    // `name`: among the servers of the cluster.
    // `more`: lines of its configuration.
    NatsServer(Loop& loop, const TemporaryDirectory& folder, std::string name, std::string more);

    // With routes to these servers; without any it is no part of a cluster. Throws AddressInUse.
    void start(const std::vector<std::string>& routes);
    // SIGKILL, and waits for the end.
    void kill();
    void signal(int number) const { process_->signal(number); }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool runs() const { return process_ != nullptr; }
    [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + port_; }
    [[nodiscard]] std::string route() const { return "nats://127.0.0.1:" + cluster_port_; }

private:
    void learn_port();

    Loop& loop_;
    std::string folder_;
    std::string name_;
    std::string more_;
    std::string port_ = "-1"; // the server chooses
    std::string cluster_port_;
    std::unique_ptr<Process> process_;
};

class NatsCluster {
public:
    // Starts so many; with one, it is a server alone. `more`: lines of their configuration.
    NatsCluster(Loop& loop, size_t servers, std::string more = "");

    [[nodiscard]] NatsServer& server(size_t at) { return *servers_[at]; }
    [[nodiscard]] size_t size() const { return servers_.size(); }
    [[nodiscard]] std::vector<std::string> urls() const;
    // By which server the room's stream is led; nothing while none is, or none says so.
    [[nodiscard]] NatsServer* leader(const std::string& room);
    // One that was killed, with the ports that it had.
    void start(NatsServer& server);

private:
    void make_servers(size_t count);
    // Throws AddressInUse.
    void start_once(NatsServer& server);

    Loop& loop_;
    TemporaryDirectory folder_;
    std::string more_;
    std::vector<std::unique_ptr<NatsServer>> servers_;
};

} // namespace chatserv::test
