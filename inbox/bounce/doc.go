// Package bounce reads what machines report about mail that we sent: delivery
// status notifications (RFC 3464), complaints (RFC 5965), and the free-text
// bounces of thirty years of mail servers.
//
// It owns nothing and changes nothing. A Result says what a report claims;
// whose delivery it concerns is known only by the token in the address that
// the report was sent to (VERP), which package send checks. A report that is
// delayed, relayed or delivered is never a failure, and a vacation message is
// no bounce at all. When a report cannot be understood, its class is soft or
// none, never hard.
package bounce
