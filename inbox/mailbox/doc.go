// Package mailbox watches one IMAP mailbox and hands out its messages; it
// knows nothing of newsletters.
//
// It owns the connection: dialling, TLS, logging in, IDLE, polling, and
// filing what was dealt with. It owns no memory: which messages are known is
// asked of the Ledger, so that flags, sequence numbers and other people's
// reading decide nothing. A message is (UIDVALIDITY, UID), which RFC 9051
// section 2.3.1.1 promises to name one immutable message for ever.
//
// What it promises when things fail:
//
//   - A fault of the line (silence, BYE, reset, half-open, a parse error) is
//     retried without end, with jittered pauses of 1 s to 40 s; a refused
//     login with pauses of up to 5 min, because servers lock accounts. Each
//     kind of fault is logged once when it begins and once when it is over.
//   - Nothing waits for ever: every command has a deadline for silence and
//     one for the whole, and ends with its context.
//   - A message is handed out whole or not at all. One that does not come
//     whole when asked for three times, or breaks the connection three times
//     when asked for alone, is logged and left out, so that it does not hold
//     up the others; it is tried again after 5 minutes, then after 10, and so
//     on up to the time of a reconcile.
//   - Nothing is deleted unless the server has said that the copy exists.
//   - Only a fault of the Ledger, the end of the context and Close make Next
//     return an error.
package mailbox
