#include "worker/relay/line_ingest.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/kernel_account.h"
#include "worker/relay/line_look.h"

#include <algorithm>

namespace chatserv {

namespace {

uint64_t total_read(const Client& client) {
    return load_acquire(client.slot->bytes_read);
}

} // namespace

LineIngest::LineIngest(const Segment& segment, const Intake& intake) :
    intake_(intake), lines_(segment.header().framing), sender_prefix_(segment), parts_(segment) {}

bool LineIngest::full() const {
    const size_t longest = std::max(lines_.longest_log_bytes(), Intake::read_bytes_min);
    return intake_.staging().room().size() < longest || intake_.staging().log_room() < longest;
}

void LineIngest::introduce(Client& client) const {
    if (!Parts::has_those_of(*client.slot))
        make_room_for_lines(client.fd.get());
    sender_prefix_.introduce(client);
    client.unfinished_bytes = part_of(client).size() + unread_bytes(client.fd.get());
}

std::span<const char> LineIngest::part_of(const Client& client) const {
    return Parts::has_those_of(*client.slot)
               ? parts_.of(client.id, total_read(client)).value_or(std::span<const char>())
               : std::span<const char>();
}

// Where the client's lines go: behind their prefix. W1: a successor finds them there.
std::span<char> LineIngest::place_of_lines(const Client& client) const {
    const std::span<char> room = intake_.staging().room();
    std::copy(client.prefix.begin(), client.prefix.end(), room.begin());
    return room.subspan(client.prefix.size());
}

LineIngest::Read LineIngest::read(Client& client, size_t bytes_max, bool at_end) const {
    const std::span<char> place = place_of_lines(client);
    const std::span<const char> part = part_of(client);
    std::copy(part.begin(), part.end(), place.begin());
    const size_t shown_max =
        std::max(std::min(bytes_max, Intake::read_bytes_max), lines_.longest_bytes());
    if (Intake::counts_reads_of(client))
        count_reads_no_more(client.fd.get());
    const LineLook look = look_for_lines(client.fd.get(),
        place.first(std::min(place.size(), shown_max)), part.size(), lines_, at_end);
    crash_point(CrashPoint::looked);
    const Seen seen{place.first(std::max(look.seen.size(), part.size())), part.size(), look.is_all};
    switch (look.kind) {
    case LineLook::Kind::lines:
        return sender_prefix_.wants_name(client) ? take_name(client, seen)
                                                 : take_lines(client, seen, bytes_max, at_end);
    case LineLook::Kind::part:
        return take_part(client, seen);
    case LineLook::Kind::nothing:
        return {.kind = Read::Kind::nothing};
    case LineLook::Kind::end_of_file:
        end_part(client, seen);
        return {.kind = Read::Kind::end_of_file};
    case LineLook::Kind::failed:
        break;
    }
    end_part(client, seen);
    return {.kind = Read::Kind::failed, .error = look.error};
}

template <typename Record>
LineIngest::Read LineIngest::receive(
    const Client& client, std::span<char> place, Record record) const {
    return intake_.receive(client, place, total_read(client) + part_of(client).size(), record);
}

// Reads the seen bytes up to `bytes`, of which the first `used` become something. Calls
// record(got), where `got` of `used` are there: fewer only if recv(2) has stopped before. The rest
// of what was read is kept.
template <typename Record>
LineIngest::Read LineIngest::receive_rest(
    Client& client, const Seen& seen, size_t bytes, size_t used, Record record) const {
    size_t there = seen.kept;
    size_t got_of_used = 0;
    Read read =
        receive(client, seen.bytes.subspan(seen.kept, bytes - seen.kept), [&](uint32_t got) {
            there += got;
            got_of_used = std::min(used, there);
            record(got_of_used);
            if (Parts::has_those_of(*client.slot))
                parts_.keep(client.id, total_read(client),
                    seen.bytes.subspan(got_of_used, there - got_of_used));
        });
    // The filter tells of new bytes alone. An unfinished line at the end of those seen has to wait
    // for such bytes, and everything else can be read now.
    const std::span<const char> rest = seen.bytes.subspan(got_of_used);
    read.bytes = static_cast<uint32_t>(got_of_used);
    read.more =
        lines_.first(rest, false) || unread_bytes(client.fd.get()) > seen.bytes.size() - there;
    client.unfinished_bytes = rest.size();
    return read;
}

// One byte of the log is spared for the end of a line within which recv(2) stops, as it does in
// front of urgent data that has come since the look.
LineIngest::Read LineIngest::take_lines(
    Client& client, const Seen& seen, size_t bytes_max, bool at_end) const {
    const Lines::Whole whole = lines_.whole(seen.bytes, seen.is_all, client.prefix.size(),
        {.bytes = bytes_max, .log_bytes = intake_.staging().log_room() - 1});
    const bool ends_with_part = Parts::has_those_of(*client.slot) &&
                                !lines_.first(seen.bytes.subspan(whole.bytes), seen.is_all);
    const size_t bytes = ends_with_part ? seen.bytes.size() : std::max(whole.bytes, seen.kept);
    Read read = receive_rest(client, seen, bytes, whole.bytes, [&](size_t got) {
        record_lines(client, got,
            got == whole.bytes ? whole.log_bytes
                               : lines_.log_bytes(seen.bytes.first(got), client.prefix.size()));
    });
    read.cuts = static_cast<uint32_t>(whole.cuts);
    read.more = read.more || at_end;
    return read;
}

LineIngest::Read LineIngest::take_name(Client& client, const Seen& seen) const {
    const Lines::Line line = *lines_.first(seen.bytes, seen.is_all);
    sender_prefix_.store_name(client, {seen.bytes.data(), line.content_bytes}, line.bytes);
    Read read = receive_rest(client, seen, std::max(line.bytes, seen.kept), line.bytes,
        [&](size_t got) { sender_prefix_.take_name(client, got); });
    read.more = true;
    return read;
}

LineIngest::Read LineIngest::take_part(Client& client, const Seen& seen) const {
    const Read part{.kind = Read::Kind::part, .bytes = static_cast<uint32_t>(seen.bytes.size())};
    if (!Parts::has_those_of(*client.slot))
        return part;
    const Read read = receive(client, seen.bytes.subspan(seen.kept), [&](uint32_t got) {
        parts_.keep(client.id, total_read(client), seen.bytes.first(seen.kept + got));
    });
    return read.kind == Read::Kind::some ? part : read;
}

// The client has left with an unfinished line, which is given an end. One that was to be its name
// is of no use to anybody.
void LineIngest::end_part(Client& client, const Seen& seen) const {
    if (seen.kept == 0 || sender_prefix_.wants_name(client))
        return;
    const Lines::Whole whole = lines_.whole(seen.bytes, true, client.prefix.size(),
        {.bytes = seen.kept, .log_bytes = intake_.staging().log_room()});
    (void)receive(client, {}, [&](uint32_t) {
        record_lines(client, whole.bytes, whole.log_bytes);
        parts_.keep(client.id, total_read(client), {});
    });
}

// `bytes` of the client's lines lie behind their prefix at the place of the next chunk.
void LineIngest::record_lines(const Client& client, uint64_t bytes, uint64_t log_bytes) const {
    const size_t prefix = client.prefix.size();
    intake_.record(client,
        {.bytes = static_cast<uint32_t>(prefix + bytes),
            .log_bytes = static_cast<uint32_t>(log_bytes),
            .prefix_bytes = static_cast<uint32_t>(prefix)},
        total_read(client) + bytes);
}

bool LineIngest::settle(Client& client, uint64_t bytes) const {
    sender_prefix_.introduce(client);
    if (Parts::has_those_of(*client.slot))
        return settle_local(client, bytes);
    if (sender_prefix_.wants_name(client))
        return sender_prefix_.settle_name(client, bytes);
    if (bytes == 0)
        return true;
    const size_t prefix = client.prefix.size();
    const size_t room = intake_.staging().room().size();
    if (room < prefix || bytes > room - prefix)
        return false;
    const std::span<const char> chunk = place_of_lines(client).first(static_cast<size_t>(bytes));
    const size_t log_bytes = lines_.log_bytes(chunk, prefix);
    if (log_bytes > intake_.staging().log_room())
        return false;
    record_lines(client, bytes, log_bytes);
    return true;
}

// Of a UNIX socket all is read that has come. So the `bytes` are the part that was kept and what
// was read behind it, if nothing of the read is recorded; and if its lines are, they are the part
// that was about to be kept, and lie behind these lines.
bool LineIngest::settle_local(Client& client, uint64_t bytes) const {
    const auto part = parts_.of(client.id, total_read(client));
    if (!part) {
        // A name's line is no chunk, so it lies there still.
        const uint64_t name = sender_prefix_.name_bytes_at(client, total_read(client));
        const std::span<char> behind = intake_.staging().behind();
        return name <= behind.size() && bytes <= behind.size() - name &&
               keep(client, behind.subspan(name, static_cast<size_t>(bytes)));
    }
    const std::span<char> room = intake_.staging().room();
    const size_t prefix = client.prefix.size();
    if (bytes < part->size() || room.size() < prefix || bytes > room.size() - prefix)
        return false;
    const std::span<char> taken = place_of_lines(client).first(static_cast<size_t>(bytes));
    std::copy(part->begin(), part->end(), taken.begin());
    return settle_taken(client, taken);
}

// A line that was taken without an end, as the last one, becomes a part again: it is given its end
// when the client's end is seen again.
bool LineIngest::settle_taken(Client& client, std::span<char> taken) const {
    const auto first = lines_.first(taken, false);
    if (!first)
        return keep(client, taken);
    if (sender_prefix_.wants_name(client)) {
        sender_prefix_.store_name(client, {taken.data(), first->content_bytes}, first->bytes);
        sender_prefix_.take_name(client, first->bytes);
        return keep(client, taken.subspan(first->bytes));
    }
    const Lines::Whole whole = lines_.whole(taken, false, client.prefix.size(),
        {.bytes = taken.size(), .log_bytes = intake_.staging().log_room()});
    if (whole.bytes == 0)
        return false;
    record_lines(client, whole.bytes, whole.log_bytes);
    return keep(client, taken.subspan(whole.bytes));
}

bool LineIngest::keep(const Client& client, std::span<const char> rest) const {
    if (rest.size() > parts_.bytes_max())
        return false;
    parts_.keep(client.id, total_read(client), rest);
    return true;
}

} // namespace chatserv
