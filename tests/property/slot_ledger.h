// R1 from outside: users get the lowest free slot, and are refused only when none is free.
//
// The test learns of a join or departure some time after it happened. A slot counts as possibly
// taken from the moment when its user began to connect until the test read that it left. Only what
// this uncertainty cannot excuse is a violation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

class SlotLedger {
public:
    explicit SlotLedger(unsigned users) : users_(users) {}

    // Whether all connecting clients and `more` further ones must be admitted.
    [[nodiscard]] bool has_room_for(unsigned more) const;

    // A connection begins; returns the number that identifies it from then on.
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
