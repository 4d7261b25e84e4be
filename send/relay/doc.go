// Package relay speaks SMTP (RFC 5321) to the next hop: it implements
// send.Courier.
//
// It owns a connection from greeting to QUIT, its deadlines and the reading of
// replies; it keeps nothing on disk and retries nothing. One transaction has
// one recipient. Where the next hop offers PIPELINING (RFC 2920), the envelope
// of the next message rides behind the final dot of this one, so that a
// message costs one round trip instead of four, and the body goes while the
// result of the message before it is still written. With a Window, and CHUNKING
// (RFC 3030), several messages are on their way at once.
//
// A Relay is one next hop, a Pool several, and MX the servers of the readers'
// own domains, each of which has lines, limits and rests for itself.
//
// What it promises when things fail:
//   - Every wait ends: each reply and each block of a body has its limit (see
//     Limits), a reply is never larger than 100 lines or 64 KiB, and a
//     cancelled context closes the connection.
//   - Before the final dot has left, a fault of the line is Later; once it may
//     have left, everything but a well-formed 2yz, 4yz or 5yz reply is
//     Unknown. A body that was not finished is never ended with a dot.
//   - Whatever concerns the line or us and not the recipient is marked
//     Transport.
//   - No octet of login or message leaves in the clear when TLS was asked for,
//     and no login in the clear except to this machine.
//   - Bare CR, bare LF, NUL, and lines longer than 998 octets never reach the
//     wire: such a message is refused before its first octet.
//
// Bars 15 to 23 of the project's list are its tests.
package relay
