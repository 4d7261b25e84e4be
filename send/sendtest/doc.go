// Package sendtest is an SMTP next hop for tests, for the demo and for the
// benchmark: it takes mail, remembers it and delivers it to nobody.
//
// The recipient's local part chooses its fate (see FateOf): "550+ann@…" is
// refused for ever, "greylist+bob@…" the first time, "drop+eve@…" is taken and
// the line closed before the reply. Ruder behaviour, at any stage of the
// dialogue, comes from Options.Fault.
//
// The dialogue is our own and not go-smtp's: a sink must be able to be wrong
// at every stage, and it must cost less than the sender that is measured
// against it (go-smtp reads a body one octet at a time). It ends a message at
// CRLF "." CRLF and nowhere else (RFC 5321 section 4.1.1.4).
//
// It owns its connections and what it has accepted, in memory. When something
// fails it closes the connection concerned and goes on; Close ends every
// connection and waits until its goroutines are gone. It imports nothing else
// of this program.
package sendtest
