#include "master/upgrade/packed_options.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace chatserv {

namespace {

using nlohmann::json;

json packed(const ListenAddress& listen) {
    std::vector<std::string> addresses;
    for (const Address& address : listen.addresses)
        addresses.push_back(address.text());
    return {{"addresses", addresses}, {"takes_ipv4_too", listen.takes_ipv4_too}};
}

// An address of an interface that has gone meanwhile is left out.
void unpack(const json& told, ListenAddress& listen) {
    for (const json& text : told.at("addresses"))
        if (const auto address = Address::parse(text.get<std::string>()))
            listen.addresses.push_back(*address);
    listen.takes_ipv4_too = told.at("takes_ipv4_too").get<bool>();
}

} // namespace

json packed(const Options& options) {
    json listen = json::array();
    for (const ListenAddress& each : options.listen)
        listen.push_back(packed(each));
    return {{"options", describe(options)}, {"listen", listen},
        {"listens_by_default", options.listens_by_default()},
        {"user_by_default", options.user_by_default}, {"worker_uid", options.worker_uid},
        {"worker_gid", options.worker_gid},
        {"unix_gid", options.unix_gid ? json(*options.unix_gid) : json(nullptr)}};
}

Options unpacked_options(const json& told) {
    Options options = options_from("the options in force", told.at("options").get<std::string>());
    const json& listen = told.at("listen");
    if (listen.empty()) // all of its sockets are the service manager's
        options.listen.clear();
    for (size_t index = 0; index < options.listen.size(); ++index)
        unpack(listen.at(index), options.listen[index]);
    if (told.at("listens_by_default").get<bool>())
        options.listen.front().place = {};
    options.user_by_default = told.at("user_by_default").get<bool>();
    options.worker_uid = told.at("worker_uid").get<uid_t>();
    options.worker_gid = told.at("worker_gid").get<gid_t>();
    if (const json& group = told.at("unix_gid"); !group.is_null())
        options.unix_gid = group.get<gid_t>();
    return options;
}

} // namespace chatserv
