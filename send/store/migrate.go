package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

// Migrations only grow: a step that a release has shipped is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, one step a transaction, and refuses
// a database that a newer Galley has written.
func (db *DB) migrate(ctx context.Context) error {
	steps, err := db.steps()
	if err != nil {
		return err
	}
	if db.upToDate(ctx, steps[len(steps)-1].Version) {
		return nil
	}
	dialect := goose.DialectSQLite3
	if db.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, db.write, nil,
		goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("database: reading the schema's version: %w", err)
	}
	if want := steps[len(steps)-1].Version; have > want {
		return fmt.Errorf("database: its schema is version %d, this Galley knows %d; start the newer Galley that wrote it", have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("database: migrating: %w", err)
	}
	return nil
}

// upToDate asks whether the schema is of that version with one look, which is
// what nearly every start finds: goose looks at each step of its own table, and
// takes the write lock for it. Whatever is not plain is goose's to say.
func (db *DB) upToDate(ctx context.Context, want int64) bool {
	var have int64
	err := db.write.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have)
	return err == nil && have == want
}

// steps reads the migrations in order of their numbers.
func (db *DB) steps() ([]*goose.Migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var out []*goose.Migration
	for i, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		up := &goose.GoFunc{RunTx: apply(statements(string(text), db.dialect))}
		out = append(out, goose.NewGoMigration(int64(i+1), up, nil))
	}
	return out, nil
}

func apply(stmts []string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range stmts {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%w in: %s", err, s)
			}
		}
		return nil
	}
}

// statements splits a migration. A line "-- sqlite: …" or "-- postgres: …"
// counts only on that database; other comments go.
func statements(text string, d Dialect) []string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(bare, "-- "+string(d)+":"); ok {
			b.WriteString(rest + "\n")
		} else if !strings.HasPrefix(bare, "--") {
			b.WriteString(line)
		}
	}
	var out []string
	for s := range strings.SplitSeq(b.String(), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
