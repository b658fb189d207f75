#include "tests/bridge/stream_control.h"

#include <stdexcept>

namespace chatserv::test {
namespace {

void require(natsStatus status, const char* what) {
    if (status != NATS_OK)
        throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(status));
}

} // namespace

StreamControl::StreamControl(const std::vector<std::string>& servers, const std::string& room) :
    stream_("chatserv-" + room), subject_("chatserv." + room) {
    std::string list;
    for (const std::string& server : servers)
        list += (list.empty() ? "" : ",") + server;
    natsConnection* connection = nullptr;
    require(natsConnection_ConnectTo(&connection, list.c_str()), "connect to NATS");
    connection_.reset(connection);
    jsCtx* context = nullptr;
    require(natsConnection_JetStream(&context, connection, nullptr), "JetStream");
    context_.reset(context);
}

std::string StreamControl::leader() const {
    jsStreamInfo* info = nullptr;
    std::string name;
    if (js_GetStreamInfo(&info, context_.get(), stream_.c_str(), nullptr, nullptr) == NATS_OK &&
        info->Cluster != nullptr && info->Cluster->Leader != nullptr)
        name = info->Cluster->Leader;
    jsStreamInfo_Destroy(info);
    return name;
}

uint64_t StreamControl::last() const {
    jsStreamInfo* info = nullptr;
    uint64_t last = 0;
    if (js_GetStreamInfo(&info, context_.get(), stream_.c_str(), nullptr, nullptr) == NATS_OK)
        last = info->State.LastSeq;
    jsStreamInfo_Destroy(info);
    return last;
}

void StreamControl::purge() const {
    require(js_PurgeStream(context_.get(), stream_.c_str(), nullptr, nullptr), "purge");
}

void StreamControl::remove() const {
    require(js_DeleteStream(context_.get(), stream_.c_str(), nullptr, nullptr), "delete");
}

void StreamControl::publish(const std::string& message) const {
    require(js_Publish(nullptr, context_.get(), subject_.c_str(), message.data(),
                static_cast<int>(message.size()), nullptr, nullptr),
        "publish");
}

} // namespace chatserv::test
