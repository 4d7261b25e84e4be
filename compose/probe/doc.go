// Package probe asks web servers whether the links of an issue are alive.
//
// It owns the one way in which Galley calls a stranger's server: a request that
// knows nothing of readers, one at a time to each host, at most five seconds and
// 512 KiB each, three redirects, no cookies, no proxy of the environment, and
// never an address that is not public (the guard looks at the address that is
// dialled, so a name that changes its mind does not help).
//
// It promises an answer for every link that it was given. What did not answer
// in time is said to be waiting; nothing here is an error.
package probe
