// The reload book: which reloads were asked for and have ended, as the ledger notes it for
// whichever master goes on (MW15), and how the last one ended.
//
// Reloads have numbers, from 1. One that is asked for while another one reads the options has the
// next number, however often it is asked for. A master that dies leaves a number that has begun and
// not ended. If its options were put in force, the legacy in force has that number, and the
// successor has only to apply them; otherwise it reads them anew.
#pragma once

#include "master/config/reload_plan.h"
#include "master/ledger/ledger.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace chatserv {

class ReloadBook {
public:
    explicit ReloadBook(const Ledger& ledger) : words_(ledger.standing()) {}

    // Asks for a reload. Returns the number of the one that will answer.
    uint32_t ask();

    [[nodiscard]] bool any_to_be_made() const { return words_.reload_begun != words_.reload_ended; }
    [[nodiscard]] uint32_t begun() const { return words_.reload_begun; }
    [[nodiscard]] uint32_t ended() const { return words_.reload_ended; }

    // The options are read from now on, for all that have asked. Returns the number of this reload.
    [[nodiscard]] uint32_t begin_reading() { return reading_ = words_.reload_begun; }
    // The reload of this report has ended, well or not.
    void end(ReloadReport report);
    // A dead master has put the options of this reload in force.
    void note_last(ReloadReport report) { last_ = std::move(report); }

    // The reload that ended last, as far as this master knows: of a dead master's it knows only
    // what was put in force.
    [[nodiscard]] const std::optional<ReloadReport>& last() const { return last_; }
    // ... since this was asked last.
    [[nodiscard]] std::optional<ReloadReport> take_finished() {
        return std::exchange(finished_, std::nullopt);
    }

private:
    StandingWords& words_;
    uint32_t reading_ = 0; // number of the reload that reads the options; 0: none does
    std::optional<ReloadReport> last_{};
    std::optional<ReloadReport> finished_{};
};

} // namespace chatserv
