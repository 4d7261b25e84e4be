// Package trust says how far a mail can be believed to come from the person
// in its From field, and what may be done with it on that ground.
//
// It owns four readings of raw octets: the strict From (StrictFrom), the
// result of every DKIM signature (DKIM), the results an own mail server wrote
// down (ParseAuthResults), and the evidence those make together (Judge). And
// it owns the decision table of an editor's mail (Decide). It is pure: the
// only look at the world is the DNS function in a Policy, and time is a field
// of it.
//
// What it promises when things fail: nothing here is fatal. Octets that
// cannot be read prove nothing, a DNS server that does not answer is a
// "temperror" to be tried again, and every doubt is settled on the side that
// lets no mail out. DKIM and DMARC prove a domain and never a person, so no
// evidence of this package alone approves anything: Decide asks for the
// one-time code as well.
package trust
