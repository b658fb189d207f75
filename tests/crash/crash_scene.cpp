#include "tests/crash/crash_scene.h"

#include "tests/harness/process.h"

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

void CrashScene::open(const std::string& binary, const std::vector<std::string>& options) {
    // Workers remove files there, and workers of root run as nobody.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    std::vector<std::string> all{"--workers", "2", "--spares", "2", "--control", control()};
    all.insert(all.end(), options.begin(), options.end());
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.more = all,
                   .environment = {{"CHATSERV_CRASH_DIR", folder_.path().string()}},
                   .binary = binary});
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

void CrashScene::arm_anyone(CrashPoint point) {
    (void)folder_.file(number_of(point), "");
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

bool CrashScene::struck(CrashPoint point) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
        if (entry.path().stem() == number_of(point))
            return false;
    return true;
}

void CrashScene::join(const std::string& text) {
    people_.push_back({std::make_unique<Client>(loop_, server_->endpoint())});
    server_->wait_for_join(people_.back().client->address());
    say(people_.size() - 1, text);
}

void CrashScene::everyone_but(std::size_t person, const std::string& text) {
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
    EXPECT_EQ(server_->count(" left: "), left_);
}

void CrashScene::stop() {
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace chatserv::test
