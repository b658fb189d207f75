#include "tests/bridge/room_scene.h"

#include <algorithm>
#include <chrono>

namespace chatserv::test {

std::string Speaker::words_in(const std::string& log) const {
    std::string words;
    bool ours = false;
    for (const char byte : log) {
        if (byte >= 'a' && byte <= 'z')
            ours = byte == name_;
        if (ours)
            words += byte;
    }
    return words;
}

void RoomScene::start(size_t servers, size_t with_hosts) {
    cluster.emplace(loop, servers);
    for (size_t i = 0; i < with_hosts; ++i)
        add_host(static_cast<int>(servers));
}

void RoomScene::add_host(int replicas) {
    JetStreamSettings settings{.servers = cluster->urls(), .room = "hall", .replicas = replicas};
    settings.bytes_max = 256 * 1024 * 1024;
    const Incarnation incarnation = 1000 + hosts.size();
    hosts.push_back(std::make_unique<BridgedHost>(loop, incarnation, settings));
    missed.push_back(hosts.size() == 1 ? 0 : hosts.front()->host().log.size());
    speakers.emplace_back(static_cast<char>('a' + hosts.size() - 1));
    run([&] { return hosts.back()->order().joined(); }, "a host that has joined");
}

void RoomScene::say_all() {
    for (size_t i = 0; i < hosts.size(); ++i) {
        if (hosts[i]->lives())
            hosts[i]->say(speakers[i].next());
    }
}

void RoomScene::talk(int rounds) {
    for (int i = 0; i < rounds; ++i) {
        say_all();
        for (const auto& host : hosts)
            host->turn();
        loop.turn(std::chrono::milliseconds(0));
    }
}

void RoomScene::settle() {
    size_t said = 0;
    for (const Speaker& speaker : speakers)
        said += speaker.said().size();
    run(
        [&] {
            if (std::ranges::any_of(hosts, [](const auto& host) { return !host->lives(); }))
                return true;
            for (size_t i = 0; i < hosts.size(); ++i) {
                if (!hosts[i]->host().all_counted() ||
                    hosts[i]->host().log.size() + missed[i] != said ||
                    hosts[i]->order().resume_from() != hosts[0]->order().resume_from())
                    return false;
            }
            return true;
        },
        "all hosts to have all that was said");
}

void RoomScene::judge() {
    settle();
    const std::string& whole = hosts.front()->host().log;
    for (size_t i = 0; i < hosts.size(); ++i) {
        const std::string& log = hosts[i]->host().log;
        EXPECT_TRUE(hosts[i]->lives()) << text_of(hosts[i]->loss());
        ASSERT_LE(log.size(), whole.size());
        EXPECT_EQ(log, whole.substr(whole.size() - log.size())) << "host " << i;
        EXPECT_EQ(speakers[i].words_in(whole), speakers[i].said());
        EXPECT_EQ(hosts[i]->order().state().applied.hash, hosts[0]->order().state().applied.hash);
    }
}

} // namespace chatserv::test
