#include "tests/bridge/nats_cluster.h"

#include "shared/system/errors.h"
#include "tests/bridge/stream_control.h"
#include "tests/harness/endpoint.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/socket.h>

namespace chatserv::test {

namespace fs = std::filesystem;

namespace {

// How often a cluster is begun with other ports.
constexpr int tries_max = 5;

// Servers name each other by their cluster ports before any of them has one.
std::string free_port() {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    const Endpoint any("127.0.0.1:0");
    if (!fd || bind(fd.get(), any.address(), any.length()) != 0)
        throw_errno("a free port");
    return std::to_string(Endpoint::of_socket(fd.get()).port());
}

} // namespace

NatsServer::NatsServer(
    Loop& loop, const TemporaryDirectory& folder, std::string name, std::string more) :
    loop_(loop),
    folder_(folder.path() / name), name_(std::move(name)), more_(std::move(more)),
    cluster_port_(free_port()) {
    fs::remove_all(folder_); // of a cluster that was begun with other ports
    fs::create_directories(fs::path(folder_) / "ports");
}

void NatsServer::start(const std::vector<std::string>& routes) {
    const std::string file = folder_ + "/server.conf";
    {
        std::ofstream config(file);
        config << "server_name: " << name_ << "\nlisten: \"127.0.0.1:" << port_ << "\"\n"
               << "ports_file_dir: \"" << folder_ << "/ports\"\n"
               << "jetstream { store_dir: \"" << folder_ << "\", max_file_store: 2GB }\n"
               << more_ << '\n';
        if (!routes.empty()) {
            config << "cluster { name: test, listen: \"127.0.0.1:" << cluster_port_
                   << "\", routes: [";
            for (const std::string& route : routes)
                config << '"' << route << "\", ";
            config << "] }\n";
        }
    }
    process_ = std::make_unique<Process>(loop_, Command{.arguments = {"nats-server", "-c", file}});
    learn_port();
}

void NatsServer::learn_port() {
    // The server writes the file when it listens, and its name says whose it is.
    const fs::path file =
        fs::path(folder_) / "ports" / ("nats-server_" + std::to_string(process_->pid()) + ".ports");
    nlohmann::json ports;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!ports.is_object()) {
        if (process_->exited() || std::chrono::steady_clock::now() > deadline) {
            const std::string said = process_->errors().text();
            if (said.find("address already in use") != std::string::npos)
                throw AddressInUse("nats-server: " + said);
            throw std::runtime_error("nats-server does not listen: " + said);
        }
        loop_.turn(std::chrono::milliseconds(20)); // nothing tells of the file
        std::ifstream in(file);
        ports = nlohmann::json::parse(in, nullptr, false);
    }
    const std::string url = ports["nats"][0];
    port_ = url.substr(url.rfind(':') + 1);
}

void NatsServer::kill() {
    process_->signal(SIGKILL);
    (void)process_->wait_for_exit();
    process_.reset();
}

NatsCluster::NatsCluster(Loop& loop, size_t servers, std::string more) :
    loop_(loop), more_(std::move(more)) {
    for (int tries = 1;; ++tries) {
        try {
            make_servers(servers);
            return;
        } catch (const AddressInUse&) {
            if (tries == tries_max)
                throw;
        }
    }
}

void NatsCluster::make_servers(size_t count) {
    servers_.clear();
    for (size_t i = 0; i < count; ++i)
        servers_.push_back(
            std::make_unique<NatsServer>(loop_, folder_, "server" + std::to_string(i + 1), more_));
    for (const auto& server : servers_)
        start_once(*server);
}

// Hosts know the port, so another one would not do: whoever has it now may let go of it.
void NatsCluster::start(NatsServer& server) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        try {
            start_once(server);
            return;
        } catch (const AddressInUse&) {
            if (std::chrono::steady_clock::now() > deadline)
                throw;
        }
        loop_.turn(std::chrono::milliseconds(100));
    }
}

void NatsCluster::start_once(NatsServer& server) {
    std::vector<std::string> routes;
    for (const auto& other : servers_) {
        if (other.get() != &server)
            routes.push_back(other->route());
    }
    server.start(routes);
}

std::vector<std::string> NatsCluster::urls() const {
    std::vector<std::string> urls;
    for (const auto& server : servers_)
        urls.push_back(server->url());
    return urls;
}

NatsServer* NatsCluster::leader(const std::string& room) {
    std::vector<std::string> running;
    for (const auto& server : servers_) {
        if (server->runs())
            running.push_back(server->url());
    }
    const std::string name = StreamControl(running, room).leader();
    for (const auto& server : servers_) {
        if (server->name() == name && server->runs())
            return server.get();
    }
    return nullptr;
}

} // namespace chatserv::test
