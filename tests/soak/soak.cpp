#include "tests/soak/soak.h"

#include "tests/harness/process.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

namespace chatserv::test {

namespace {

// The allocator takes memory by the page, at times of its own choosing. A leak of 64 bytes for each
// of some thousand connections would exceed this.
constexpr std::int64_t own_habits_bytes = 40'960;

// The last scene has this many times more bursts than the others.
constexpr std::uint64_t bursts_to_measure = 5;

// A sanitizer's memory has no bound.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool memory_counts = false;
#else
constexpr bool memory_counts = true;
#endif

std::string path_of(const SoakOptions& options) {
    return options.binary.empty() ? chatserv_path() : options.binary;
}

ServerOptions server_options(const SoakOptions& options, const ServerConfig& config,
    const SoakDoors& doors, const std::filesystem::path& folder) {
    ServerOptions server{.listen = doors.listen(),
        .more = config.options(),
        .environment = {{"TMPDIR", folder.string()},
            {"CHATSERV_CONTROL", (folder / "control").string()}},
        .binary = options.binary};
    const std::vector<std::string> more = doors.options();
    server.more.insert(server.more.end(), more.begin(), more.end());
    return server;
}

void append(std::vector<std::string>& all, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

} // namespace

Soak::Soak(Loop& loop, std::uint64_t seed, const SoakOptions& options) :
    loop_(loop), random_(seed), options_(options),
    config_(draw_server_config(random_, options.log_bytes_max)), doors_(loop, folder_.path()),
    server_(loop, server_options(options_, config_, doors_, folder_.path())),
    control_(loop, (folder_.path() / "control").string()), history_(server_) {
    control_.wait_for("\"hello\"");
}

std::vector<std::string> Soak::run() {
    wait_until_complete();
    const SceneOptions usual{.actions = options_.actions, .bursts = options_.bursts};
    SceneOptions quiet = usual;
    quiet.actions_per_strike = 0;
    std::vector<std::string> found = play(quiet);
    memory_before_ = memory_of(server_, history_.workers());
    for (std::uint64_t scene = 0; scene < options_.scenes && found.empty(); ++scene) {
        SceneOptions next = usual;
        next.actions_per_strike = random_() % 4 == 0 ? 0 : options_.actions_per_strike;
        append(found, play(next));
    }
    if (found.empty())
        append(found, play_the_last_one());
    append(found, end());
    return found;
}

// A spare may start a little after the server's first line. Where processes cannot be counted,
// there is nothing to wait for. A port may be one of a server that has just ended, with connections
// which are not closed yet.
void Soak::wait_until_complete() {
    doors_.accept_sources(history_);
    const std::size_t masters = server_.master_pid() == server_.process().pid() ? 0 : 1;
    const std::size_t processes =
        masters + config_.workers + config_.spares + SoakDoors::source_processes;
    loop_.wait_until(
        [&] {
            history_.read();
            before_ = resources_of(server_, doors_, history_.workers());
            const auto& workers = before_.descriptors_of_workers;
            return before_.processes == 0 ||
                   (before_.processes == processes && before_.connections == 0 &&
                       std::count(workers.begin(), workers.end(), 0) == 0);
        },
        "all processes of the server");
}

// The workers' memory can be compared only while none of them dies. New workers take what every
// worker takes in the first of these two scenes.
std::vector<std::string> Soak::play_the_last_one() {
    SceneOptions storm{.actions = 0, .bursts = options_.bursts, .actions_per_strike = 0};
    std::vector<std::string> found = play(storm);
    const MemoryByProcess before = memory_of(server_, history_.workers());
    storm.bursts *= bursts_to_measure;
    append(found, play(storm));
    append(found, flaws_of_memory(before));
    append(found, flaws_of_memory(memory_before_));
    return found;
}

std::vector<std::string> Soak::play(const SceneOptions& options) {
    SceneOptions drawn = options;
    drawn.seed = random_();
    Scene scene({loop_, server_, doors_, control_, history_, config_}, drawn);
    std::vector<std::string> found = scene.run();
    counts_ += scene.counts();
    if (found.empty())
        append(found, balance());
    return found;
}

// All clients but the sources have left: what remains takes a moment to settle, and then everything
// is as before.
std::vector<std::string> Soak::balance() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        history_.read();
        const ServerResources now = resources_of(server_, doors_, history_.workers());
        std::vector<std::string> found = flaws_of_books();
        if (!now.matches(before_, doors_.sources().size()))
            found.push_back("before: " + before_.text() + "; now: " + now.text());
        if (found.empty() || std::chrono::steady_clock::now() > deadline)
            return found;
        loop_.turn(std::chrono::milliseconds(20));
    }
}

std::uint64_t Soak::connections_seen() const {
    return history_.joined() + history_.turned_away();
}

// Compares the server's counters, the log, and the test's own numbers.
std::vector<std::string> Soak::flaws_of_books() {
    std::vector<std::string> found = history_.alarms();
    const auto expect = [&](const std::string& what, std::uint64_t is, std::uint64_t is_due) {
        if (is != is_due)
            found.push_back(
                what + ": " + std::to_string(is) + ", and not " + std::to_string(is_due));
    };
    const Finished finished = test::run(
        loop_, {{path_of(options_), "stats", "--control", (folder_.path() / "control").string()}});
    const auto said = nlohmann::json::parse(finished.output, nullptr, false);
    if (said.is_discarded()) {
        found.push_back("no counters: " + finished.errors);
        return found;
    }
    history_.read();
    const auto number = [&](const nlohmann::json& value) { return value.get<std::uint64_t>(); };
    const std::uint64_t sources = history_.sources();
    expect("sources", sources, doors_.sources().size());
    expect("users", number(said["users"]), sources);
    expect("accepted, and users joined", number(said["accepted"]), history_.joined());
    expect("turned away, as counted and in the log", number(said["turned_away"]["table_full"]),
        history_.turned_away());
    moved_ = number(said["moved"]);
    expect("workers drained", said["drained"].size(), 0);
    expect("accept pauses", number(said["accept_pauses"]), 0);
    expect("users left, and users joined", history_.left() + sources, history_.joined());
    for (const auto& [reason, count] : said["left"].items()) {
        const auto in_log = history_.left_by_reason().find(reason);
        expect("left as " + reason, number(count),
            in_log == history_.left_by_reason().end() ? 0 : in_log->second);
    }
    expect("who came and was waited for", connections_seen() - history_.strangers() - sources,
        counts_.stays + counts_.refused);
    expect("who came in bursts", history_.strangers(), counts_.in_bursts);
    return found;
}

// Of the processes that were there then, and are still.
std::vector<std::string> Soak::flaws_of_memory(const MemoryByProcess& before) {
    std::vector<std::string> found;
    for (const auto& [pid, bytes] : memory_of(server_, history_.workers())) {
        const auto then = before.find(pid);
        if (then == before.end())
            continue;
        const auto growth =
            static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(then->second);
        std::int64_t& most = pid == server_.master_pid() ? growth_of_master_ : growth_of_workers_;
        most = std::max(most, growth);
        if (memory_counts && growth > own_habits_bytes)
            found.push_back("process " + std::to_string(pid) + " has " + std::to_string(growth) +
                            " bytes more memory of its own than before");
    }
    return found;
}

std::vector<std::string> Soak::end() {
    std::vector<std::string> found;
    if (const int status = server_.stop(); status != 0)
        found.push_back("the server ended with status " + std::to_string(status));
    if (!server_.process().group_is_gone())
        found.emplace_back("the server has left processes behind");
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
        found.push_back("the server has left a file behind: " + entry.path().string());
    append(found, shared_memory_of(server_.process().pid()));
    return found;
}

} // namespace chatserv::test
