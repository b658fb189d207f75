// Upgrading: the master's part in it. The master of the former program tries the new one and stands
// in for the keeper's exec(2); the master of the new program says that it serves, and when all
// workers are replaced. Whatever a dead process left undone is judged by resume().
#pragma once

#include "master/ledger/ledger.h"
#include "master/upgrade/trial.h"
#include "master/upgrade/upgrade_book.h"
#include "master/workers/replacing.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace chatserv {

// Un-notes the former program's files if they were closed before their master died. To be called
// before a successor opens its first descriptor, as put_seats_in_order().
void forget_closed_former(const Ledger& ledger);

// Why a server in this state cannot be upgraded, as the end of a line; empty if it can be.
[[nodiscard]] std::string why_no_upgrade(
    bool has_keeper, bool starting, bool stopping, bool reloading);

class Upgrading {
public:
    // `image`: that this process runs. `program`: the path of the next one.
    Upgrading(const Ledger& ledger, Image image, std::string program) :
        ledger_(ledger), book_(ledger), image_(image), program_(std::move(program)) {}

    // Somebody asks for an upgrade. Returns why there is none, as the end of a line. `why_not_now`:
    // what the caller has against it; empty: nothing.
    [[nodiscard]] std::optional<std::string> begin(const std::string& why_not_now);
    // The same for a signal: the log says why there is none.
    void begin_by_signal(const std::string& why_not_now);
    // In a successor, once it serves: goes on with an upgrade that is under way, or ends it.
    void resume();

    // In each turn, before children are reaped.
    void look();
    // When the next turn is due at the latest.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_look() const;
    // The new program can go on: this master has to stop its work and stand in.
    [[nodiscard]] bool hands_over() const { return state() == UpgradeState::handing_over; }
    // The server stops, so there will be no upgrade.
    void cancel();

    // The new program serves, and its workers replace the others.
    [[nodiscard]] bool replaces_workers() const { return state() == UpgradeState::replacing; }
    // A worker was replaced, in this time.
    void note_takeover(double milliseconds);
    // How far that has got, in each turn while the server serves.
    void advance(Replacing::Verdict verdict);

    // The upgrade that has ended since this was asked last.
    [[nodiscard]] std::optional<UpgradeReport> take_finished() {
        return std::exchange(finished_, std::nullopt);
    }
    [[nodiscard]] UpgradeState state() const { return book_.state(); }
    [[nodiscard]] uint32_t number() const { return book_.number(); }
    [[nodiscard]] std::optional<UpgradeReport> last() const { return book_.last(); }
    [[nodiscard]] const std::string& program() const { return program_; }

private:
    void end_replacing(const std::string& why_not);
    void fail(const std::string& why);
    void end();

    const Ledger& ledger_;
    UpgradeBook book_;
    Image image_;
    std::string program_;
    std::optional<Trial> trial_{};
    std::optional<UpgradeReport> finished_{};
};

} // namespace chatserv
