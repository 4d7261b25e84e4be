// Package message writes the mail that leaves the house: single mails
// (slips) and issues that are encoded once and spliced for every reader.
//
// It owns the bytes: header fields and their folding, encoded-words,
// quoted-printable, MIME boundaries and DKIM signatures. Nothing reaches a
// header but through the one header writer, which refuses CR, LF and NUL and
// encodes what is not printable ASCII. The octets depend on the input alone:
// the same mail, or the same issue for the same reader, has the same octets on
// every call and in every process, so that a retry is a copy.
//
// It knows nothing of newsletters, queues or connections. When something
// cannot be written it returns an error that names the field and the remedy;
// it never writes half a message.
package message
