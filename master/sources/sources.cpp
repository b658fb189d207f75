#include "master/sources/sources.h"

#include "master/ledger/master_point.h"
#include "master/ledger/source_names.h"
#include "master/sources/source_events.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <utility>

namespace chatserv {

Sources::Sources(const Surroundings& surroundings) :
    around_(surroundings), exit_watch_(around_.events) {
    for (const NumberedSource& source : around_.resources.sources)
        add(source);
    note_names();
}

void Sources::add(const NumberedSource& source) {
    sources_.try_emplace(source.number, source,
        SourceProcess(around_.ledger, around_.events, SeatId{source.number - 1},
            Tag(around_.tag.word() | uint64_t{source.number} << 8)),
        around_.ledger.places()[source.number - 1]);
}

// Where the metrics process finds them. All of it can be done again.
void Sources::note_names() const {
    for (uint32_t number = 1; number <= source_numbers_max; ++number) {
        SourceRecord& record = around_.ledger.places()[number - 1];
        const Source* const source = find(number);
        if (source != nullptr && source->is_wanted())
            note_source_name(record, number, as_one_line(source->address().text()));
        else
            note_no_source(record);
    }
}

void Sources::follow(const std::vector<NumberedSource>& sources) {
    for (const NumberedSource& source : sources)
        if (const auto present = sources_.find(source.number); present == sources_.end())
            add(source);
        else if (present->second.is_wanted() && !source.is_wanted)
            present->second.let_go();
    note_names();
    master_point(MasterPoint::sources_named);
}

// What is not there any more of a source that was let go: it was gone under the dead master.
void Sources::take_over() {
    const Clock::time_point now = Clock::now();
    const std::span<const ClientRecord> records = around_.ledger.clients();
    const uint32_t end = around_.clients.escrow().slots_ever_used();
    for (uint32_t slot = 0; slot < end; ++slot) {
        const ClientRecord& record = records[slot];
        const auto source = sources_.find(record.source);
        if (number_of(record.socket) != -1 && source != sources_.end())
            source->second.resume({.slot = SlotId{slot}, .generation = record.generation}, now);
    }
    for (const SeatBook::Seated& seated : SeatBook(around_.ledger.sources()).seated()) {
        const auto found = sources_.find(index_of(seated.seat) + 1);
        if (found == sources_.end())
            continue;
        Source& source = found->second;
        if (!source.process().take_over(seated))
            continue;
        exit_watch_.add(source.process().pid());
        if (!source.client())
            source.let_process_end(now);
        else if (SourceProcess::can_be_asked(source.address()))
            source.process().ask_again();
    }
    std::erase_if(sources_, [](const auto& each) { return each.second.is_gone(); });
}

void Sources::handle(const EventQueue::Event& event) {
    if (const auto found = sources_.find(tag_of(event).index()); found != sources_.end())
        hear(found->second);
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
                source.note_drops(std::move(*drops));
            break;
        }
    }
}

// A worker's word that the client has left can be heard before this word, which was said before.
void Sources::note_place_of(const Source& source, const FilePlace& place) {
    if (!source.client())
        return; // its connection was refused, or the source waits again: nothing of it is relayed
    note_place(
        source.record(), place, client_has_left(source) ? PlaceState::left : PlaceState::reading);
}

// Nothing notes the connection before it is a client: see above.
void Sources::take_in(Source& source, UniqueFd socket, const std::optional<FilePlace>& place) {
    if (phase_ != Phase::making || source.state() != Source::State::trying || !source.is_wanted())
        return source.refuse("it was not waited for any more");
    if (around_.clients.escrow().full())
        return source.refuse("the server has no place left for it");
    const Newcomer newcomer{.socket = socket.release(),
        .role = source.address().role,
        .source = static_cast<uint8_t>(source.number())};
    const auto admitted =
        around_.acceptor.admit_source(newcomer, around_.clients, around_.choose_entry);
    if (!admitted)
        return source.refuse("its connection was gone at once");
    // If this master dies before that, the next one asks the process for its place.
    if (place)
        note_place(source.record(), *place);
    source.note_connected(admitted->client, Clock::now());
    admitted_.push_back(*admitted);
}

bool Sources::handle_exit(pid_t pid) {
    const auto found = std::ranges::find_if(sources_,
        [pid](const auto& each) { return pid != 0 && each.second.process().pid() == pid; });
    if (found == sources_.end())
        return false;
    if (found->second.process().has_ended(true))
        bury(found->second);
    return true;
}

void Sources::reap_children() {
    for (auto& [number, source] : sources_)
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
    for (auto& [number, source] : sources_) {
        if (client_has_left(source))
            hear(source); // where its process was reading, before the next one begins
        source.look(around_.clients, around_.segment, is_to_be_made(source), now);
        if (source.take_over_news() && source.is_wanted())
            stops_ = around_.options.at_end_of_stdin == AtEndOfStdin::stop;
        advance(source, now);
    }
    forget_gone();
    return std::exchange(admitted_, {});
}

// A line or a port can be opened by one process at a time: a source waits until one that was let go
// is gone from there.
bool Sources::is_to_be_made(const Source& source) const {
    return phase_ == Phase::making && source.is_wanted() &&
           std::ranges::none_of(sources_, [&](const auto& each) {
               return !each.second.is_wanted() &&
                      each.second.address().is_same_place(source.address());
           });
}

void Sources::forget_gone() {
    std::erase_if(sources_, [](const auto& each) {
        if (!each.second.is_gone())
            return false;
        master_point(MasterPoint::source_gone);
        events::source_removed(each.second.address());
        return true;
    });
}

// A process whose client has left may still have to write what the client was sent.
void Sources::advance(Source& source, Clock::time_point now) {
    if (const auto client = source.take_client_to_end()) {
        around_.kicking.let_go(*client);
        master_point(MasterPoint::source_let_go);
    }
    if (phase_ != Phase::making) {
        const bool has_client = source.state() == Source::State::connected;
        if (source.state() == Source::State::trying || (phase_ == Phase::ending && has_client))
            source.process().end();
        return;
    }
    if (!source.is_due(now) || !is_to_be_made(source))
        return;
    source.try_now({.program = *around_.resources.program,
                       .source = source.address(),
                       .options = around_.options,
                       .place = next_place(source.record()),
                       .dropped = dropped_by(source.record()),
                       .upgrade = around_.upgrade},
        now);
    if (source.process().pid() != 0)
        exit_watch_.add(source.process().pid());
}

std::optional<Sources::Clock::time_point> Sources::next_look() const {
    std::optional<Clock::time_point> next = exit_watch_.next_look();
    for (const auto& [number, source] : sources_)
        if (const auto look = source.next_look())
            next = next ? std::min(*next, *look) : look;
    return next;
}

bool Sources::has_processes() const {
    return std::ranges::any_of(
        sources_, [](const auto& each) { return each.second.process().pid() != 0; });
}

} // namespace chatserv
