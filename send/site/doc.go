// Package site is what Galley shows on the web: the page for leaving, the
// one-click address of List-Unsubscribe, the archive with its pictures, and a sign
// of life.
//
// It owns no table. Who leaves is written by the list, what is shown was
// approved and is read from send. A GET changes nothing, whoever sends it:
// mail scanners follow every link (trust.md section 5).
//
// What it promises: a 200 to somebody who leaves means that it is on disk; a
// wrong token gets one and the same answer; every answer carries the same
// security headers; nothing it shows names a reader. When the books cannot
// be read it says so with a 500 and has changed nothing.
package site
