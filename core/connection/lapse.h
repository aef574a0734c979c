// A client's standing after it was let in: whether it would be let in again, asked when a reload
// replaces the configuration and when its certificate runs out, and the end of its connection when
// it would not. Where it would, the connection is moved to the runtime in force, so that the one
// before can go, with all its certificates and CRLs. Worker's thread only.
//
// A connection is moved to the host that speaks for it (AskStanding), on the same address and in
// the same mode: from then on that is its host, whose settings and backends count, and by which it
// is asked next time. What the client was judged by stays what it was, and an exchange under way or
// a stream goes on with the backend it has. It is not moved, and keeps its runtime, where there is
// no such host, or where being moved could spare it a question: to a host that asks for no
// certificates from one that did, or to one that leaves connections alone
// (ClientAuthSpec::close_on_change) from one that does not. Nor is a session that was resumed
// without its certificate to a host that passes certificates on. Connections that are left alone
// move like all others, without being asked.
#pragma once

#include <string_view>

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// NoteStanding notes, when the handshake is done, until when its verdict holds. A reload may have
// come in between: then it is AskStanding that speaks, for whoever is let in is let in under what
// is served now, and the connection is moved there. So may a responder's word about a client whose
// ticket was opened before it.
[[nodiscard]] tls::Rejection NoteStanding(Context& ctx, Downstream& down);

// AskStanding returns why the client of a connection that was let in would not be let in now, kNone
// if it would: by the virtual host that a client would get now who asks the same listener for the
// same server name, or by its own as configured now where there is no such host, or an open one of
// another name. Where the listener itself is gone, the host of the same name speaks, or else of
// that server name, on any other. Where none is left that asks for certificates, the host speaks as
// it was, but by the trust of the same name as it is now. So taking a listener or a host away cuts
// nobody whom its trust still vouches for, and keeps nobody whom it does not; and if the trust has
// gone with it, nobody vouches for anyone: those who came with a certificate lapse as `unknown_ca`.
// A host that has come to ask for no certificates, or that leaves live connections alone
// (ClientAuthSpec::close_on_change), has nothing against anyone. Notes until when the answer holds.
[[nodiscard]] tls::Rejection AskStanding(Context& ctx, Downstream& down);

// CheckStanding asks, and ends the connection of a client that would not be let in; others it
// moves. HTTP: after the exchange under way, which gets timeouts.lapse at most; idle ones at once.
// TCP: at once, with close_notify to the client and a reset to the backend. Nothing happens to
// connections that are not served, or are ending.
void CheckStanding(Context& ctx, Downstream& down);

// CurrentHost returns `host`, of the runtime that the connection belongs to, as configured now; of
// the connection's own host, the one that has its place (see AskStanding). Itself where there is
// none.
[[nodiscard]] const tls::Host& CurrentHost(const Context& ctx, const Downstream& down,
                                           const tls::Host& host);

// LetsIn tells whether `host` would let the connection's client in now, be it that it leaves live
// connections alone, or that the connection's own host does.
[[nodiscard]] bool LetsIn(Context& ctx, const Downstream& down, const tls::Host& host);

// CurrentHostOf returns the host that a request for `name` is for as configured now, `host` being
// the one that it is for under the runtime that the connection belongs to.
[[nodiscard]] const tls::Host& CurrentHostOf(const Context& ctx, const Downstream& down,
                                             std::string_view name, const tls::Host& host);

}  // namespace portcullis::connection
