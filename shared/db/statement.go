package db

import (
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"
)

// A Statement is a question that stays compiled, for what is asked so often
// that to parse and plan it, and to put it together from a model, costs more
// than its answer.
type Statement struct {
	query string
	ready *sql.Stmt // of the connections that read
}

// Statement compiles a query.
func (d *DB) Statement(ctx context.Context, query string) (*Statement, error) {
	pool, err := d.read.DB()
	if err != nil {
		return nil, err
	}
	ready, err := pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	return &Statement{query, ready}, nil
}

type readingKey struct{}

// Each asks in a transaction of Read or Transact, and calls row for each row.
func (s *Statement) Each(tx *gorm.DB, row func(*sql.Rows) error, args ...any) (err error) {
	ctx := tx.Statement.Context
	var rows *sql.Rows
	if t, ok := tx.Statement.ConnPool.(*sql.Tx); ok && ctx.Value(readingKey{}) != nil {
		rows, err = t.StmtContext(ctx, s.ready).QueryContext(ctx, args...)
	} else {
		rows, err = tx.Statement.ConnPool.QueryContext(ctx, s.query, args...)
	}
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
