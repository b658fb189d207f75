#include "tests/model/joined/happenings.h"

#include "tests/model/joined/other_hosts.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace chatserv::model {

namespace {

bool is_next_bridge_called(const State& state) {
    const auto& channels = state.kernel.channels;
    return std::any_of(channels.begin(), channels.end(),
        [](const ChannelState& channel) { return channel.entry == entry_bridge + 1; });
}

} // namespace

void add_happenings(Simulator& simulator, const JoinedSetting& setting) {
    const auto add = [&simulator](const char* what, bool is_mishap,
                         bool (*possible)(const StreamState&),
                         std::function<void(StreamState&)> happen) {
        simulator.add_happening({what, is_mishap,
            [possible](const State& state) {
                return (state.stream.waits != 0 || is_next_bridge_called(state)) &&
                       possible(state.stream);
            },
            [happen = std::move(happen)](State& state) { happen(state.stream); }});
    };
    add(
        "the stream takes what was published first", false,
        [](const StreamState& stream) { return stream.under_way_count > 0; },
        [](StreamState& stream) { stream.take_first(); });
    add(
        "the other host says something", false,
        [](const StreamState& stream) { return stream.words_left > 0; },
        [words = setting.words](StreamState& stream) {
            const uint32_t number = words - stream.words_left;
            --stream.words_left;
            stream.append(next_word(stream, number));
        });
    add(
        "a host joins", false, [](const StreamState& stream) { return stream.joins_left > 0; },
        [](StreamState& stream) {
            stream.append(join_of(incarnation_talking + stream.joins_left));
            --stream.joins_left;
        });
    add(
        "what was published first is forgotten", true,
        [](const StreamState& stream) {
            return stream.losses_left > 0 && stream.under_way_count > 0;
        },
        [](StreamState& stream) {
            --stream.losses_left;
            stream.lose_first();
        });
    add(
        "the stream takes what was published first, and will again", true,
        [](const StreamState& stream) {
            return stream.repeats_left > 0 && stream.under_way_count > 0;
        },
        [](StreamState& stream) {
            --stream.repeats_left;
            stream.repeat_first();
        });
    add(
        "the bridge's time is up early", true,
        [](const StreamState& stream) {
            return stream.hurries_left > 0 && stream.is_due != 0 && stream.time_is_up == 0 &&
                   !stream.is_still();
        },
        [](StreamState& stream) {
            --stream.hurries_left;
            stream.time_is_up = 1;
        });
}

} // namespace chatserv::model
