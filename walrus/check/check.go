// Package check holds what a walrus knows against what it has.
//
// It works while walrus serves, in four passes: the index against itself; each
// row against the bytes that it claims, which are read and verified; the bytes
// against the rows, for those that nobody claims; and the keys of what is
// sealed. What looks wrong while others write is looked at once more before it
// is told. With Repair it mends what rows and bytes themselves prove: claims and
// counts by the rows, and bytes that nothing claims are removed. Bytes that are
// missing or damaged stay so; they are told with the object that they belong
// to. It keeps nothing: after a crash it is simply run again.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"karri/walrus/content"
	"karri/walrus/index"
	"karri/walrus/seal"
)

// Kinds of findings.
const (
	Index   = "index"   // rows do not agree with each other
	Missing = "missing" // a row claims bytes that are not there
	Damaged = "damaged" // or that are not what was stored
	Sealed  = "sealed"  // the key that opens an object is not there
	Orphan  = "orphan"  // bytes that nothing claims
)

// A Finding is something that is wrong.
type Finding struct {
	Kind   string `json:"kind"`
	What   string `json:"what"` // bucket/key and version, or a piece
	Text   string `json:"text"`
	Mended bool   `json:"mended"`
}

// Progress is how far a check has come.
type Progress struct {
	Step  string `json:"step"`
	Bytes int64  `json:"bytes"` // of the objects, verified
	Of    int64  `json:"of"`
}

// A Report is what a check came to.
type Report struct {
	Rows     int64 `json:"rows"`   // of objects and parts
	Pieces   int64 `json:"pieces"` // that were verified
	Bytes    int64 `json:"bytes"`
	Findings int64 `json:"findings"`
	Mended   int64 `json:"mended"`
}

// A Line is one line of what a check tells: a step forward, something found, or
// at last the report, or why there is none.
type Line struct {
	Progress *Progress `json:"progress,omitempty"`
	Finding  *Finding  `json:"finding,omitempty"`
	Report   *Report   `json:"report,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// A Checker checks one walrus.
type Checker struct {
	Index     index.Index
	Content   content.Engine
	Holds     *content.Holds
	Ring      *seal.Ring
	OrphanAge time.Duration // as the mill's; an hour when zero
	Quick     bool          // look only whether bytes are there, without reading them
	Repair    bool
	// OrphanMost is how many orphans are removed; more of them say that the index
	// is not that of the content. 1000 when zero.
	OrphanMost int
	Tell       func(Line)

	report   Report
	progress Progress
	told     time.Time
}

// Run checks everything once. It fails when it could not look.
func (c *Checker) Run(ctx context.Context) (Report, error) {
	for _, pass := range []struct {
		step string
		do   func(context.Context) error
	}{{"index", c.rows}, {"objects", c.objects}, {"bytes", c.orphans}} {
		c.progress.Step, c.told = pass.step, time.Time{}
		c.step()
		if err := pass.do(ctx); err != nil {
			return c.report, fmt.Errorf("check %s: %w", pass.step, err)
		}
	}
	return c.report, nil
}

func (c *Checker) find(kind, what, text string, mended bool) {
	c.report.Findings++
	if mended {
		c.report.Mended++
	}
	c.Tell(Line{Finding: &Finding{kind, what, text, mended}})
}

// step tells how far it is, a few times in a second.
func (c *Checker) step() {
	if now := time.Now(); now.Sub(c.told) > 200*time.Millisecond {
		c.told = now
		p := c.progress
		c.Tell(Line{Progress: &p})
	}
}

// rows verifies the index, mends it, and verifies what is left.
func (c *Checker) rows(ctx context.Context) error {
	var wrong []string
	rows, err := c.Index.Verify(ctx, func(problem string) { wrong = append(wrong, problem) })
	c.report.Rows = int64(rows)
	if err != nil {
		return err
	}
	if c.Repair && len(wrong) > 0 {
		if err := c.Index.Mend(ctx, func(done string) { c.find(Index, "", done, true) }); err != nil {
			return err
		}
		wrong = nil
		if _, err := c.Index.Verify(ctx, func(problem string) { wrong = append(wrong, problem) }); err != nil {
			return err
		}
	}
	for _, problem := range wrong {
		c.find(Index, "", problem, false)
	}
	return nil
}

const pageSize = 500

func (c *Checker) objects(ctx context.Context) error {
	var names []string
	for q := (index.Query{Max: pageSize}); ; {
		page, err := c.Index.BucketsOf(ctx, "", q)
		if err != nil {
			return err
		}
		for _, b := range page.Items {
			names = append(names, b.Name)
			u, err := c.Index.Usage(ctx, b.Name)
			if err != nil && !errors.Is(err, index.NoSuchBucket) {
				return err
			}
			c.progress.Of += u.Bytes
		}
		if q.After = page.Last; !page.More {
			break
		}
	}
	for _, name := range names {
		err := c.versions(ctx, name)
		if err == nil {
			err = c.parts(ctx, name)
		}
		if err != nil && !errors.Is(err, index.NoSuchBucket) {
			return err
		}
	}
	return nil
}

// versions reads a bucket in pages, so that no moment of the index is held
// while bytes are read.
func (c *Checker) versions(ctx context.Context, bucket string) error {
	for q := (index.Query{Max: pageSize}); ; {
		var page []*index.Object
		err := c.Index.Walk(ctx, bucket, q, func(o *index.Object) error {
			page = append(page, o)
			return nil
		})
		if err != nil {
			return err
		}
		for _, o := range page {
			if err := c.object(ctx, o); err != nil {
				return err
			}
			q.After, q.AfterID = o.Key, o.Version
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (c *Checker) object(ctx context.Context, o *index.Object) error {
	what := fmt.Sprintf("%s/%s", o.Bucket, o.Key)
	if o.Version != index.Null {
		what += " version " + o.Version
	}
	still := func() (bool, error) {
		now, err := c.Index.Object(ctx, o.Bucket, o.Key, o.Version)
		if gone(err) {
			return false, nil
		}
		return err == nil && now.ID == o.ID, err
	}
	if e := o.Seal; e != nil && e.Mode == seal.Master {
		if _, err := c.Ring.Open(e); err != nil {
			c.find(Sealed, what, "The master key "+e.By+" does not open it, or is not there.", false)
		}
	}
	return c.pieces(ctx, what, o.Pieces, o.Seal != nil, still)
}

func gone(err error) bool {
	for _, e := range []error{index.NoSuchKey, index.NoSuchVersion, index.NoSuchBucket, index.NoSuchUpload} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (c *Checker) parts(ctx context.Context, bucket string) error {
	for q := (index.Query{Max: pageSize}); ; {
		page, err := c.Index.Uploads(ctx, bucket, q)
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			parts, _, err := c.Index.Parts(ctx, u.ID, 0, 0)
			if err != nil {
				return err
			}
			for _, p := range parts {
				what := fmt.Sprintf("%s/%s part %d of upload %s", u.Bucket, u.Key, p.Number, u.ID)
				still := func() (bool, error) {
					now, _, err := c.Index.Parts(ctx, u.ID, p.Number-1, 1)
					return len(now) == 1 && now[0].Piece.ID == p.Piece.ID, err
				}
				if err := c.pieces(ctx, what, []index.Piece{p.Piece}, u.Seal != nil, still); err != nil {
					return err
				}
			}
			q.AfterID = u.ID
		}
		if q.After = page.Last; !page.More {
			return nil
		}
	}
}

// pieces verifies the bytes of one row. When some are not as they should be it
// asks whether the row is still there, and looks again before it tells.
func (c *Checker) pieces(ctx context.Context, what string, pieces []index.Piece, sealed bool, still func() (bool, error)) error {
	for _, p := range pieces {
		for try := range 2 {
			err := c.piece(ctx, p, sealed)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				break
			}
			if there, err := still(); err != nil || !there {
				return err
			}
			if try == 0 {
				continue
			}
			kind := Damaged
			if errors.Is(err, content.Lost) || errors.Is(err, index.Moved) {
				kind = Missing
			}
			c.find(kind, what, err.Error(), false)
		}
		c.report.Pieces++
		c.report.Bytes += p.Size
		c.progress.Bytes += p.Size
		c.step()
	}
	return nil
}

// piece reads one piece, or with Quick only looks whether it is there.
func (c *Checker) piece(ctx context.Context, p index.Piece, sealed bool) error {
	size := p.Size
	if sealed {
		size = seal.Size(size)
	}
	if p.Inline {
		b, err := c.Index.Inline(ctx, p.ID)
		if err == nil && int64(len(b)) != size {
			err = content.Damaged.Because(fmt.Errorf("%d bytes instead of %d", len(b), size))
		}
		return err
	}
	n := size
	if c.Quick {
		n = min(n, 1)
	}
	r, err := c.Content.Open(ctx, p.ID, size-n, n)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// orphans looks for bytes that no row claims, no line of the outbox names and
// nobody holds.
func (c *Checker) orphans(ctx context.Context) error {
	awaited, err := c.awaited(ctx)
	if err != nil {
		return err
	}
	var found []content.Info
	err = c.Content.List(ctx, func(i content.Info) error {
		c.step()
		if time.Since(i.Made) < cmp.Or(c.OrphanAge, time.Hour) || awaited[i.ID] || c.Holds.Held(i.ID) {
			return nil
		}
		claimed, err := c.Index.Claimed(ctx, i.ID)
		if err == nil && !claimed {
			found = append(found, i)
		}
		return err
	})
	if err == nil {
		err = c.Index.Durable(ctx)
	}
	if err != nil {
		return err
	}
	remove := c.Repair && len(found) <= cmp.Or(c.OrphanMost, 1000)
	for _, i := range found {
		mended := false
		if remove {
			if err := c.Content.Remove(ctx, i.ID); err != nil {
				return err
			}
			mended = true
		}
		c.find(Orphan, i.ID, fmt.Sprintf("%d bytes that nothing claims, made %s", i.Size, i.Made.UTC().Format(time.RFC3339)), mended)
	}
	return nil
}

// awaited are the pieces that the mill is about to remove.
func (c *Checker) awaited(ctx context.Context) (map[string]bool, error) {
	const most = 100_000
	lines, err := c.Index.Lines(ctx, most)
	all := map[string]bool{}
	for _, l := range lines {
		for _, p := range l.Free {
			all[p.ID] = true
		}
	}
	return all, err
}
