package door

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/send/store"
	"galley/templates"
)

// Kind is what a request is for. It is also the purpose of its token and the
// kind of the address that its answer goes to.
type Kind string

// The kinds of requests.
const (
	Join   Kind = "confirm" // to come onto the list; the address confirms
	Move   Kind = "move"    // to another address, which confirms
	Forget Kind = "forget"  // to have everything erased; the address confirms
	Back   Kind = "back"    // the way back that a farewell holds
	Data   Kind = "data"    // to be sent all that is kept
	Leave  Kind = "leave"   // to be sent the way out, by somebody who has no copy at hand
)

// Answerable are the kinds whose mails carry a token, each for its own
// purpose: one that was made for another does nothing.
var Answerable = []Kind{Join, Move, Forget, Back}

// Press is send, as the door sees it.
type Press interface {
	// Post keeps a slip in the caller's transaction.
	Post(ctx context.Context, tx *store.Tx, s *send.Slip) error
	// Latest is the last issue that went out, nil when there is none.
	Latest(ctx context.Context, tx *store.Tx, newsletter string) (*send.Edition, error)
}

// Newsletter is what the door knows of one newsletter.
type Newsletter struct {
	*send.Newsletter
	Tagline string
	Signs   string         // who signs the mails to readers
	Weekday *time.Weekday  // of the slot, nil without one
	Zone    *time.Location // of the slot; UTC without one
	Lang    string         // BCP 47; "" is en
	Looks   fs.FS

	words words
}

// words is the catalogue of Looks, read once.
type words struct {
	once    sync.Once
	speaker *templates.Speaker
	err     error
}

// Door lets readers in and out. Its zero value needs every field but Tick.
type Door struct {
	DB          *store.DB
	List        *list.List
	Press       Press
	Newsletters map[string]*Newsletter
	Key         []byte        // keys the hashes of addresses
	Tick        time.Duration // how often Run looks by itself; 2 s when 0
	Log         *slog.Logger

	bell store.Bell
}

// Run works on what was asked until ctx ends.
func (d *Door) Run(ctx context.Context) error {
	every := d.Tick
	if every == 0 {
		every = 2 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := d.Step(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error("door", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-d.bell.Rang():
		}
	}
}

// Step does all that is due, each request in a transaction of its own.
func (d *Door) Step(ctx context.Context) error {
	err := d.clear(ctx)
	for _, n := range d.Newsletters {
		err = errors.Join(err, d.work(ctx, n))
	}
	return err
}

// Check tells whether the mails of the door can be written.
func (d *Door) Check() error {
	for _, n := range d.Newsletters {
		for name := range kinds {
			if _, err := n.slip(name, list.Address{}, view{}); err != nil {
				return fmt.Errorf("newsletter %s: %w", n.ID, err)
			}
		}
	}
	return nil
}

func (d *Door) newsletter(id string) (*Newsletter, error) {
	n := d.Newsletters[id]
	if n == nil {
		return nil, fmt.Errorf("newsletter %q is not in the configuration", id)
	}
	return n, nil
}

// hash is what is kept of an address that was asked: with the key it tells
// whether an address is the one, without it nothing.
func (d *Door) hash(newsletter string, kind Kind, a list.Address) string {
	if kind == Move {
		kind = Join // both put an address on the list, so both count
	}
	mac := hmac.New(sha256.New, d.Key)
	fmt.Fprintf(mac, "knock\x00%s\x00%s\x00%s", newsletter, kind, a.Key())
	return hex.EncodeToString(mac.Sum(nil))
}
