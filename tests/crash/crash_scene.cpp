#include "tests/crash/crash_scene.h"

#include "tests/harness/process.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unistd.h>

namespace chatserv::test {

namespace {

std::string number_of(CrashPoint point) {
    return std::to_string(static_cast<unsigned>(point));
}

std::string number_of(MasterPoint point) {
    return "master-" + std::to_string(static_cast<unsigned>(point));
}

} // namespace

std::string build_named(const char* variable) {
    const char* const path = std::getenv(variable);
    if (path == nullptr)
        throw std::runtime_error(std::string(variable) + " is not set: run these with meson test");
    return path;
}

std::string too_fast_line() {
    return "you are sending too fast: 65536 bytes a second are read!\n";
}

// A worker reads one second's worth at once, and so does each successor.
std::string flood() {
    std::string text;
    for (unsigned number = 0; text.size() < 5 * max_rate_bytes / 2; ++number)
        text += std::to_string(number) + ",";
    return text;
}

void CrashScene::open(const std::string& binary, const std::vector<std::string>& options,
    std::size_t listens_by_file) {
    // Workers remove files there, and workers of root run as nobody.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    std::vector<std::string> all{"--spares", "2", "--control", control()};
    if (listens_by_file == 0)
        all.insert(all.end(), {"--workers", "2"});
    all.insert(all.end(), options.begin(), options.end());
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.listen = listens_by_file == 0 ? listen_ : std::vector<std::string>(),
                   .more = all,
                   .environment = {{"CHATSERV_CRASH_DIR", folder_.path().string()},
                       {"CHATSERV_TEST_RENEWALS_IN", "3"}},
                   .binary = binary,
                   .listens_by_file = listens_by_file});
    for (int i = 0; i < 4; ++i) {
        people_.push_back({std::make_unique<Client>(loop_, server_->endpoint())});
        const Joined joined = server_->wait_for_join(people_.back().client->address());
        ASSERT_EQ(joined.worker, i % 2 + 1) << "new users do not take turns at the workers";
    }
    everyone_speaks("before");
}

void CrashScene::arm_victim(CrashPoint point, std::size_t worker) {
    const std::string pid = std::to_string(server_->worker_pids().at(worker - 1));
    (void)folder_.file(number_of(point) + "." + pid, "");
}

// The order matters: the victim may still be recording its last write, and would die at once. And
// a process that lives may come to `point` too, where channels are replaced.
void CrashScene::arm(CrashPoint point, CrashPoint first, std::size_t worker) {
    if (first == CrashPoint::count)
        return arm_victim(point, worker);
    (void)folder_.file("first", "");
    (void)folder_.file(number_of(point) + ".after", "");
    arm_victim(first, worker);
}

void CrashScene::arm_to_spin(CrashPoint point) {
    (void)folder_.file(number_of(point) + ".spin", "");
}

void CrashScene::arm_to_break_out(CrashPoint point) {
    (void)folder_.file(number_of(point) + ".forbidden", "");
}

void CrashScene::arm_to_fail(CrashPoint point) {
    (void)folder_.file(number_of(point) + ".fail", "");
}

void CrashScene::disarm_failing(CrashPoint point) {
    std::filesystem::remove(folder_.path() / (number_of(point) + ".fail"));
}

void CrashScene::arm_master(MasterPoint point) {
    (void)folder_.file(number_of(point), "");
}

bool CrashScene::struck(MasterPoint point) const {
    return !std::filesystem::exists(folder_.path() / number_of(point));
}

bool CrashScene::struck(CrashPoint point) const {
    return std::ranges::none_of(std::filesystem::directory_iterator(folder_.path()),
        [&](const auto& entry) { return entry.path().stem() == number_of(point); });
}

void CrashScene::join(const std::string& text) {
    people_.push_back({std::make_unique<Client>(loop_, server_->endpoint())});
    server_->wait_for_join(people_.back().client->address());
    say(people_.size() - 1, text);
}

void CrashScene::fill_log() {
    for (char letter = 'a'; letter < 'j'; ++letter)
        say(1, std::string(8192, letter));
}

void CrashScene::join_with_replay(const std::string& text) {
    std::string replayed;
    for (char letter = 'f'; letter < 'j'; ++letter)
        replayed += std::string(8192, letter);
    people_.push_back({std::make_unique<Client>(loop_, server_->endpoint()), replayed});
    people_.back().client->wait_for_bytes(replayed.size());
    server_->wait_for_join(people_.back().client->address());
    say(people_.size() - 1, text);
}

void CrashScene::resume_from(std::size_t offset) {
    reader_ = std::make_unique<Client>(loop_, server_->endpoint(listen_.size() - 1));
    reader_->send("resume " + std::to_string(offset) + "\n");
    reader_->wait_for("\n");
}

void CrashScene::expect_that_the_reader_has_all(std::size_t offset) {
    const std::string& received = reader_->received();
    const std::size_t answer_bytes = received.find('\n') + 1;
    reader_->wait_for_bytes(answer_bytes + said_.size() - offset);
    EXPECT_EQ(received.substr(answer_bytes), said_.substr(offset));
    const std::string answer = received.substr(0, answer_bytes);
    EXPECT_TRUE(answer.starts_with("from ")) << answer;
    EXPECT_TRUE(answer.ends_with(":" + std::to_string(offset) + "\n")) << answer;
    EXPECT_EQ(answer.size(), std::string("from 0123456789abcdef:5\n").size()) << answer;
}

void CrashScene::everyone_but(std::size_t person, const std::string& text) {
    said_ += text;
    for (std::size_t i = 0; i < people_.size(); ++i)
        if (i != person && !people_[i].client->ended())
            people_[i].expected += text;
    for (const Person& other : people_)
        if (!other.client->ended())
            other.client->wait_for_bytes(other.expected.size());
}

void CrashScene::say(std::size_t person, const std::string& text) {
    people_[person].client->send(text);
    everyone_but(person, text);
}

void CrashScene::leave(std::size_t person, const std::string& text) {
    people_[person].client->send(text);
    people_[person].client->half_close();
    people_[person].client->wait_for_end();
    ++left_;
    everyone_but(person, text);
}

void CrashScene::fall_behind(std::size_t person) {
    Client& slow = *people_[person].client;
    slow.pause();
    constexpr unsigned pieces = 8; // each of half a log: no other is ever further behind
    std::string all;
    for (unsigned piece = 0; piece < pieces; ++piece) {
        const std::string text(1'000'000, static_cast<char>('a' + piece));
        all += text;
        people_[1].client->send(text);
        for (std::size_t i = 0; i < people_.size(); ++i) {
            if (i == person || i == 1)
                continue;
            people_[i].expected += text;
            people_[i].client->wait_for_bytes(people_[i].expected.size());
        }
    }
    server_->wait_for_line(" left: too slow", ++behind_);
    slow.resume();
    slow.wait_for_end();
    const std::string due = people_[person].expected + all;
    EXPECT_LT(slow.received().size(), due.size());
    EXPECT_EQ(due.compare(0, slow.received().size(), slow.received()), 0);
    people_[person].expected = slow.received();
}

void CrashScene::be_kicked(std::size_t person, const std::string& text) {
    Client& client = *people_[person].client;
    say(person, text);
    const Finished finished =
        run(loop_, {{chatserv_path(), "kick", client.address(), "--control", control()}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    client.wait_for_end();
    people_[person].expected += "you were disconnected by an operator!\n";
    ++kicked_;
}

void CrashScene::send_too_fast(std::size_t person) {
    say(person, flood());
    people_[person].expected += too_fast_line();
    people_[person].client->wait_for_bytes(people_[person].expected.size());
}

void CrashScene::everyone_speaks(const std::string& occasion) {
    for (std::size_t i = 0; i < people_.size(); ++i)
        if (!people_[i].client->ended())
            say(i, std::to_string(i) + " speaks " + occasion + ";");
}

std::string CrashScene::control() const {
    return folder_.path().string() + "/control";
}

std::string CrashScene::config() const {
    return folder_.path().string() + "/chatserv.conf";
}

void CrashScene::configure(const std::string& text) {
    (void)folder_.file("chatserv.conf", text);
}

std::string CrashScene::reload() {
    const Finished finished = run(loop_, {{chatserv_path(), "reload", "--control", control()}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return finished.output;
}

std::string CrashScene::drain(std::size_t worker) {
    const Finished finished =
        run(loop_, {{chatserv_path(), "drain", std::to_string(worker), "--control", control()}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return finished.output;
}

std::uint64_t CrashScene::users_moved() {
    const Finished finished = run(loop_, {{chatserv_path(), "stats", "--control", control()}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return nlohmann::json::parse(finished.output).at("moved");
}

void CrashScene::move() {
    std::string text;
    for (unsigned number = 0; text.size() < 2'000'000; ++number)
        text += std::to_string(number) + ";";
    people_[0].client->send(text);
    people_[1].client->wait_for_bytes(people_[1].expected.size() + 1);
    EXPECT_NE(drain(1).find("2 users moved"), std::string::npos);
    everyone_but(0, text);
}

void CrashScene::expect_that_worker_1_has_no_users() {
    const std::string taken_over = "worker 1 taken over by pid ";
    const std::size_t before = server_->count(taken_over);
    ::kill(server_->worker_pids().front(), SIGKILL);
    const std::string line = server_->wait_for_line(taken_over, before + 1);
    EXPECT_NE(line.find(" 0 users moved"), std::string::npos) << line;
}

void CrashScene::expect_that_nobody_noticed() {
    for (std::size_t i = 0; i < people_.size(); ++i)
        EXPECT_EQ(people_[i].client->received(), people_[i].expected) << "user " << i;
    if (left_ > 0)
        server_->wait_for_line(" left: end of file", left_);
    EXPECT_EQ(server_->count(" left: too slow"), behind_);
    if (kicked_ > 0)
        server_->wait_for_line(" left: kicked", kicked_);
    EXPECT_EQ(server_->count(" left: too slow"), behind_);
    EXPECT_EQ(server_->count(" left: "), left_ + behind_ + kicked_);
}

void CrashScene::stop() {
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace chatserv::test
