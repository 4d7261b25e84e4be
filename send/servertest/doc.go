// Package servertest starts real servers for tests: Dovecot, Postfix with
// OpenDKIM and OpenDMARC as its milters, PostgreSQL, rspamd, Exim, and a DNS
// server that these ask. They come from the distribution's packages, and are started
// with configurations of their own in a temporary folder, on ports of
// 127.0.0.1 that nobody else has. A test that asks for a server is skipped
// unless GALLEY_SERVERS is set; once it is set, a server that is missing or
// does not start is a failure.
//
// The package owns its folders and its processes. Each process ends with its
// test, by its pid, and also when the test's own process dies: a watcher
// holds the other end of a pipe.
//
// Dovecot, PostgreSQL, rspamd, the milters and Exim refuse or do not need root
// and are then run as nobody, or as the user who runs the tests. Postfix needs
// root, since it changes to a user of its own: without it a test that asks for
// Postfix fails and says so.
//
// The servers' folders lie in memory where there is room for them.
package servertest
