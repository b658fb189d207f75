#include "tests/oracle/stream_window.h"

#include <algorithm>

namespace chatserv::test {

namespace {

// As many bytes as are found at one place only: 64 bits of code.
constexpr std::size_t sure_length = 16;

FoundWindow place_of_nothing(const WindowSearch& search) {
    const std::uint64_t end = search.stream.size();
    if (search.end_is_due && search.first_max < end)
        return {{}, "nothing, and was due all from byte " + std::to_string(search.first_max)};
    if (search.end_is_due)
        return {Window{end, end}};
    if (search.first_max == 0)
        return {Window{0, 0}}; // joined before the stream began and left before it saw any of it
    return {};
}

FoundWindow place_of_few(const WindowSearch& search) {
    const std::string& stream = search.stream;
    const std::string& part = search.part;
    std::vector<std::uint64_t> places;
    for (std::size_t place = stream.find(part); place != std::string::npos;
         place = stream.find(part, place + 1)) {
        const bool begins_in_time = place <= search.first_max;
        const bool ends_right = !search.end_is_due || place + part.size() == stream.size();
        if (begins_in_time && ends_right)
            places.push_back(place);
    }
    if (places.empty())
        return {{}, std::to_string(part.size()) + " bytes that match no part that it was due"};
    if (places.size() > 1)
        return {};
    return {Window{places.front(), places.front() + part.size()}};
}

FoundWindow place_of_many(const WindowSearch& search) {
    const std::string& stream = search.stream;
    const std::string& part = search.part;
    const std::size_t place = stream.find(part.substr(0, sure_length));
    if (place == std::string::npos)
        return {{}, "its first bytes are lost, repeated or out of order"};
    const std::size_t same = std::min(stream.size() - place, part.size());
    const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(place);
    const auto differs =
        std::mismatch(begin, begin + static_cast<std::ptrdiff_t>(same), part.begin()).first;
    if (differs != begin + static_cast<std::ptrdiff_t>(part.size())) {
        return {{}, "lost, repeated or out of order just before byte " +
                        std::to_string(differs - stream.begin())};
    }
    if (place > search.first_max) {
        return {{}, "begins with byte " + std::to_string(place) + ", and was due all from byte " +
                        std::to_string(search.first_max)};
    }
    return {Window{place, place + part.size()}};
}

} // namespace

FoundWindow find_window(const WindowSearch& search) {
    if (search.part.empty())
        return place_of_nothing(search);
    if (search.part.size() > search.stream.size())
        return {{}, "more bytes than were sent"};
    return search.part.size() < sure_length ? place_of_few(search) : place_of_many(search);
}

std::vector<Run> runs_of(
    const std::string& received, const std::array<std::optional<Window>, senders_max>& windows) {
    std::vector<Run> runs;
    std::array<std::uint64_t, senders_max> counts{};
    for (const char byte : received) {
        const unsigned sender = sender_of(byte);
        if (!windows[sender])
            continue;
        if (runs.empty() || runs.back().sender != sender)
            runs.push_back({sender, windows[sender]->first + counts[sender], 0});
        ++runs.back().length;
        ++counts[sender];
    }
    return runs;
}

} // namespace chatserv::test
