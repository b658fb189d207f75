// Whether this host has read the same as the others. Each of their messages says how far the host
// had read and its running hash there; a hash that differs from ours at the same place means that
// one of the two has read something else.
//
// Which of the two cannot be told from one word, and one faulty host must not end the room for
// everybody. So the hosts of an epoch vote (doubt.h): a host goes on if more of those that have
// spoken, itself included, have read what it has than something else. Of two hosts that differ both
// end: neither can know.
#pragma once

#include "bridge/order/batch.h"

#include <cstddef>
#include <cstdint>
#include <map>

namespace chatserv {

class Witnesses {
public:
    enum class Judgement {
        agreed,    // no host has contradicted
        doubted,   // a host has, and those that have read what we have are no majority of all
        confirmed, // a host has, and they are
    };

    static constexpr size_t witnesses_max = 1024;

    // A new epoch: those who are in it have yet to speak.
    void begin_epoch() { words_.clear(); }
    // A host is in the epoch, and what it said cannot be compared with ours.
    void present(Incarnation host);
    // The message of this number, with all before it, is the same to that host, or is not.
    void agrees(Incarnation host, uint64_t number) { note(host, Word::same, number); }
    void differs(Incarnation host, uint64_t number) { note(host, Word::other, number); }

    [[nodiscard]] Judgement judgement() const;
    // Of those hosts alone whose words could be compared.
    [[nodiscard]] bool has_majority() const;

    // Hosts of this epoch beside this one.
    [[nodiscard]] size_t hosts() const { return words_.size(); }

private:
    enum class Word { none, same, other };
    struct Testimony {
        Word word = Word::none;
        uint64_t number = 0; // the last one that is the same, or the first one heard of that is not
    };

    void note(Incarnation host, Word word, uint64_t number);
    [[nodiscard]] size_t with_us() const;
    [[nodiscard]] size_t against_us() const;

    std::map<Incarnation, Testimony> words_; // the last one of each that could be compared
};

} // namespace chatserv
