package index

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A postgresTxn is a transaction of the database. Its writes wait for commit,
// which sends them in one message.
type postgresTxn struct {
	postgresReader
	conn   *pgxpool.Conn
	ahead  map[string][]byte
	writes map[string][]byte // nil: unset
	open   bool
}

// begin sends all that opens the transaction in one message.
func (p *postgres) begin(ctx context.Context, ahead [][]byte, locks ...lock) (transaction, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("write index: %w", p.known(err))
	}
	t := &postgresTxn{postgresReader: postgresReader{conn}, conn: conn, ahead: map[string][]byte{}, writes: map[string][]byte{}, open: true}
	var all pgx.Batch
	all.Queue("begin isolation level read committed read write") // each statement sees what was done before the locks came
	for _, l := range ordered(locks) {
		all.Queue(taking(l), advisory(l))
	}
	if len(ahead) > 0 {
		for _, key := range ahead {
			t.ahead[string(key)] = nil
		}
		all.Queue("select key, value from walrus_index where key = any($1)", ahead).Query(func(rows pgx.Rows) error {
			var key, value []byte
			_, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error {
				t.ahead[string(key)] = slices.Clone(value)
				return nil
			})
			return err
		})
	}
	if err := conn.SendBatch(ctx, &all).Close(); err != nil {
		t.end()
		return nil, fmt.Errorf("write index: %w", p.known(err))
	}
	return t, nil
}

func taking(l lock) string {
	if l.shared {
		return "select pg_advisory_xact_lock_shared($1)"
	}
	return "select pg_advisory_xact_lock($1)"
}

func (t *postgresTxn) get(ctx context.Context, key []byte) ([]byte, error) {
	if v, ok := t.ahead[string(key)]; ok {
		return v, nil
	}
	return t.postgresReader.get(ctx, key)
}

func (t *postgresTxn) lock(ctx context.Context, l lock) error {
	if _, err := t.conn.Exec(ctx, taking(l), advisory(l)); err != nil {
		return fmt.Errorf("write index: %w", t.known(err))
	}
	return nil
}

func (t *postgresTxn) set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	t.writes[string(key)] = value
}

func (t *postgresTxn) unset(key []byte) { t.writes[string(key)] = nil }

func (t *postgresTxn) add(key, value []byte) {
	t.set(binary.BigEndian.AppendUint64(slices.Clone(key), rand.Uint64()), value)
}

// commit writes rows in the order of their keys, as everyone does, so that
// nobody waits in a circle. An error that comes of the message that has the
// commit in it leaves open whether it was done, unless the database says not.
func (t *postgresTxn) commit(ctx context.Context, lazily bool) error {
	var gone, keys, values [][]byte
	for _, key := range slices.Sorted(maps.Keys(t.writes)) {
		if v := t.writes[key]; v == nil {
			gone = append(gone, []byte(key))
		} else {
			keys, values = append(keys, []byte(key)), append(values, v)
		}
	}
	var all pgx.Batch
	if lazily {
		all.Queue("set local synchronous_commit = off")
	}
	if len(gone) > 0 {
		all.Queue("delete from walrus_index where key = any($1)", gone)
	}
	if len(keys) > 0 {
		all.Queue("insert into walrus_index (key, value) select * from unnest($1::bytea[], $2::bytea[]) on conflict (key) do update set value = excluded.value", keys, values)
	}
	all.Queue("commit")
	if err := t.conn.SendBatch(ctx, &all).Close(); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	t.open = false
	t.end()
	return nil
}

func (t *postgresTxn) end() {
	if t.conn == nil {
		return
	}
	if t.open {
		_, _ = t.conn.Exec(context.Background(), "rollback") // a connection that fails is dropped, and that is one too
	}
	t.conn.Release()
	t.conn = nil
}
