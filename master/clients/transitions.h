// Transitions: the steps of a client's connection through the master's books, from accept(2) to the
// closed connection. A transition is whole or has not begun, wherever the master is killed.
//
//     kind       from                to          changes besides
//     admit      newcomer            client      its slot (assigned), accepted
//     turn_away  newcomer            lingering   the count of the refusal
//     release    client              closed      its slot (free), the count of the departure,
//                                                the bytes of departed clients
//     dismiss    client              lingering   the same
//     reassign   client of an entry  of another  its slot (the owner), the count of moves
//     throttle   client              throttled   the count of throttled clients
//
// Each is written into the ledger's redo record, which becomes valid by one store: the commit. Then
// it is applied, and the record is retired. Only then is anybody told, by a message to a worker or
// by a line in the log. A master that dies before the commit (MW3) leaves nothing of the
// transition. After it (MW4, MW6, MW7), its successor applies the record again: every value in it
// is absolute.
//
// In between nothing is opened. So where the record's socket is closed already, its number is no
// other file's, and to close it once more does nothing.
#pragma once

#include "master/ledger/ledger.h"
#include "shared/segment/user_table.h"

namespace chatserv {

class Transitions {
public:
    Transitions(const Ledger& ledger, UserTable users) : ledger_(&ledger), users_(users) {}

    // Commits, applies and retires the record. Panics if another one is valid.
    void make(const RedoRecord& transition) const;

    // A dead master's transition is under way.
    [[nodiscard]] bool any_under_way() const;
    // Applies and retires it. A successor does this before it opens its first descriptor.
    void finish() const;

private:
    void apply(const RedoRecord& redo) const;
    void admit(const RedoRecord& redo) const;
    void free_slot(const RedoRecord& redo) const;
    void close_connection(const RedoRecord& redo) const;
    void note_lingering(const RedoRecord& redo) const;
    void count_bytes(const RedoRecord& redo) const;
    void count(const RedoRecord& redo) const;
    void forget_newcomer(const RedoRecord& redo) const;
    void forget_client(const RedoRecord& redo) const;

    const Ledger* ledger_;
    UserTable users_;
};

} // namespace chatserv
