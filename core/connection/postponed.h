// What is said to a client a moment later, because by then it may not have to be said, or not on
// its own: its session ticket, which goes along with the first answer, and the reply to a
// close_notify, which is for nobody when the client has gone. Worker's thread only.
#pragma once

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// How long a ticket waits for something to go along with.
inline constexpr io::Millis kTicketWaitMs = 20;

// PostponeTicket sees to it that the ticket of a connection just established is sent, if there is
// one: in kTicketWaitMs unless something else was by then.
void PostponeTicket(Context& ctx, Downstream& down);

// PostponeParting lets an HTTP connection that its client has closed, with nothing left to answer,
// end at the end of this turn: with close_notify if the client is still there then.
void PostponeParting(Context& ctx, Downstream& down);

// Part ends such a connection now.
void Part(Context& ctx, Downstream& down);

// SayPostponed does what is due. Call once at the end of a turn.
void SayPostponed(Context& ctx);

// PostponedWait returns how long it is until something is due at most, `longest` when nothing is.
[[nodiscard]] io::Millis PostponedWait(Context& ctx, io::Millis now_ms, io::Millis longest);

}  // namespace portcullis::connection
