// Package inbox takes mail in: it stores what came, tells what it is, and
// puts it in the right tray.
//
// It owns the tables mailbox, message, octets, arrival, seen, canary and
// editor. Every message is in
// the ledger before anybody reads it, keyed by mailbox, UIDVALIDITY and UID,
// and by the SHA-256 of its octets below the trace fields, so that the same
// mail that comes twice is one message. What a message causes is written in
// one transaction with the note that it is done; up to fifty messages share
// one, each decided on what those before it have changed.
//
// Mail that lay in the mailbox before the first start is left alone, and so is
// what people put back. What they move into Galley/Again is dealt with again,
// in the row that it has.
//
// What it promises when things fail: a message that was seen is never lost
// and never acted on twice, whatever is killed when; one that cannot be read
// in three tries is set aside in quarantine, whole, and keeps no other
// waiting, and the editors are told once a day; an effect that cannot be written
// is tried again, less and less often, while the others go on.
package inbox
