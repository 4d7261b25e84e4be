// Package inboxtest is an IMAP server in memory, with faults on demand. The
// tests use it over net.Pipe, where time can be faked; the demo ships it and
// serves it on a loopback port.
//
// It owns users, folders and messages, all of them gone when it is closed. It
// promises to behave like a decent server until it is told not to: Deliver
// wakes an IDLE, a UID is never used twice under one UIDVALIDITY, and nothing
// but a fault that was asked for loses a message or a connection. The faults
// are those that real servers and networks have: silence, BYE, reset, a
// half-open line, a cut in the middle, a folder made anew, wrong counts,
// answers in an unusual order, refusals, commands that are never answered.
package inboxtest
