// Package store holds the records of the cloud controller and the questions
// that are asked of them: accounts and keys, images, instances, volumes,
// networks, and the generations of the orders that go down to the zones.
//
// A record says what is wanted (written by an action of a user) and what must
// be remembered of what was seen (written by a keeper); what merely is seen
// stays in the latest report and is not stored. States that users read are
// computed from both and have no column.
//
// Everything happens in a transaction: InTx for what writes, View for what
// only reads and must see one instant. InTx is the commit: a crash before its
// end leaves nothing, after it everything, and a function that fails changes
// nothing. Writers go one after another, so that a read followed by a write in
// one InTx is safe: quotas, client tokens and addresses are counted and taken
// there. No *gorm.DB leaves this package.
package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"karri/shared/db"
	"karri/shared/fault"
)

// AnyAccount asks a question on behalf of the cloud itself: the answer is not
// limited to what one account owns. Only keepers and administrators pass it.
const AnyAccount = "*"

// A Record is a row of one of the tables.
type Record interface{ TableName() string }

// A Store is the database of cloudctl.
type Store struct {
	d       *db.DB
	asked   statements
	writing sync.Mutex // held from the begin of a transaction that may write until it is counted
	changes atomic.Uint64
	views   atomic.Uint64

	hearing sync.Mutex
	hear    []func(subject string, body []byte)
}

// A Tx is one transaction. It is used by one goroutine and not after its
// function has returned.
type Tx struct {
	g     *gorm.DB
	asked *statements
	said  []*Announcement // in this transaction
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database in the file at path, made if need be, and brings
// its tables up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, path, files)
	if err != nil {
		return nil, err
	}
	s := &Store{d: d}
	if s.asked, err = prepare(ctx, d); err != nil {
		d.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the store; what was committed stays.
func (s *Store) Close() { s.d.Close() }

// Check tells whether the database answers; it is for readiness.
func (s *Store) Check(ctx context.Context) error { return s.d.Check(ctx) }

// Changes returns a number that grows with every transaction of this process
// that may have written. What a View shows is no older than the number read
// before it; within InTx it counts all that the transaction sees.
func (s *Store) Changes() uint64 { return s.changes.Load() }

// InTx runs do in one transaction and commits it when do returns nil.
func (s *Store) InTx(ctx context.Context, do func(*Tx) error) error {
	said, err := s.write(ctx, do)
	if err == nil {
		s.announced(said)
	}
	return err
}

func (s *Store) write(ctx context.Context, do func(*Tx) error) (said []*Announcement, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	defer s.changes.Add(1)
	err = s.d.Transact(ctx, func(g *gorm.DB) error {
		tx := &Tx{g: g, asked: &s.asked}
		err := do(tx)
		said = tx.said
		return err
	})
	return said, err
}

// Views returns how often View was called, for tests of what must not read.
func (s *Store) Views() uint64 { return s.views.Load() }

// View runs do in a transaction that sees one instant and must not write.
func (s *Store) View(ctx context.Context, do func(*Tx) error) error {
	s.views.Add(1)
	return s.d.Read(ctx, func(g *gorm.DB) error { return do(&Tx{g: g, asked: &s.asked}) })
}

// Put writes a record, new or changed.
func (t *Tx) Put(r Record) error {
	return wrap("put", r, t.g.Clauses(clause.OnConflict{UpdateAll: true}).Create(r).Error)
}

// Add writes a new record; one whose key or unique column is taken is refused
// with the fault "Taken" (Conflict).
func (t *Tx) Add(r Record) error {
	return wrap("add", r, t.g.Create(r).Error)
}

// Drop removes a record, by its key; one that is not there is fine.
func (t *Tx) Drop(r Record) error {
	return wrap("drop", r, t.g.Delete(r).Error)
}

// Taken reports whether err says that a unique value is in use already.
func Taken(err error) bool { return fault.CodeOf(err) == "Taken" }

func wrap(what string, r Record, err error) error {
	err = db.Translate(err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, db.ErrExists):
		return fault.New(fault.Conflict, "Taken", "A record of %s with the same key exists.", r.TableName()).Because(err)
	}
	return fmt.Errorf("%s %s: %w", what, r.TableName(), err)
}

// owned narrows a question to what account owns.
func (t *Tx) owned(account string) *gorm.DB {
	if account == AnyAccount {
		return t.g
	}
	return t.g.Where("account = ?", account)
}

// many returns the rows that q finds, in the order of the given columns.
func many[R Record](q *gorm.DB, order string) ([]R, error) {
	rows := []R{}
	if err := q.Order(order).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list %s: %w", (*new(R)).TableName(), err)
	}
	return rows, nil
}

// one returns the row that q finds, or missing.
func one[R Record](q *gorm.DB, missing *fault.Fault) (*R, error) {
	var rows []R
	if err := q.Limit(1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("look up %s: %w", (*new(R)).TableName(), err)
	}
	if len(rows) == 0 {
		return nil, missing
	}
	return &rows[0], nil
}

func count[R Record](q *gorm.DB) (int, error) {
	var n int64
	err := q.Model(new(R)).Count(&n).Error
	return int(n), err
}

func missing(code, format string, args ...any) *fault.Fault {
	return fault.New(fault.Missing, code, format, args...)
}
