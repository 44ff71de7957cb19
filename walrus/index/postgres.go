package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"karri/shared/fault"
)

// postgres is the engine of several machines: a table of keys and values in a
// PostgreSQL database, or in one that speaks as it does. Several processes may
// have it open at a time. A transaction's locks are advisory locks of the
// database, which ends them with the transaction or its process. Each statement
// sees what was committed before it, so what is read under a lock is what the
// one before left. What can be read is on disk.
type postgres struct {
	postgresReader
	pool   *pgxpool.Pool
	number uint64
}

// connections is how many a process has at most, unless the address says
// (pool_max_conns). Each change keeps one while it waits for its locks.
const connections = 32

const schema = `
create table if not exists walrus_index (key bytea primary key, value bytea not null);
create sequence if not exists walrus_processes;`

// OpenPostgres opens the index in the database at a postgres:// address, and
// makes its table if need be.
func OpenPostgres(ctx context.Context, address string) (*Store, error) {
	conf, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	if conf.MaxConns = max(conf.MaxConns, connections); conf.ConnConfig.RuntimeParams["application_name"] == "" {
		conf.ConnConfig.RuntimeParams["application_name"] = "walrus"
	}
	conf.ConnConfig.RuntimeParams["synchronous_commit"] = "on" // acknowledged is durable
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	p := &postgres{postgresReader: postgresReader{pool}, pool: pool}
	s, err := p.open(ctx)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func (p *postgres) open(ctx context.Context) (*Store, error) {
	key := advisory(lock{kind: lockKinds})
	err := pgx.BeginFunc(ctx, p.pool, func(t pgx.Tx) error {
		if _, err := t.Exec(ctx, "select pg_advisory_xact_lock($1)", key); err != nil {
			return err
		}
		_, err := t.Exec(ctx, schema)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open index: %w", p.known(err))
	}
	var n int64
	if err := p.pool.QueryRow(ctx, "select nextval('walrus_processes')").Scan(&n); err != nil {
		return nil, fmt.Errorf("open index: %w", p.known(err))
	}
	p.number = uint64(n)%(processes-1) + 1
	return newStore(ctx, p)
}

func (p *postgres) process() uint64 { return p.number }

func (p *postgres) durable(context.Context) error { return nil }

func (p *postgres) settle(lock) func() { return func() {} }

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

// again: the database says that it undid the transaction because of others.
func (p *postgres) again(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code == "40001" || said.Code == "40P01")
}

// What the database cannot do now.
var (
	unreachable = fault.New(fault.Later, "ServiceUnavailable", "The index cannot be reached. Try again.")
	fullIndex   = fault.New(fault.Full, "InsufficientStorage", "There is no room left to store this.")
)

// known names an error for the caller. It must be certain that nothing was changed.
func (postgresReader) known(err error) error {
	var said *pgconn.PgError
	var link net.Error
	switch {
	case errors.As(err, &said) && (said.Code == "53100" || said.Code == "53200"):
		return fullIndex.Because(err)
	case errors.As(err, &said) && (said.Code[:2] == "57" || said.Code[:2] == "53" || said.Code == "25006"):
		return unreachable.Because(err)
	case errors.As(err, &said):
		return err
	case errors.As(err, &link), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), pgconn.SafeToRetry(err) && !errors.Is(err, context.Canceled):
		return unreachable.Because(err)
	}
	return err
}

// advisory is the number of a lock. Kinds come one behind the other.
func advisory(l lock) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.name)) // it never fails
	return int64(l.kind)<<59 | int64(h.Sum64()>>5)
}

// A querier is a connection or the pool of them.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// postgresReader reads through one connection or any.
type postgresReader struct{ from querier }

func (r postgresReader) get(ctx context.Context, key []byte) ([]byte, error) {
	rows, err := r.from.Query(ctx, "select value from walrus_index where key = $1", key)
	if err == nil {
		var value []byte
		value, err = pgx.CollectOneRow(rows, pgx.RowTo[[]byte])
		if err == nil {
			return value, nil
		}
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return nil, fmt.Errorf("read index: %w", r.known(err))
}

func (r postgresReader) cursor(ctx context.Context, low, high []byte) (cursor, error) {
	return &pages{ctx: ctx, r: r, low: low, high: high}, nil
}

// pages is a cursor that fetches a few rows and then more and more.
type pages struct {
	ctx       context.Context
	r         postgresReader
	low, high []byte
	bytes     []byte // of all rows, one behind the other
	rows      []pair // where they are
	at, most  int
	end       bool // no rows behind those
	err       error
}

// A pair is a key and a value in pages: bytes begin..value..end.
type pair struct{ begin, value, end int }

const (
	fewest = 16
	most   = 1024
)

func (c *pages) seek(key []byte) bool {
	if slices.Compare(key, c.low) < 0 {
		key = c.low
	}
	c.most = fewest
	return c.fetch(key)
}

func (c *pages) next() bool {
	if c.at++; c.at < len(c.rows) {
		return true
	}
	if c.end || c.err != nil {
		return false
	}
	c.most = min(c.most*4, most)
	c.at--
	return c.fetch(append(slices.Clone(c.key()), 0))
}

func (c *pages) fetch(from []byte) bool {
	c.rows, c.bytes = c.rows[:0], c.bytes[:0]
	binary := pgx.QueryResultFormats{pgx.BinaryFormatCode, pgx.BinaryFormatCode}
	rows, err := c.r.from.Query(c.ctx, "select key, value from walrus_index where key >= $1 and key < $2 order by key limit $3", binary, from, c.high, c.most)
	if err == nil {
		for rows.Next() {
			raw := rows.RawValues()
			p := pair{begin: len(c.bytes), value: len(c.bytes) + len(raw[0])}
			c.bytes = append(append(c.bytes, raw[0]...), raw[1]...)
			p.end = len(c.bytes)
			c.rows = append(c.rows, p)
		}
		err = rows.Err()
	}
	c.at, c.end = 0, len(c.rows) < c.most
	if err != nil {
		c.rows, c.err = nil, c.r.known(err)
	}
	return len(c.rows) > 0
}

func (c *pages) key() []byte {
	p := c.rows[c.at]
	return c.bytes[p.begin:p.value:p.value]
}

func (c *pages) value() ([]byte, error) {
	p := c.rows[c.at]
	return c.bytes[p.value:p.end:p.end], nil
}

func (c *pages) close() error {
	if c.err != nil {
		return fmt.Errorf("scan index: %w", c.err)
	}
	return nil
}

func (p *postgres) snapshot(ctx context.Context) (reader, func(), error) {
	t, err := p.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, nil, fmt.Errorf("read index: %w", p.known(err))
	}
	return postgresReader{t}, func() { _ = t.Rollback(context.WithoutCancel(ctx)) }, nil
}

// ordered returns the locks in the order in which all take them, each once.
func ordered(locks []lock) []lock {
	locks = slices.Clone(locks)
	slices.SortFunc(locks, func(a, b lock) int {
		if c := cmp.Compare(advisory(a), advisory(b)); c != 0 || a.shared == b.shared {
			return c
		}
		if a.shared {
			return 1
		}
		return -1
	})
	return slices.CompactFunc(locks, func(a, b lock) bool { return advisory(a) == advisory(b) })
}
