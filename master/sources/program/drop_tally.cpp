#include "master/sources/program/drop_tally.h"

#include "master/sources/source_word.h"

#include <poll.h>
#include <utility>

namespace chatserv {

void DropTally::count(uint64_t datagrams, std::string why) {
    if (datagrams == 0)
        return;
    drops_.total += datagrams;
    drops_.why = std::move(why);
    is_said_ = false;
}

int DropTally::say(Clock::time_point now) {
    if (is_said_)
        return -1;
    if (now < next_)
        return static_cast<int>(
                   std::chrono::duration_cast<std::chrono::milliseconds>(next_ - now).count()) +
               1;
    next_ = now + pause;
    pollfd room{.fd = lifeline_, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 0) == 1)
        say_again();
    return is_said_ ? -1 : static_cast<int>(std::chrono::milliseconds(pause).count());
}

void DropTally::say_again() {
    (void)say_word(lifeline_, SourceWord::Kind::dropped, drops_.text());
    is_said_ = true;
}

} // namespace chatserv
