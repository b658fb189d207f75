// What the process of a source says to the master, over the stream between them: words of one size,
// the first of which may bring a descriptor.
#pragma once

#include "shared/system/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

struct SourceWord {
    enum class Kind : uint8_t {
        // A descriptor comes along: the connection that becomes the client. Of a file, the text is
        // a FilePlace, at which the reading begins.
        connected = 1,
        failed = 2,  // the process ends without one, or after it; the text says why
        over = 3,    // the source is at its end for good: it is not made again
        place = 4,   // of a file: the text is a FilePlace, at which the reading goes on
        dropped = 5, // of UDP: the text is DatagramDrops
    };
    Kind kind{};
    char text[127]{}; // ends with a zero byte; one printable line
};
static_assert(sizeof(SourceWord) == 128);

// Sends a word, and waits as long as the stream has no room. `descriptor`: -1 for none; it stays
// open here. Returns 0, or an errno of sendmsg(2): EPIPE where the server has ended.
[[nodiscard]] int say_word(
    int stream, SourceWord::Kind kind, std::string_view text, int descriptor = -1);

// What was read of words, in the master. The process is one of the server's own, but it reads what
// strangers send: whatever it says is checked.
class SourceWords {
public:
    struct Heard {
        SourceWord::Kind kind;
        std::string text;  // printable
        UniqueFd socket{}; // of `connected`, always
    };
    // The next whole word of a non-blocking stream; nothing where none has come. A word that no
    // process of the server's says ends the stream.
    [[nodiscard]] std::optional<Heard> next(int stream);
    // The other end is closed, or has said what is no word.
    [[nodiscard]] bool ended() const { return ended_; }

private:
    char bytes_[sizeof(SourceWord)]{};
    size_t filled_ = 0;
    UniqueFd socket_{};
    bool ended_ = false;
};

} // namespace chatserv
