package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"
)

// post adds to c a row for each target of its event.
func (c *change) post() error {
	if c.event == nil {
		return nil
	}
	for i, t := range c.event.Targets {
		e, seq := *c.event, c.seq
		e.Rule = t.Rule
		if slices.ContainsFunc(c.event.Targets[:i], func(u Target) bool { return u.Queue == t.Queue }) {
			seq = c.store.next()
		}
		if err := c.setJSON(eventRow(t.Queue, seq), &e); err != nil {
			return err
		}
	}
	return nil
}

// Announced is the queue of what changed of who may do what with a bucket: an
// event for each such setting, which is its Rule. It is told to the whole cloud.
const Announced = "announce bucket"

// announcedSettings are those that say who may do what.
var announcedSettings = []string{"acl", "ownershipControls", "policy", "publicAccessBlock"}

// announce adds to c what is to be told of a bucket that was made or changed.
func (c *change) announce(old, made *Bucket) {
	var to []Target
	for _, name := range announcedSettings {
		if !bytes.Equal(old.Settings[name], made.Settings[name]) {
			to = append(to, Target{Queue: Announced, Rule: name})
		}
	}
	if len(to) > 0 {
		c.event = &Event{Name: Announced, Bucket: made.Name, Account: made.Owner, Time: time.Now().UTC(), Targets: to}
		c.seq = c.store.next()
	}
}

// Events is Outbox's.
func (s *Store) Events(ctx context.Context, queue string, above uint64, most int) ([]Event, error) {
	var events []Event
	from := binary.BigEndian.AppendUint64(nil, above+1)
	err := scan(ctx, s.engine, space(eventSpace, queue), from, func(rest, value []byte) (bool, error) {
		e := Event{Queue: queue}
		err := numbered(rest, value, &e.Seq, &e)
		events = append(events, e)
		return len(events) < most, err
	})
	if err == nil {
		err = s.Durable(ctx)
	}
	return events, err
}

// EventsDone is Outbox's. Like Done it is not synced.
func (s *Store) EventsDone(ctx context.Context, queue string, seqs ...uint64) error {
	var rows [][]byte
	for _, seq := range seqs {
		rows = append(rows, eventRow(queue, seq))
	}
	return s.forget(ctx, rows)
}

// counted bounds how many events of a queue are counted.
const counted = 200_000

// Queues is Outbox's.
func (s *Store) Queues(ctx context.Context) (all []Queue, err error) {
	prefix := []byte{eventSpace}
	c, err := s.engine.cursor(ctx, prefix, after(prefix))
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := c.close(); err == nil {
			err = e
		}
	}()
	for ok := c.seek(prefix); ok; {
		name, _, found := bytes.Cut(c.key()[1:], []byte{0})
		value, err := c.value()
		if err != nil {
			return nil, err
		}
		var first Event
		if err := json.Unmarshal(value, &first); err != nil || !found {
			return nil, Damaged.Because(err)
		}
		q := Queue{Name: string(name), Oldest: first.Time}
		rows := space(eventSpace, q.Name)
		for ; ok && q.Length < counted && bytes.HasPrefix(c.key(), rows); ok = c.next() {
			if q.Length++; q.Length%1000 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		if all = append(all, q); ok {
			ok = c.seek(after(rows))
		}
	}
	return all, nil
}
