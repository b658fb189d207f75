#include "master/sources/sources.h"

#include "master/sources/source_set.h"

#include <algorithm>
#include <utility>

namespace chatserv {

// The number of a source is its place in the list, counted from 1.
Sources::Sources(const Surroundings& surroundings) :
    around_(surroundings), exit_watch_(around_.events) {
    for (const SourceAddress& address : around_.resources.sources) {
        const auto place = static_cast<uint32_t>(sources_.size());
        sources_.emplace_back(address, around_.options.source_silence,
            SourceProcess(around_.ledger, around_.events, SeatId{place},
                Tag(around_.tag.word() | uint64_t{place} << 8)),
            dropped_by(around_.ledger.places()[place]));
    }
}

void Sources::take_over() {
    const Clock::time_point now = Clock::now();
    const std::span<const ClientRecord> records = around_.ledger.clients();
    const uint32_t end = around_.clients.escrow().slots_ever_used();
    for (uint32_t slot = 0; slot < end; ++slot) {
        const ClientRecord& record = records[slot];
        if (number_of(record.socket) != -1 && record.source != 0 &&
            record.source <= sources_.size())
            sources_[record.source - 1].resume(
                {.slot = SlotId{slot}, .generation = record.generation}, now);
    }
    for (const SeatBook::Seated& seated : SeatBook(around_.ledger.sources()).seated()) {
        if (index_of(seated.seat) >= sources_.size())
            continue;
        Source& source = sources_[index_of(seated.seat)];
        if (!source.process().take_over(seated))
            continue;
        exit_watch_.add(source.process().pid());
        if (!source.client())
            source.let_process_end(now);
        else if (SourceProcess::can_be_asked(source.address()))
            source.process().ask_again();
    }
}

void Sources::handle(const EventQueue::Event& event) {
    const uint32_t place = tag_of(event).index();
    if (place < sources_.size())
        hear(sources_[place]);
}

void Sources::hear(Source& source) {
    while (auto word = source.process().next_word()) {
        switch (word->kind) {
        case SourceWord::Kind::connected:
            take_in(source, std::move(word->socket), FilePlace::parse(word->text));
            break;
        case SourceWord::Kind::failed:
            source.note_failure(word->text);
            break;
        case SourceWord::Kind::over:
            source.note_over();
            break;
        case SourceWord::Kind::place:
            if (const auto place = FilePlace::parse(word->text))
                note_place_of(source, *place);
            break;
        case SourceWord::Kind::dropped:
            if (auto drops = DatagramDrops::parse(word->text))
                source.note_drops(place_of(source), std::move(*drops));
            break;
        }
    }
}

// A worker's word that the client has left can be heard before this word, which was said before.
void Sources::note_place_of(const Source& source, const FilePlace& place) {
    if (!source.client())
        return; // its connection was refused, or the source waits again: nothing of it is relayed
    note_place(
        place_of(source), place, client_has_left(source) ? PlaceState::left : PlaceState::reading);
}

// Nothing notes the connection before it is a client: see above.
void Sources::take_in(Source& source, UniqueFd socket, const std::optional<FilePlace>& place) {
    if (phase_ != Phase::making || source.state() != Source::State::trying)
        return source.refuse("it was not waited for any more");
    if (around_.clients.escrow().full())
        return source.refuse("the server has no place left for it");
    const Newcomer newcomer{.socket = socket.release(),
        .role = source.address().role,
        .source = static_cast<uint8_t>(&source - sources_.data() + 1)};
    const auto admitted =
        around_.acceptor.admit_source(newcomer, around_.clients, around_.choose_entry);
    if (!admitted)
        return source.refuse("its connection was gone at once");
    // If this master dies before that, the next one asks the process for its place.
    if (place)
        note_place(place_of(source), *place);
    source.note_connected(admitted->client, Clock::now());
    admitted_.push_back(*admitted);
}

bool Sources::handle_exit(pid_t pid) {
    const auto found = std::ranges::find_if(
        sources_, [pid](Source& source) { return pid != 0 && source.process().pid() == pid; });
    if (found == sources_.end())
        return false;
    if (found->process().has_ended(true))
        bury(*found);
    return true;
}

void Sources::reap_children() {
    for (Source& source : sources_)
        if (source.process().has_ended(false))
            bury(source);
}

// Its last words first: it may have passed on a connection.
void Sources::bury(Source& source) {
    hear(source);
    may_reap_ = may_reap_ || source.process().is_inherited();
    source.note_exit(around_.clients, Clock::now());
}

std::vector<Acceptor::Admitted> Sources::look(Phase phase) {
    phase_ = phase;
    const Clock::time_point now = Clock::now();
    for (const pid_t gone : exit_watch_.look(now))
        (void)handle_exit(gone);
    for (Source& source : sources_) {
        if (client_has_left(source))
            hear(source); // where its process was reading, before the next one begins
        source.look(around_.clients, around_.segment, phase == Phase::making, now);
        if (source.take_over_news())
            stops_ = around_.options.at_end_of_stdin == AtEndOfStdin::stop;
        advance(source, now);
    }
    return std::exchange(admitted_, {});
}

// A process whose client has left may still have to write what the client was sent.
void Sources::advance(Source& source, Clock::time_point now) {
    if (phase_ != Phase::making) {
        const bool has_client = source.state() == Source::State::connected;
        if (source.state() == Source::State::trying || (phase_ == Phase::ending && has_client))
            source.process().end();
        return;
    }
    if (!source.is_due(now))
        return;
    source.try_now({.program = *around_.resources.program,
                       .source = source.address(),
                       .options = around_.options,
                       .place = next_place(place_of(source)),
                       .dropped = dropped_by(place_of(source)),
                       .upgrade = around_.upgrade},
        now);
    if (source.process().pid() != 0)
        exit_watch_.add(source.process().pid());
}

std::optional<Sources::Clock::time_point> Sources::next_look() const {
    std::optional<Clock::time_point> next = exit_watch_.next_look();
    for (const Source& source : sources_)
        if (const auto look = source.next_look())
            next = next ? std::min(*next, *look) : look;
    return next;
}

bool Sources::has_processes() const {
    return std::ranges::any_of(
        sources_, [](const Source& source) { return source.process().pid() != 0; });
}

} // namespace chatserv
