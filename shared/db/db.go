// Package db opens the database of a controller and keeps its manners. With
// the store packages of the tiers it is the door to gorm.
//
// The database is SQLite in one file: write-ahead log, synchronous=FULL, so
// that a transaction that has returned is on disk; foreign keys on. All writes
// go through one connection whose transactions take the write lock at their
// begin, so a transaction that reads and then writes never fails half-way for
// a lock and sees nothing change under it. Reads use connections of their own,
// each a snapshot, and never wait for a write. A crash loses what was not
// committed and nothing else.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	modernc "modernc.org/sqlite"
)

// DB is an open database. Its methods may be called by several goroutines.
type DB struct {
	write, read *gorm.DB
}

// Open opens the file at path, made if need be, and brings its tables up to
// date with the numbered .sql files at the root of migrations.
func Open(ctx context.Context, path string, migrations fs.FS) (*DB, error) {
	w, err := connect(path, "immediate", 1)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	d := &DB{write: w}
	if err := migrate(ctx, d, migrations); err != nil {
		d.Close()
		return nil, fmt.Errorf("migrate database %s: %w", path, err)
	}
	if d.read, err = connect(path, "deferred", 4); err != nil {
		d.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return d, nil
}

func connect(path, lock string, conns int) (*gorm.DB, error) {
	q := url.Values{"_txlock": {lock}, "_time_format": {"sqlite"}, "_pragma": {
		"busy_timeout(20000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}}
	if conns > 1 {
		q.Add("_pragma", "query_only(1)")
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
	g, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: dsn}, &gorm.Config{
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
	})
	if err != nil {
		return nil, err
	}
	pool, err := g.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return g, nil
}

// Transact runs f in a transaction that may write, one at a time, and commits
// it when f returns nil. When Transact returns nil the changes are on disk.
// Inside f every query must go through tx.
func (d *DB) Transact(ctx context.Context, f func(tx *gorm.DB) error) error {
	return Translate(d.write.WithContext(ctx).Transaction(f))
}

// Read runs f over one snapshot of the database. A write in f fails.
func (d *DB) Read(ctx context.Context, f func(tx *gorm.DB) error) error {
	ctx = context.WithValue(ctx, readingKey{}, true)
	return Translate(d.read.WithContext(ctx).Transaction(f, &sql.TxOptions{ReadOnly: true}))
}

// Check tells whether the database answers; it is for readiness.
func (d *DB) Check(ctx context.Context) error {
	return d.Read(ctx, func(tx *gorm.DB) error { return tx.Exec("SELECT 1").Error })
}

// Close waits for running queries and closes the file.
func (d *DB) Close() {
	for _, g := range []*gorm.DB{d.read, d.write} {
		if g == nil {
			continue
		}
		if pool, err := g.DB(); err == nil {
			if err := pool.Close(); err != nil {
				slog.Error("cannot close the database", "err", err)
			}
		}
	}
}

// What a store acts on; the rest of the errors is trouble.
var (
	ErrExists     = errors.New("exists already")        // a unique index or primary key is violated
	ErrMissing    = errors.New("not found")             // a First or Take found nothing
	ErrReferenced = errors.New("reference is violated") // a foreign key points to or from nothing
)

// The extended result codes of SQLite that a store acts on.
const (
	constraintForeignKey = 787
	constraintPrimaryKey = 1555
	constraintUnique     = 2067
	constraintRowID      = 2579
)

// Translate wraps err so that errors.Is finds ErrExists, ErrMissing or
// ErrReferenced in it. Transact and Read do so; a store needs it only to act
// on an error inside a transaction.
func Translate(err error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if e, ok := errors.AsType[*modernc.Error](err); ok {
		switch e.Code() {
		case constraintPrimaryKey, constraintUnique, constraintRowID:
			return fmt.Errorf("%w: %w", ErrExists, err)
		case constraintForeignKey:
			return fmt.Errorf("%w: %w", ErrReferenced, err)
		}
	}
	return err
}
