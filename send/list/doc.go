// Package list keeps the people a newsletter is sent to: who is on the list,
// who left, who must never be mailed again, and what each of them said when.
//
// It owns the tables subscriber, consent and suppression. Consent only grows:
// a row of it is never changed. A suppression is a keyed hash of the address,
// so that it outlives the person's other data and says nothing about them.
//
// What it promises: one person has one row, however the address is written
// (ParseAddress); leaving is done in the caller's transaction, at once, and a
// second time changes nothing; nobody who left or is suppressed comes back by
// an import. When anything fails the caller's transaction fails with it, and
// nothing has happened.
package list
