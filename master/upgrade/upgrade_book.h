// The upgrade book: how far an upgrade has got, as the ledger notes it for whichever process goes
// on.
//
//     none -> trying -> handing_over -> proving -> replacing -> none
//                                          |
//                                      returning -> none
//
// A process that dies leaves a state, and the next master ends the upgrade that its program cannot
// go on with: resume(). Which program a process runs, it knows by itself (Image).
#pragma once

#include "master/ledger/ledger.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// The program that this process runs.
struct Image {
    uint32_t number = 0; // of the upgrade that began it; 0: the user has started it
};

struct UpgradeReport {
    uint32_t number = 0;
    bool failed = false;
    std::string reason{}; // of the failure
    std::string from{};   // versions
    std::string to{};
    double milliseconds = 0;        // from the request to the last worker
    double newcomers_waited_ms = 0; // at most
    double users_waited_ms = 0;     // at most, for a takeover
    uint32_t workers = 0;           // that were replaced
};

class UpgradeBook {
public:
    explicit UpgradeBook(const Ledger& ledger) : words_(ledger.upgrade()) {}

    [[nodiscard]] UpgradeState state() const;
    [[nodiscard]] bool under_way() const { return state() != UpgradeState::none; }
    [[nodiscard]] uint32_t number() const { return words_.number; }
    // Of the program that an upgrade is to replace.
    [[nodiscard]] Image former() const { return {.number = words_.former}; }
    // Descriptors may be inheritable that must not be (become_program.h).
    [[nodiscard]] bool has_handed_over() const {
        return state() >= UpgradeState::handing_over && state() <= UpgradeState::returning;
    }

    // `former`: the program that is to be replaced.
    void begin(Image former);
    void note_version(std::string_view to);
    void enter(UpgradeState state);
    // Why the upgrade is going to fail; the first reason counts. A long one is cut, and ends in
    // "...".
    void note_reason(std::string_view reason);
    void note_serving();
    // A worker was replaced, in this time.
    void note_takeover(double milliseconds);
    // The upgrade has ended, well or, where a reason was noted, not.
    void end();

    // Of the upgrade that ended last; nothing before the first.
    [[nodiscard]] std::optional<UpgradeReport> last() const;

private:
    UpgradeWords& words_;
};

} // namespace chatserv
