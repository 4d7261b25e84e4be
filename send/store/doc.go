// Package store opens Galley's books: SQLite in a file, or PostgreSQL when
// one machine is not enough.
//
// It owns the connection, the transaction, the clock and the migrations; the
// tables belong to the packages that write them. There is one SQL text for
// both databases: placeholders are $1, $2 … in order of appearance, instants
// are BIGINT microseconds since 1970 in UTC, states are TEXT with a CHECK.
//
// What it promises: a transaction that returned without an error is on disk
// (synchronous=FULL; there is no switch), one that returned an error left no
// trace, and a database written by a newer Galley is refused and not touched.
package store
