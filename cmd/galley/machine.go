package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"syscall"

	"galley/send/store"
)

// machineMark is what tells this machine from every other one, without saying
// which it is: the books travel, and machine-id(5) asks that the number itself
// be kept private. On PostgreSQL the books are a part of it, so that a copy of
// them on another server is noticed as well.
func machineMark(ctx context.Context, db *store.DB, data string, key []byte) (string, error) {
	id, err := os.ReadFile("/etc/machine-id")
	id = bytes.TrimSpace(id)
	if err != nil || len(id) == 0 || string(id) == "uninitialized" {
		id = []byte(placeOf(data))
	}
	books, err := db.Identity(ctx)
	if err != nil {
		return "", err
	}
	if len(id) == 0 && books == "" {
		return "", nil
	}
	return markOf(string(id)+books, key), nil
}

// placeOf stands in for a machine's number where the system has none, as in
// many containers: the file system that the data folder lies on, and its place
// there. Both stay when a container is made anew around its volume, and are
// others in whatever place the folder is copied to.
func placeOf(data string) string {
	var fs syscall.Statfs_t
	var file syscall.Stat_t
	if syscall.Statfs(data, &fs) != nil || syscall.Stat(data, &file) != nil {
		return ""
	}
	return fmt.Sprintf("%v %d", fs.Fsid, file.Ino)
}

func markOf(id string, key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("machine\x00" + id))
	return hex.EncodeToString(m.Sum(nil))
}
