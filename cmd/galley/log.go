package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// logger writes one line a decision, as text or as JSON. Unless the
// configuration wants addresses, whatever looks like one, a Message-ID too,
// appears as a hash under key, all but the newsletters' own: one can follow a
// person through the log and does not learn who it is (trust.md section 5).
func (c *Config) logger(w io.Writer, key []byte) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if !c.Log.Addresses {
		own := map[string]bool{}
		for _, n := range c.Newsletters {
			own[n.Address.Key()] = true
		}
		opts.ReplaceAttr = masker{key, own}.attr
	}
	if c.Log.JSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// addressLike is anything with an @ between a name and a domain: too much is
// masked rather than too little.
var addressLike = regexp.MustCompile(`[^\s<>()\[\],:;"'=|]+@[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*`)

// masker puts hashes in the place of addresses.
type masker struct {
	key []byte
	own map[string]bool
}

func (m masker) attr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(m.mask(v.String()))
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			a.Value = slog.StringValue(m.mask(x.Error()))
		case fmt.Stringer:
			a.Value = slog.StringValue(m.mask(x.String()))
		}
	}
	return a
}

func (m masker) mask(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return addressLike.ReplaceAllStringFunc(s, func(a string) string {
		low := strings.ToLower(strings.TrimRight(a, "."))
		if m.own[low] {
			return a
		}
		sum := hmac.New(sha256.New, m.key)
		sum.Write([]byte("an address in the log\x00" + low))
		return "address-" + hex.EncodeToString(sum.Sum(nil)[:5])
	})
}
