package compose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galley/send/store"
)

// maxFaults is how often a draft or an answer may fail to be carried out
// before it is given up and the editor told. The pauses between the tries
// double up to ten minutes, so that takes an hour and a half: longer than a
// disk is full or a database away without anybody seeing to it.
const maxFaults = 16

// unharmed runs f and makes a panic of it an error: what one draft or answer
// does to its reader must not end the program, which would begin with it again
// after every start.
func unharmed(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a mistake in the program: %v", p)
		}
	}()
	return f()
}

// faulty notes that a draft or an answer could not be dealt with. The others
// go on meanwhile. It fails itself where the books take nothing at all: then
// the fault is not this one's, and nothing is counted.
func (d *Desk) faulty(ctx context.Context, what string, id int64, cause error) error {
	if ctx.Err() != nil {
		return cause // told to stop
	}
	err := d.DB.Update(ctx, func(tx *store.Tx) error {
		count, pause := `UPDATE decision SET faults = faults + 1, due = $1 WHERE id = $2`, `SELECT faults, newsletter, editor, message_id FROM decision WHERE id = $1`
		if what == "draft" {
			count, pause = `UPDATE draft SET faults = faults + 1, due = $1 WHERE id = $2`, `SELECT faults, newsletter, editor, message_id FROM draft WHERE id = $1`
		}
		var faults int
		var newsletter, editor, messageID string
		if err := tx.QueryRowContext(ctx, pause, id).Scan(&faults, &newsletter, &editor, &messageID); err != nil {
			return err
		}
		due := tx.Now().Add(min(2*time.Second<<faults, 10*time.Minute))
		if _, err := tx.ExecContext(ctx, count, store.Micros(due), id); err != nil {
			return err
		}
		if faults+1 < maxFaults {
			return nil
		}
		return d.giveUp(ctx, tx, what, id, d.Newsletters[newsletter], editor, messageID, cause)
	})
	return errors.Join(fmt.Errorf("%s %d: %w", what, id, cause), err)
}

// giveUp ends what could not be carried out, and says so.
func (d *Desk) giveUp(ctx context.Context, tx *store.Tx, what string, id int64, n *Newsletter, editor, messageID string, cause error) error {
	var err error
	if what == "draft" {
		err = closeDraft(ctx, tx, id, "refused", "given up: "+cause.Error())
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE decision SET state = 'done', result = $1 WHERE id = $2`, "given up: "+cause.Error(), id)
	}
	if err != nil || n == nil || editor == "" {
		return err // the operator reads the result at the command line
	}
	return d.tell(ctx, tx, n, editor, messageID, "given-up", map[string]any{"Draft": what == "draft", "Why": cause.Error()})
}
