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
//     one such message a line, or as many as the window of a line that was
//     given one (Wide). The copy has the same octets and Message-ID.
//   - Nobody gets an issue twice, whatever is approved, stopped, changed and
//     approved again: the row of a reader is unique for the issue.
//   - Who left gets no MAIL FROM later than a second after it is in the books.
//   - A fault of the line charges nobody. A refusal that concerns us blames no
//     reader; many of them pause the edition with the server's words, or at one
//     provider alone leave its readers waiting until the issue is resumed.
//   - Before an issue goes to more than a hundred readers Queue.Fit is asked
//     whether servers would refuse it; if so it is held, with what to mend.
//   - When the books cannot be written nothing is sent; Run waits and tries
//     again. When another process has taken over, Run ends with ErrFenced.
//
// What holds the promise to account, by the numbers of the trust design; the
// second line of each is its long form:
//   - 6: cmd/galley TestRecords, the stories records-…; TestRealServers holds an
//     issue to a thousand for a missing record, and lets it go when it is there.
//   - 1, 3, 4, 14: message.TestRandomIssues, TestMutantsJudged; TestTenThousandWaysToLeave.
//   - 15: relay.TestSmuggling, TestSmugglingThroughPostfix, TestSmugglingThroughExim.
//   - 24, 25, 39: the daemon killed in mid-run, cmd/galley TestKilledInMidRun,
//     TestOnePersonOneCopy; TestKills here.
//   - 26: the whole house under faults for fourteen days, cmd/galley TestSimulation;
//     GALLEY_SIM_SEEDS=10000 GALLEY_SIM_READERS=200 go test -timeout 0 -run TestSimulation ./cmd/galley
//   - 29 to 32: TestLostReplies, TestOutageOfADay, TestRefusedForEver, TestGreylist.
//   - 33: TestFullBooks, TestFullDisk.
//   - 34, 36, 37: cmd/galley TestSecondDaemon, TestHeldKilledResumed,
//     TestCancelledInMidRun, TestChangesInMidRun; TestFencing here.
//   - 35: TestWhoLeavesInMidRunGetsNothing.
//   - 41: the same on PostgreSQL, and TestPostgresKilledInMidRun;
//     GALLEY_SERVERS=1 go test ./send/... ./cmd/galley
//   - 45: go test -tags chaos -run TestClockJumps ./cmd/galley
package send
