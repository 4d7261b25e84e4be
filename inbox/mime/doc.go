// Package mime reads foreign mail: what came in from anywhere, written by any
// program of the last thirty years, and by people who wish us ill.
//
// It owns nothing and keeps nothing. It promises that every message gives
// either a readable result or a *Refusal that names the reason; it never
// panics, its time and memory grow with the size of the message and not with
// its cleverness, and all text it returns is valid UTF-8 with LF line ends.
// What it had to repair on the way is told in Message.Notes.
//
// go-message reads the parts and undoes their transfer encoding, but refuses
// much of what is mailed. So the mender writes each mail anew first, in the
// form that go-message takes and within our budgets; what go-message cannot
// decode even then is salvaged here, and charsets are our own matter.
//
// It judges nothing: who really wrote a message is the matter of inbox/trust,
// which reads the raw octets itself.
package mime
