// Package send takes approved editions to their readers, and slips to whom
// they concern, and keeps the books of what became of each.
//
// It owns the tables edition, delivery, attempt, seal, refusal, return, slip,
// lease, home and trace. A delivery is one row for each issue and subscriber, made once and never
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
// What holds the promise to account, by the numbers of the trust design. All of
// it runs in .ci/run; behind "long:" stands the command for more.
//   - 1, 3, 4, 14: message.TestRandomIssues, TestMutantsJudged; TestTenThousandWaysToLeave.
//   - 6: cmd/galley TestRecords, the stories records-…; TestRealServers holds an
//     issue to a thousand for a missing record, and lets it go when it is there.
//   - 15: relay TestSmuggling, TestSmugglingThroughPostfix, TestSmugglingThroughExim.
//   - 16 to 21, 23: in relay TestTimeouts, TestBodyTimeouts,
//     TestHostileServers, TestTable, TestFates, TestLoneDot, TestNoPlaintext,
//     TestRoundTrips; TestNextHopRefusesUs here.
//   - 22: TestPerSecond, TestQuotaSlides; relay TestMaxMessages.
//   - 24: TestOneRowAPerson, cmd/galley TestOnePersonOneCopy.
//   - 25, 39: TestKills, cmd/galley TestKilledInMidRun: the real daemon killed.
//   - 26: cmd/galley TestSimulation and TestSimulationReplays: the whole house
//     under faults for fourteen days. A seed comes out the same to the last event
//     and its instant; GALLEY_SIM_SEEDS=1 GALLEY_SIM_FIRST=n plays seed n. A bubble
//     is dearer on two processors than on one, so the two halves go side by side.
//     long: go test -c -o sim.test ./cmd/galley; cd cmd/galley; export GOMAXPROCS=1 GOGC=400 GALLEY_SIM_SEEDS=5000 GALLEY_SIM_READERS=200
//     for n in 1 5001; do GALLEY_SIM_FIRST=$n ../../sim.test -test.timeout 0 -test.run 'TestSimulation$' & done; wait
//   - 27: TestEveryCommit: the n-th commit fails, or the process dies before or
//     after it, for every n.
//   - 28: TestCrashImages. long: GALLEY_SERVERS=1 go test -run TestCrashImages ./send
//   - 29: TestLostReplies, TestHoldWhatMayHaveArrived; with ten thousand readers
//     cmd/galley TestLostRepliesOfTenThousand.
//     long: GALLEY_SERVERS=1 go test -run OfTenThousand ./cmd/galley
//   - 30 to 32: TestOutageOfADay, TestRefusedForEver, TestGreylist.
//   - 33: TestFullBooks, TestFullDisk, TestReadOnlyDisk, TestLockedBooks.
//   - 34: cmd/galley TestSecondDaemon, TestSecondHouse, TestFurtherMachine; TestFencing here.
//     long: GALLEY_SERVERS=1 go test -count 20 -timeout 0 -run TestFurtherMachine ./cmd/galley
//   - 35: TestWhoLeavesInMidRunGetsNothing; with ten thousand readers cmd/galley
//     TestLeaversOfTenThousand. long: as 29
//   - 36, 37: TestHaltInMidRun, TestCancelledUnderADeadProcess; cmd/galley
//     TestHeldKilledResumed, TestCancelledInMidRun, TestChangesInMidRun.
//   - 38: TestBreaker, TestBreakerByProvider, TestRefusals.
//   - 40: TestClaimReadsLittle; BenchmarkWalk with -page 100 for the claim and the
//     start; speed and memory:
//     galley bench --recipients 1000000 --sign none --connections 50, and with 10000
//   - 41: the same on PostgreSQL, and cmd/galley TestPostgresKilledInMidRun.
//     long: GALLEY_SERVERS=1 go test ./send/... ./cmd/galley
//   - 45: go test -tags chaos -run TestClockJumps ./cmd/galley
//   - several machines: TestMachines, cmd/galley TestFurtherMachine.
//   - everything at once, to the real program: cmd/galley TestChaos.
//     long: GALLEY_SERVERS=1 GALLEY_CHAOS_SEEDS=100 GALLEY_CHAOS_READERS=5000 go test -tags chaos -timeout 0 -v -run TestChaos ./cmd/galley
//
// What measures the goals of speed, each on a machine that does nothing else;
// -benchtime says how many turns are taken, of which the medians count:
//   - S1, S2, S3 against other senders, speed and processor's time:
//     galley bench --against 9 --connections 50 --sign none; BenchmarkAgainst in relay.
//   - S4, the client's processor's time a copy: go test -run '^$' -bench Deliver -benchtime 2000x ./send/relay
//   - S5, round trips, with a window too, in simulated time: go test -v -run TestRoundTrips ./send/relay
//   - S6, memory over a million readers: galley bench --recipients 1000000 --connections 50
//   - S7 and D3, what books cost and signing ahead saves: go test -run '^$' -bench Durable -benchtime 5x ./send/relay
//   - S8, allocations a copy: go test -run Allocations ./send ./send/message ./send/relay
//   - D1, RSA over its bare signature: go test -run '^$' -bench '^BenchmarkSigning$' -benchtime 500x ./send/message
//   - D2, Ed25519 against go-msgauth: go test -run '^$' -bench Signed -benchtime 9x ./send/relay
//   - P1, a result with its attempt: go test -run '^$' -bench Mark -benchtime 200x ./send
//   - P2, everybody who waits is claimed, on both databases:
//     GALLEY_SERVERS=1 go test -run '^$' -bench Walk -benchtime 1x ./send -readers 1000000
//   - P3, an import, on both databases:
//     GALLEY_SERVERS=1 go test -run '^$' -bench Import -benchtime 1x ./send/list -rows 1000000
package send
