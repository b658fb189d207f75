#include "master/sources/source_set.h"

#include "master/config/address.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

using Kind = SourceAddress::Kind;

bool is_standard(const SourceAddress& source) {
    return source.kind == Kind::standard;
}

void add_standard_streams(std::vector<SourceAddress>& sources, bool input, bool output) {
    if (!input && !output)
        return;
    auto standard = std::ranges::find_if(sources, is_standard);
    if (standard == sources.end()) {
        const Role role = !output ? Role::speak : input ? Role::talk : Role::listen;
        sources.push_back({.kind = Kind::standard, .role = role});
        return;
    }
    const bool heard = input || standard->is_heard();
    const bool hears = output || standard->hears();
    standard->role = heard && hears ? Role::talk : heard ? Role::speak : Role::listen;
}

// Whether the one receives what the other sends, as far as their texts tell: at all addresses of
// the port, or at the very same.
bool would_hear(const SourceAddress& receiver, const SourceAddress& sender) {
    if (receiver.kind != Kind::udp || receiver.hears() || sender.kind != Kind::udp ||
        !sender.hears() || receiver.port != sender.port)
        return false;
    const auto address = Address::parse(receiver.host_and_port());
    return receiver.host == sender.host || (address && address->is_any());
}

// Each datagram would go round for ever.
void refuse_loops(const std::vector<SourceAddress>& sources) {
    for (const SourceAddress& receiver : sources)
        for (const SourceAddress& sender : sources)
            if (would_hear(receiver, sender))
                throw Failure(EX_USAGE,
                    fmt::format("--source {} could receive what {} sends; name another port, or "
                                "the address of this machine at which it is to receive",
                        receiver.text(), sender.text()));
}

// What comes from it would come twice, and nobody could tell one from the other.
void refuse_twins(const std::vector<SourceAddress>& sources) {
    for (auto source = sources.begin(); source != sources.end(); ++source)
        if (std::find(source + 1, sources.end(), *source) != sources.end())
            throw Failure(
                EX_USAGE, fmt::format("--source names {} twice; name it once", source->text()));
}

} // namespace

std::vector<NumberedSource> numbered(std::vector<SourceAddress> sources) {
    std::vector<NumberedSource> all;
    for (SourceAddress& source : sources)
        all.push_back(
            {.number = static_cast<uint32_t>(all.size()) + 1, .address = std::move(source)});
    return all;
}

std::vector<SourceAddress> sources_of(const Options& options) {
    std::vector<SourceAddress> sources = options.sources;
    if (std::ranges::count_if(sources, is_standard) > 1)
        throw Failure(EX_USAGE, "--source names standard input twice; name it once");
    add_standard_streams(sources, options.standard_input, options.standard_output);
    refuse_twins(sources);
    refuse_loops(sources);
    if (sources.size() > sources_max)
        throw Failure(EX_USAGE, fmt::format("there are {} sources: at most {} are possible",
                                    sources.size(), sources_max));
    return sources;
}

bool goes_on_at_end(const Options& options, const SourceAddress& source) {
    return is_standard(source) && source.hears() && options.at_end_of_stdin == AtEndOfStdin::go_on;
}

std::string unescaped(const std::string& text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        const char byte = next == 'n' ? '\n' : next == 'r' ? '\r' : next == 't' ? '\t' : next;
        const bool is_escape = next == 'n' || next == 'r' || next == 't' || next == '\\';
        bytes += is_escape ? byte : text[i];
        i += is_escape ? 1 : 0;
    }
    return bytes;
}

} // namespace chatserv
