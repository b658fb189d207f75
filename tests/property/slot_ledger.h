// R1 from outside: were users given the lowest free slot, and turned away only when none was free?
//
// The test learns of a join or leave some time after it happened. A slot counts as possibly taken
// from the moment when its user began to connect until the test read that it left; only what no
// such uncertainty can excuse is a violation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

class SlotLedger {
public:
    explicit SlotLedger(unsigned users) : users_(users) {}

    // Whether all that are connecting, and so many more, must be admitted.
    [[nodiscard]] bool has_room_for(unsigned more) const;

    // A connection begins; returns the number by which it is named from then on.
    std::size_t connecting();
    void joined(std::size_t visit, unsigned slot);
    void turned_away(std::size_t visit);
    void left(std::size_t visit);

    [[nodiscard]] std::vector<std::string> violations() const;

private:
    struct Visit {
        std::size_t begun = 0;
        std::optional<std::size_t> decided; // joined or turned away
        std::optional<std::size_t> over;    // left or turned away
        std::optional<unsigned> slot;
    };
    [[nodiscard]] bool was_possibly_taken(unsigned slot, const Visit& visit) const;

    unsigned users_;
    std::size_t time_ = 0; // counts events
    std::vector<Visit> visits_;
    std::vector<std::string> double_uses_;
};

} // namespace chatserv::test
