#include "tests/bridge/joined_server.h"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace chatserv::test {

JoinedServer::JoinedServer(Loop& loop, const NatsCluster& cluster, std::vector<std::string> more) :
    loop_(loop) {
    std::string urls;
    for (const std::string& url : cluster.urls())
        urls += (urls.empty() ? "" : ",") + url;
    more.insert(more.end(), {"--join", urls, "--room", "test", "--workers", "2", "--control",
                                folder_.path().string() + "/control"});
    server_ = std::make_unique<Server>(loop, ServerOptions{.more = std::move(more)});
}

std::unique_ptr<Client> JoinedServer::join() {
    auto client = std::make_unique<Client>(loop_, server_->endpoint());
    server_->wait_for_join(client->address());
    return client;
}

std::string JoinedServer::ask(std::vector<std::string> words) {
    words.insert(words.begin(), chatserv_path());
    words.insert(words.end(), {"--control", folder_.path().string() + "/control"});
    const Finished finished = run(loop_, {words});
    if (finished.status != 0)
        throw std::runtime_error(
            words[1] + " ended with " + std::to_string(finished.status) + ": " + finished.errors);
    return finished.output;
}

nlohmann::json JoinedServer::status() {
    return nlohmann::json::parse(ask({"status", "--json", "--interval", "0"}));
}

nlohmann::json JoinedServer::stats() {
    return nlohmann::json::parse(ask({"stats"}));
}

void JoinedServer::wait_for_room(
    const std::function<bool(const nlohmann::json&)>& wanted, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    nlohmann::json last;
    do {
        last = room();
        if (wanted(last))
            return;
    } while (std::chrono::steady_clock::now() < deadline);
    throw std::runtime_error(std::string("the room never came to be ") + what + ": " + last.dump());
}

void JoinedServer::wait_until_delivering(unsigned others) {
    wait_for_room(
        [&](const nlohmann::json& room) {
            return room.at("link") == "delivering" && room.at("others") == others;
        },
        "delivering");
}

} // namespace chatserv::test
