// Command galley is an email-first newsletter press: an editor mails a draft,
// gets a proof, approves it by mail, and Galley takes it to every reader.
//
// The command owns the configuration, the secrets it points to and the
// wiring of the parts; all else is theirs. A file with faults is refused with
// every fault in it, each with its line and its remedy, before anything
// starts. A secret is never printed.
package main
