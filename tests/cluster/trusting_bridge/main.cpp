// The control: a bridge that goes on from where its predecessor had published, and does not ask the
// stream how much of that has counted. The torture has to notice what is lost so. The linker leads
// calls here.
#include "bridge/order/publication.h"
#include "bridge/segment_inbox.h"
#include "bridge/start.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/segment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <unistd.h>

namespace chatserv::test {
namespace {

// Where the bridge keeps how far it has published, for its successor: a part of the segment that
// is not used otherwise.
uint64_t* remembered = nullptr;
uint64_t begun_at = 0;

void find_the_place(const char* segment_descriptor) {
    static const Segment segment =
        Segment::attach(UniqueFd(::fcntl(std::stoi(segment_descriptor), F_DUPFD_CLOEXEC, 3)));
    static_assert(offsetof(RoomControl, unused) % alignof(uint64_t) == 0);
    remembered = reinterpret_cast<uint64_t*>(segment.room().unused);
}

} // namespace

std::optional<OrderState> true_state(const SegmentInbox* inbox) __asm__(
    "__real__ZNK8chatserv12SegmentInbox5stateEv");
std::optional<OrderState> trusting_state(const SegmentInbox* inbox) __asm__(
    "__wrap__ZNK8chatserv12SegmentInbox5stateEv");
std::optional<OrderState> trusting_state(const SegmentInbox* inbox) {
    std::optional<OrderState> state = true_state(inbox);
    if (state)
        begun_at = state->counted = std::max(state->counted, load_acquire(*remembered));
    return state;
}

void published_really(Publication* publication, uint64_t to, Publication::Time now) __asm__(
    "__real__ZN8chatserv11Publication9publishedEmNSt6chrono10time_pointINS1_3_V212steady_clockENS1_"
    "8durationIlSt5ratioILl1ELl1000000000EEEEEE");
void published_and_noted(Publication* publication, uint64_t to, Publication::Time now) __asm__(
    "__wrap__ZN8chatserv11Publication9publishedEmNSt6chrono10time_pointINS1_3_V212steady_clockENS1_"
    "8durationIlSt5ratioILl1ELl1000000000EEEEEE");
void published_and_noted(Publication* publication, uint64_t to, Publication::Time now) {
    published_really(publication, to, now);
    store_release(*remembered, std::max(to, load_acquire(*remembered)));
}

// What the predecessor had published comes as well, and has counted in this one's eyes.
void counted_really(Publication* publication, uint64_t to, Publication::Time now) __asm__(
    "__real__ZN8chatserv11Publication7countedEmNSt6chrono10time_pointINS1_3_V212steady_clockENS1_"
    "8durationIlSt5ratioILl1ELl1000000000EEEEEE");
void counted_or_known(Publication* publication, uint64_t to, Publication::Time now) __asm__(
    "__wrap__ZN8chatserv11Publication7countedEmNSt6chrono10time_pointINS1_3_V212steady_clockENS1_"
    "8durationIlSt5ratioILl1ELl1000000000EEEEEE");
void counted_or_known(Publication* publication, uint64_t to, Publication::Time now) {
    if (to > begun_at)
        counted_really(publication, to, now);
}

} // namespace chatserv::test

int main(int argc, char** argv) {
    if (argc > 6)
        chatserv::test::find_the_place(argv[6]);
    ::_exit(chatserv::start_bridge(argc, argv));
}
