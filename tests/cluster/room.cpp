#include "tests/cluster/room.h"

#include "tests/harness/process_figures.h"

#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace chatserv::test {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr const char* words_of_the_end = " is over on this host: ";

} // namespace

Room::Room(Loop& loop, NatsCluster& nats, const RoomOptions& options) :
    loop_(loop), nats_(nats), options_(options) {
    for (std::size_t i = 0; i < options.hosts; ++i)
        add_host();
    wait_until_joined();
}

std::string Room::control(std::size_t at) const {
    return folder_.path() / ("control" + std::to_string(at));
}

void Room::add_host() {
    const std::string socket = control(hosts_.size());
    std::vector<std::string> more{"--room", options_.name, "--room-replicas",
        std::to_string(nats_.size()), "--room-retention", "32M", "--control", socket};
    for (const std::string& url : nats_.urls())
        more.insert(more.end(), {"--join", url});
    more.insert(more.end(), options_.more.begin(), options_.more.end());
    hosts_.push_back(std::make_unique<Host>(loop_,
        ServerOptions{.more = more, .environment = options_.environment, .binary = options_.binary},
        socket));
    (void)hosts_.back()->server->wait_for_line("this host has joined the room");
}

void Room::wait_until_joined() {
    std::size_t living = 0;
    for (std::size_t i = 0; i < hosts_.size(); ++i)
        living += is_over(i) ? 0U : 1U;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (is_over(i))
            continue;
        wait_for_report(
            i,
            [living](const nlohmann::json& report) {
                return report.at("link") == "delivering" && report.at("others") == living - 1;
            },
            "host " + std::to_string(i) + " to know the others");
    }
}

nlohmann::json Room::status(std::size_t host) {
    return nlohmann::json::parse(hosts_.at(host)->control.answer("status"));
}

nlohmann::json Room::report(std::size_t host) {
    return status(host).at("room");
}

nlohmann::json Room::wait_for_status(std::size_t host,
    const std::function<bool(const nlohmann::json&)>& wanted, std::string_view what) {
    const auto deadline = steady_clock::now() + patience;
    nlohmann::json said;
    while (steady_clock::now() < deadline) {
        said = status(host);
        if (wanted(said))
            return said;
        loop_.turn(milliseconds(20));
    }
    throw std::runtime_error("waited in vain for " + std::string(what) + ": " + said.dump());
}

nlohmann::json Room::wait_for_report(std::size_t host,
    const std::function<bool(const nlohmann::json&)>& wanted, std::string_view what) {
    return wait_for_status(
        host, [&](const nlohmann::json& status) { return wanted(status.at("room")); }, what)
        .at("room");
}

void Room::wait_until_at_rest(std::size_t host, std::size_t users) {
    const auto is_at_rest = [users](const nlohmann::json& status) {
        return status.at("users") == users && status.at("room").at("waiting") == 0;
    };
    try {
        wait_for_status(
            host, [&](const nlohmann::json& status) { return is_over(host) || is_at_rest(status); },
            "host " + std::to_string(host) + " to have " + std::to_string(users) + " users");
    } catch (const std::runtime_error&) {
        if (!is_over(host)) // and so answers nobody
            throw;
    }
}

std::optional<pid_t> Room::bridge_pid(std::size_t host) {
    for (const ProcessState& process : members_of(this->host(host).process().pid()))
        if (process.state != 'Z' && title_of(process.pid) == "chatserv: bridge")
            return process.pid;
    return std::nullopt;
}

bool Room::is_over(std::size_t host) {
    Host& asked = *hosts_.at(host);
    const std::vector<std::string>& log = asked.server->log();
    for (; asked.lines_seen < log.size(); ++asked.lines_seen)
        asked.over =
            asked.over || log[asked.lines_seen].find(words_of_the_end) != std::string::npos;
    return asked.over;
}

std::string Room::reason_of_end(std::size_t host) {
    const std::string line = this->host(host).wait_for_line(words_of_the_end);
    const std::size_t begin =
        line.find(words_of_the_end) + std::string_view(words_of_the_end).size();
    return line.substr(begin, line.find(';', begin) - begin);
}

std::unique_ptr<Client> Room::join(std::size_t host) {
    auto client = std::make_unique<Client>(loop_, this->host(host).endpoint());
    this->host(host).wait_for_join(client->address());
    return client;
}

std::vector<std::string> Room::stop() {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        Server& server = *hosts_[i]->server;
        const std::string name = "host " + std::to_string(i);
        const int expected = is_over(i) ? status_of_the_end : 0;
        if (const int status = server.stop(); status != expected)
            found.push_back(name + " ended with status " + std::to_string(status));
        if (!server.process().group_is_gone())
            found.push_back(name + " has left processes behind");
    }
    if (!std::filesystem::is_empty(folder_.path()))
        found.emplace_back("a host has left its control socket behind");
    return found;
}

} // namespace chatserv::test
