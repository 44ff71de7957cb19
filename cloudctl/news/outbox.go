// Package news takes what the cloud announces to whoever wants to know: to the
// bus of events, to those who watch the stream, and to webhooks.
//
// Announcements are rows that were committed with the changes they tell of. The
// relay (shared/events) publishes them and then takes them out; the transaction
// that takes one out writes what each webhook is to be sent of it, so that a
// webhook gets every announcement of cloudctl at least once. What walrus
// announces comes over the bus and is written down for webhooks when it comes.
// A delivery is taken out when it was answered with a 2xx, or given up after a
// day; a crash in between sends it once more, under the same ID.
package news

import (
	"context"
	"fmt"

	"karri/cloudctl/store"
	"karri/shared/crash"
	"karri/shared/events"
)

// Outbox is the announcements of cloudctl: an events.Outbox.
type Outbox struct {
	Store  *store.Store
	Source string // of the events: cloudctl.karri
}

// Waiting is events.Outbox's.
func (o Outbox) Waiting(ctx context.Context, max int) ([]events.Line, error) {
	var rows []store.Announcement
	err := o.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Announcements(max)
		return err
	})
	lines := make([]events.Line, len(rows))
	for i, r := range rows {
		lines[i] = events.Line{Seq: r.Seq, Event: events.Event{
			ID: fmt.Sprintf("%x-%x", r.Created.UnixNano(), r.Seq), Subject: r.Subject, Source: o.Source, Time: r.Created.UTC(), Body: r.Body,
		}}
	}
	return lines, err
}

// Told is events.Outbox's.
func (o Outbox) Told(ctx context.Context, lines []events.Line) error {
	err := o.Store.InTx(ctx, func(tx *store.Tx) error {
		seqs := make([]int64, len(lines))
		for i, l := range lines {
			seqs[i] = l.Seq
			if err := deliver(tx, l.Event); err != nil {
				return err
			}
		}
		crash.Here("cloudctl.news.told")
		return tx.Told(seqs)
	})
	return err
}
