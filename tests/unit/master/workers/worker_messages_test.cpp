// What the master makes of a worker's messages: which it takes, and which end the worker.
#include "master/workers/worker_messages.h"

#include "shared/segment/layout.h"
#include "shared/system/fd.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <span>

namespace chatserv {
namespace {

constexpr Sender newborn{.ready = false, .has_entry = false};
constexpr Sender spare{.ready = true, .has_entry = false};
constexpr Sender at_work{.ready = true, .has_entry = true};
constexpr ClientId client{.slot = SlotId{3}, .generation = 7};

template <typename Item>
Message message_of(MessageType type, const std::vector<Item>& items) {
    Message message;
    message.type = type;
    const auto* const bytes = reinterpret_cast<const char*>(items.data());
    message.payload.assign(bytes, bytes + items.size() * sizeof(Item));
    return message;
}

Message empty_message(MessageType type) {
    return message_of(type, std::vector<char>());
}

bool is_malformed(const Message& message, const Sender& sender) {
    return std::holds_alternative<Malformed>(parse_worker_message(message, sender));
}

TEST(WorkerMessages, TakeTheHelloOfThisLayoutAlone) {
    const Hello hello{.layout_version = layout_version, .confinement = Confinement::seccomp};
    const WorkerMessage said =
        parse_worker_message(message_of<Hello>(MessageType::hello, {hello}), newborn);
    ASSERT_TRUE(std::holds_alternative<Hello>(said));
    EXPECT_EQ(std::get<Hello>(said).confinement, Confinement::seccomp);
    const Hello foreign{.layout_version = layout_version + 1, .confinement = hello.confinement};
    EXPECT_TRUE(is_malformed(message_of<Hello>(MessageType::hello, {foreign}), newborn));
    EXPECT_TRUE(is_malformed(message_of<Hello>(MessageType::hello, {hello, hello}), newborn));
    EXPECT_TRUE(is_malformed(empty_message(MessageType::hello), newborn));
}

// A process says hello first, and again first on a channel that replaces another.
TEST(WorkerMessages, TakeAHelloWhereOneIsDueAlone) {
    using Introduction = WorkerProcess::Introduction;
    const Message hello = message_of<Hello>(MessageType::hello,
        {{.layout_version = layout_version, .confinement = Confinement::seccomp}});
    for (const bool has_entry : {false, true}) {
        const Sender awaited{true, has_entry, Introduction::awaited};
        const Sender under_way{true, has_entry, Introduction::under_way};
        const Sender at_rest{true, has_entry};
        EXPECT_FALSE(is_malformed(hello, awaited));
        EXPECT_TRUE(is_malformed(hello, under_way));
        EXPECT_TRUE(is_malformed(hello, at_rest));
        for (const MessageType type : {MessageType::introduced, MessageType::log_file_lost,
                 MessageType::stopped_reading, MessageType::attached})
            EXPECT_TRUE(is_malformed(empty_message(type), awaited));
        EXPECT_TRUE(std::holds_alternative<Introduced>(
            parse_worker_message(empty_message(MessageType::introduced), under_way)));
        EXPECT_TRUE(is_malformed(empty_message(MessageType::introduced), at_rest));
    }
    EXPECT_FALSE(is_malformed(hello, {false, false, Introduction::awaited}));
}

TEST(WorkerMessages, TakeWordsAboutClientsFromAWorkerWithAnEntryAlone) {
    for (const MessageType type : {MessageType::attached, MessageType::not_received,
             MessageType::throttled, MessageType::handed_over}) {
        const Message message = message_of<ClientId>(type, {client, client});
        EXPECT_TRUE(is_malformed(message, newborn));
        EXPECT_TRUE(is_malformed(message, spare));
        EXPECT_FALSE(is_malformed(message, at_work));
    }
    const WorkerMessage said = parse_worker_message(
        message_of<ClientId>(MessageType::attached, {client, client}), at_work);
    ASSERT_TRUE(std::holds_alternative<Attached>(said));
    EXPECT_EQ(std::get<Attached>(said).clients, std::vector<ClientId>(2, client));
}

TEST(WorkerMessages, TakeReasonsThatWorkersGiveAlone) {
    const ClosedClient known{
        .client = client, .reason = LeaveReason::read_error, .error = ECONNRESET};
    const WorkerMessage said =
        parse_worker_message(message_of<ClosedClient>(MessageType::closed, {known}), at_work);
    ASSERT_TRUE(std::holds_alternative<Closed>(said));
    EXPECT_EQ(std::get<Closed>(said).clients.front().error, ECONNRESET);
    for (const LeaveReason reason :
        {LeaveReason{0}, LeaveReason{77}, LeaveReason::overwritten, LeaveReason::no_worker}) {
        const ClosedClient unknown{.client = client, .reason = reason, .error = 0};
        EXPECT_TRUE(
            is_malformed(message_of<ClosedClient>(MessageType::closed, {known, unknown}), at_work));
    }
    EXPECT_TRUE(is_malformed(message_of<ClosedClient>(MessageType::closed, {known}), spare));
}

TEST(WorkerMessages, TakeCannotWorkFromAProcessThatIsNotReadyAlone) {
    const Message message = message_of<CannotWork>(
        MessageType::cannot_work, {cannot_work(Hindrance::user, EPERM, "becoming user 65534")});
    EXPECT_FALSE(is_malformed(message, newborn));
    EXPECT_TRUE(is_malformed(message, spare));
    EXPECT_TRUE(is_malformed(message, at_work));
}

TEST(WorkerMessages, TakeMessagesWithoutAPayload) {
    EXPECT_TRUE(std::holds_alternative<StoppedReading>(
        parse_worker_message(empty_message(MessageType::stopped_reading), at_work)));
    EXPECT_TRUE(is_malformed(empty_message(MessageType::stopped_reading), spare));
    for (const Sender& sender : {newborn, spare, at_work})
        EXPECT_TRUE(std::holds_alternative<LogFileLost>(
            parse_worker_message(empty_message(MessageType::log_file_lost), sender)));
}

TEST(WorkerMessages, RefuseSizesThatDoNotFit) {
    Message message = message_of<ClientId>(MessageType::attached, {client});
    message.payload.pop_back();
    EXPECT_TRUE(is_malformed(message, at_work));
    const std::vector<Settled> two(2);
    EXPECT_TRUE(is_malformed(message_of(MessageType::settled, two), at_work));
    EXPECT_FALSE(is_malformed(message_of(MessageType::settled, std::vector<Settled>(1)), at_work));
}

TEST(WorkerMessages, RefuseWhatOnlyTheMasterSays) {
    for (const MessageType type : {MessageType::take_entry, MessageType::clients,
             MessageType::stop_reading, MessageType::finish, MessageType::end_room,
             MessageType::log_file, MessageType::hand_over, MessageType{0}, MessageType{999}})
        for (const Sender& sender : {newborn, spare, at_work})
            EXPECT_TRUE(is_malformed(empty_message(type), sender));
}

TEST(WorkerMessages, RefuseDescriptors) {
    Message message = message_of<ClientId>(MessageType::attached, {client});
    message.descriptors.push_back(make_pipe().first);
    EXPECT_TRUE(is_malformed(message, at_work));
    message.descriptors.clear();
    message.descriptors_lost = true;
    EXPECT_TRUE(is_malformed(message, at_work));
}

} // namespace
} // namespace chatserv
