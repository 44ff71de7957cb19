package ledger

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"path"
	"time"

	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/crash"
	"karri/shared/fault"
)

// Service is what writes into buckets, as their policies name it.
const Service = "cloudtrail.amazonaws.com"

// A Deliverer puts objects into buckets in the name of a service.
type Deliverer interface {
	Deliver(ctx context.Context, d bucket.Delivery) error
}

// An Exporter writes the events of trails into their buckets. Which events go
// into a file, and its name, are written down before the file: after a crash
// the same file is put once more under the same name.
type Exporter struct {
	Index   *store.Index
	Store   *store.Store
	Buckets Deliverer
	Region  string
	Every   time.Duration // between two files of a trail, unless there is much
	Clock   func() time.Time
	Log     *slog.Logger
}

const perFile = 2000

// Run writes until ctx ends.
func (e *Exporter) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := e.Pass(ctx); err != nil && ctx.Err() == nil {
			e.Log.Error("trails cannot be written", "err", err)
		}
		pause(ctx, min(e.Every, 5*time.Second))
	}
	return nil
}

// Pass writes what is due of every trail.
func (e *Exporter) Pass(ctx context.Context) error {
	var all []store.Trail
	err := e.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Trails(store.AnyAccount)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.Logging && t.Object == "" || t.Tried != nil && e.Clock().Sub(*t.Tried) < e.Every && t.Failure != "" {
			continue
		}
		if err := e.write(ctx, t); err != nil && ctx.Err() == nil {
			e.Log.Warn("a trail cannot be written", "trail", t.ARN, "err", err)
		}
	}
	return nil
}

// write puts the next file of a trail, if one is due.
func (e *Exporter) write(ctx context.Context, t store.Trail) error {
	if t.Object == "" {
		if due, err := e.choose(ctx, &t); err != nil || !due {
			return err
		}
	}
	crash.Here("cloudctl.ledger.chosen")
	rows, err := e.Index.Behind(ctx, t.Account, t.Done, t.UpTo, perFile)
	if err != nil {
		return err
	}
	body, err := e.file(rows)
	if err != nil {
		return err
	}
	failed := e.Buckets.Deliver(ctx, bucket.Delivery{Bucket: t.Bucket, Key: t.Object, Type: "application/x-gzip", Body: body,
		Service: Service, Source: t.ARN, Account: t.Account})
	crash.Here("cloudctl.ledger.written")
	return e.change(ctx, t, func(now *store.Trail) {
		at := e.Clock()
		if now.Tried = &at; failed != nil {
			now.Failure = fault.CodeOf(failed)
			return
		}
		now.Delivered, now.Failure, now.Done, now.UpTo, now.Object = &at, "", t.UpTo, 0, ""
	})
}

// choose decides what the next file holds and what it is called.
func (e *Exporter) choose(ctx context.Context, t *store.Trail) (due bool, err error) {
	rows, err := e.Index.Behind(ctx, t.Account, t.Done, 0, perFile)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	now := e.Clock()
	if len(rows) < perFile && t.Delivered != nil && now.Sub(*t.Delivered) < e.Every {
		return false, nil
	}
	t.UpTo = rows[len(rows)-1].N
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", t.ARN, t.Created.UnixNano(), t.UpTo))
	at := now.UTC()
	t.Object = Folder(t, e.Region) + at.Format("2006/01/02/") +
		fmt.Sprintf("%s_CloudTrail_%s_%s_%s.json.gz", t.Account, e.Region, at.Format("20060102T1504Z"), hex.EncodeToString(sum[:8]))
	return true, e.change(ctx, *t, func(now *store.Trail) { now.UpTo, now.Object = t.UpTo, t.Object })
}

// Folder is where a trail's files are, in its bucket.
func Folder(t *store.Trail, region string) string {
	return path.Join(t.Prefix, "AWSLogs", t.Account, "CloudTrail", region) + "/"
}

// change changes a trail that is still there and has not been moved meanwhile.
func (e *Exporter) change(ctx context.Context, old store.Trail, how func(*store.Trail)) error {
	return e.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := tx.Trail(old.Account, old.Name)
		if err != nil || !now.Created.Equal(old.Created) || now.Done != old.Done {
			return err
		}
		how(now)
		return tx.Put(now)
	})
}

// file is a file of events. The same events make the same file.
func (e *Exporter) file(rows []store.AuditLine) ([]byte, error) {
	var f struct{ Records []json.RawMessage }
	for _, r := range rows {
		b, err := Record(r, e.Region)
		if err != nil {
			return nil, err
		}
		f.Records = append(f.Records, b)
	}
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
