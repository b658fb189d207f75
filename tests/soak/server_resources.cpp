#include "tests/soak/server_resources.h"

#include "tests/harness/process_figures.h"
#include "tests/harness/tcp_table.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace chatserv::test {

std::string ServerResources::text() const {
    std::ostringstream text;
    text << processes << " processes, " << zombies << " zombies, descriptors: master "
         << descriptors_of_master << ", workers";
    for (const std::size_t descriptors : descriptors_of_workers)
        text << " " << descriptors;
    text << ", connections: " << connections;
    return text.str();
}

bool ServerResources::matches(const ServerResources& before) const {
    constexpr std::size_t timers = 2;
    const auto as_many = [](std::size_t now, std::size_t then) {
        return now >= then && now <= then + timers;
    };
    return processes == before.processes && zombies == before.zombies &&
           descriptors_of_master == before.descriptors_of_master &&
           std::equal(descriptors_of_workers.begin(), descriptors_of_workers.end(),
               before.descriptors_of_workers.begin(), before.descriptors_of_workers.end(),
               as_many) &&
           connections == before.connections;
}

ServerResources resources_of(Server& server, const std::vector<pid_t>& workers) {
    ServerResources resources;
    const pid_t master = server.master_pid();
    for (const ProcessState& child : descendants_of(server.process().pid())) {
        ++resources.processes;
        resources.zombies += child.state == 'Z' ? 1 : 0;
    }
    resources.descriptors_of_master = descriptors_of(master).value_or(0);
    for (const pid_t worker : workers)
        resources.descriptors_of_workers.push_back(descriptors_of(worker).value_or(0));
    for (std::size_t listener = 0; listener < 2; ++listener)
        resources.connections +=
            held_connections_of_port(server.endpoint(listener).port()).value_or(0);
    return resources;
}

MemoryByProcess memory_of(Server& server, const std::vector<pid_t>& workers) {
    MemoryByProcess memory;
    const pid_t master = server.master_pid();
    memory[master] = own_memory_bytes_of(master).value_or(0);
    for (const pid_t worker : workers)
        memory[worker] = own_memory_bytes_of(worker).value_or(0);
    return memory;
}

std::vector<std::string> shared_memory_of(pid_t master) {
    std::vector<std::string> found;
    std::error_code error;
    const std::string prefix = "chatserv-" + std::to_string(master) + "-";
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error))
        if (entry.path().filename().string().rfind(prefix, 0) == 0)
            found.push_back(entry.path());
    return found;
}

} // namespace chatserv::test
