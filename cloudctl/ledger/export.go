package ledger

import (
	"bytes"
	"cmp"
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
	Signer  *Signer // of digests
	Region  string
	Every   time.Duration // between two files of a trail, unless there is much
	Digests time.Duration // between two digests of a trail; an hour when zero
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
		pause(ctx, min(e.Every, cmp.Or(e.Digests, time.Hour), 5*time.Second))
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
	for _, t := range all {
		if err := e.digest(ctx, t); err != nil && ctx.Err() == nil {
			e.Log.Warn("a digest cannot be written", "trail", t.ARN, "err", err)
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
	text, err := e.file(rows)
	if err != nil {
		return err
	}
	body, err := pack(text)
	if err != nil {
		return err
	}
	failed := e.Buckets.Deliver(ctx, bucket.Delivery{Bucket: t.Bucket, Key: t.Object, Type: "application/x-gzip", Body: body,
		Service: Service, Source: t.ARN, Account: t.Account})
	crash.Here("cloudctl.ledger.written")
	sum := sha256.Sum256(text)
	return e.change(ctx, t, func(tx *store.Tx, now *store.Trail) error {
		at := e.Clock()
		if now.Tried = &at; failed != nil {
			now.Failure = fault.CodeOf(failed)
			return nil
		}
		now.Delivered, now.Failure, now.Done, now.UpTo, now.Object = &at, "", t.UpTo, 0, ""
		if !now.Proven {
			return nil
		}
		f := &store.TrailFile{Trail: t.ARN, Object: t.Object, Bucket: t.Bucket, Hash: hex.EncodeToString(sum[:])}
		f.Oldest, f.Newest = span(rows)
		return tx.Put(f)
	})
}

// span returns when the first and the last of some events were.
func span(rows []store.AuditLine) (oldest, newest time.Time) {
	for i, r := range rows {
		at := time.UnixMicro(r.At).UTC()
		if i == 0 || at.Before(oldest) {
			oldest = at
		}
		if at.After(newest) {
			newest = at
		}
	}
	return oldest, newest
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
	return true, e.change(ctx, *t, func(_ *store.Tx, now *store.Trail) error { now.UpTo, now.Object = t.UpTo, t.Object; return nil })
}

// Folder is where a trail's files are, in its bucket.
func Folder(t *store.Trail, region string) string {
	return path.Join(t.Prefix, "AWSLogs", t.Account, "CloudTrail", region) + "/"
}

// change changes a trail that is still there and has not been moved meanwhile.
func (e *Exporter) change(ctx context.Context, old store.Trail, how func(*store.Tx, *store.Trail) error) error {
	return e.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := tx.Trail(old.Account, old.Name)
		if err != nil || !now.Created.Equal(old.Created) || now.Done != old.Done {
			return err
		}
		if err := how(tx, now); err != nil {
			return err
		}
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
	return json.Marshal(f)
}

// pack compresses a file, the same one always in the same way.
func pack(b []byte) ([]byte, error) {
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
