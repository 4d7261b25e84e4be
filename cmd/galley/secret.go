package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// hidden is what a secret looks like wherever it is printed.
const hidden = "[secret]"

// Secret is a password, a token or a URL with one in it. It prints itself as
// "[secret]" in every verb, in logs, JSON and TOML. The text stands behind a
// pointer, because fmt reaches unexported fields without asking the type.
type Secret struct{ text *string }

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal gives the text to the one who must say it to a server.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero tells that there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String hides the secret.
func (s Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return hidden }

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret from JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText reads the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// Login is who Galley is to a server, and the one place its password is in.
type Login struct {
	User            string `toml:"user"`
	Password        Secret `toml:"password"`         // only in a file that nobody else can read
	PasswordFile    string `toml:"password_file"`    // its first line
	PasswordEnv     string `toml:"password_env"`     // name of a variable of the environment
	PasswordCommand string `toml:"password_command"` // run by sh; the first line it prints
	Mechanism       string `toml:"mechanism"`        // SASL; "" lets the server's offer decide
}

// Secret fetches the password from where the file says it is, each time anew,
// so that a token which a command prints is fresh. The error names the place
// and never what was found there.
func (l *Login) Secret(ctx context.Context) (Secret, error) {
	switch {
	case l.PasswordFile != "":
		return secretFile(l.PasswordFile)
	case l.PasswordEnv != "":
		return firstLine([]byte(os.Getenv(l.PasswordEnv)), "the environment variable "+l.PasswordEnv)
	case l.PasswordCommand != "":
		return secretCommand(ctx, l.PasswordCommand)
	}
	return l.Password, nil
}

func secretFile(path string) (Secret, error) {
	if err := private(path); err != nil {
		return Secret{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, err
	}
	return firstLine(text, path)
}

// secretCommand runs a command as mbsync and msmtp do. What it prints is
// shown to nobody, its complaints neither: they may quote the secret.
func secretCommand(ctx context.Context, command string) (Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.WaitDelay = time.Second // a child of the shell may hold the pipe open
	out, err := cmd.Output()
	if err != nil {
		return Secret{}, fmt.Errorf("password_command: %w; run it by hand to see why", plainExit(err))
	}
	return firstLine(out, "what password_command prints")
}

// plainExit leaves the exit status and drops the captured complaints.
func plainExit(err error) error {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return errors.New(e.ProcessState.String())
	}
	return err
}

func firstLine(text []byte, where string) (Secret, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	s := strings.TrimSuffix(string(line), "\r")
	if s == "" {
		return Secret{}, fmt.Errorf("%s is empty; put the password there, on the first line", where)
	}
	return NewSecret(s), nil
}

// private refuses a file with a secret that others could read (trust.md
// bar 80): permission bits are the only lock it has.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return unwrapPath(err, path)
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a folder; name a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o, so others can read the secret; chmod 600 %s", path, mode, path)
	}
	return nil
}

// unwrapPath says what is wrong with a file in words without system calls.
func unwrapPath(err error, path string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist", path)
	}
	var e *fs.PathError
	if errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// keySize is the length in bytes of galley.key.
const keySize = 32

// LoadKey reads galley.key in the data folder, from which tokens and the
// hashes of suppressed addresses are made, and makes it, mode 0600, when
// there is none. Without the same key, links in issues already sent are dead
// and suppressed people could be imported again, so a key that is damaged is
// an error and is never replaced.
func LoadKey(data string) ([]byte, error) {
	path := filepath.Join(data, "galley.key")
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return nil, err
		}
	}
	if err := private(path); err != nil {
		return nil, err
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("%s is damaged: %d bytes instead of %d; bring it back from a backup", path, len(key), keySize)
	}
	return key, nil
}

// makeKey writes a whole key under another name and links it into place, so
// that two commands that start at once end with one key and none with half.
func makeKey(path string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".galley.key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	key := make([]byte, keySize)
	rand.Read(key) // never fails (crypto/rand)
	_, err = tmp.Write(key)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
