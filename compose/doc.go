// Package compose turns drafts into issues and talks with the editor: it is
// the desk.
//
// It owns the tables draft, decision, issue, audit, proof, greeting,
// slot and link. A draft that the inbox hands in becomes a revision of an
// issue, rendered once (Render) and kept as the bytes that readers would get; a
// proof of exactly those bytes goes back with a one-time code; an answer with that code lets
// them out, and no others. The calendar finds the time, the reports say how it
// went. All words that editors read stand in one file of the templates.
//
// What it promises when things fail: a faulty draft is answered by mail with
// its lines and remedies and stops nothing; an answer is carried out in one
// transaction with the mail that says so, or not at all; a fault of the books
// is logged and tried again at the next tick; nothing unapproved ever reaches
// the press.
package compose
