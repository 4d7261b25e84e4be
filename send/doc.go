// Package send takes approved editions to their readers, and slips to whom
// they concern, and keeps the books of what became of each.
//
// It owns the tables edition, delivery, attempt, seal, refusal, return, slip and
// lease. A delivery is one row for each issue and subscriber, made once and never
// removed; its state is one of delivery.go's and changes only as the table
// there allows. Publish, Halt, Reschedule, Post and Returned write rows in
// the caller's transaction and do nothing else; Run does the work.
//
// What it promises when things fail:
//   - Nobody is lost. After any number of crashes every delivery ends as sent,
//     failed, expired, suppressed or cancelled, with its reason.
//   - A second copy can only follow a line or a process that broke after the
//     final dot and before the commit of its result. The result of a message
//     is committed before the next final dot on its line, so there is at most
//     one such message a line. The copy has the same octets and Message-ID.
//   - Nobody gets an issue twice, whatever is approved, stopped, changed and
//     approved again: the row of a reader is unique for the issue.
//   - Who left gets no MAIL FROM later than a second after it is in the books.
//   - A fault of the line charges nobody. A refusal that concerns us blames no
//     reader; many of them pause the edition with the server's words, or at one
//     provider alone leave its readers waiting until the issue is resumed.
//   - When the books cannot be written nothing is sent; Run waits and tries
//     again. When another process has taken over, Run ends with ErrFenced.
package send
