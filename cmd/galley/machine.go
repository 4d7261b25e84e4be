package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"

	"galley/send/store"
)

// machineMark is what tells this machine from every other one, without saying
// which it is: the books travel, and machine-id(5) asks that the number itself
// be kept private. It is "" with PostgreSQL, where the books stay where they
// are, several machines take turns, and a lease keeps them apart; and where
// the system has no number of its own, since a name that changes with every
// start, as a container's does, would be asked about for ever.
func machineMark(dialect store.Dialect, key []byte) string {
	if dialect != store.SQLite {
		return ""
	}
	id, err := os.ReadFile("/etc/machine-id")
	id = bytes.TrimSpace(id)
	if err != nil || len(id) == 0 || string(id) == "uninitialized" {
		return ""
	}
	return markOf(string(id), key)
}

func markOf(id string, key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("machine\x00" + id))
	return hex.EncodeToString(m.Sum(nil))
}
