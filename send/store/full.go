package store

import "context"

// makeRoom empties SQLite's log into the books before the next transaction,
// after one for which the disk had no room. SQLite does that by itself when the
// log is 4 MiB long; on a disk that has less than this left the log would take
// all of it, and whatever room somebody makes would go to the log too, so that
// nothing could ever be written again, although nearly all pages that it holds
// have their places in the books already. From then on it is emptied when it is
// 256 KiB long. Where the books have no room to grow nothing changes, and the
// next transaction tries again.
func (db *DB) makeRoom(ctx context.Context) {
	if db.dialect != SQLite || !db.full.Load() || db.Scrub(ctx) != nil {
		return
	}
	if _, err := db.write.ExecContext(ctx, "PRAGMA wal_autocheckpoint(64)"); err == nil {
		db.full.Store(false)
	}
}
