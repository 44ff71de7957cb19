package indextest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"karri/shared/fault"
	"karri/walrus/index"
)

// outcomes does something from many sides at once and counts how it ended; ""
// is success.
func outcomes(n int, do func(i int) error) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	ends := map[string]int{}
	for i := range n {
		all.Go(func() {
			err := do(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ends[""]++
			} else {
				ends[fault.CodeOf(err)]++
			}
		})
	}
	all.Wait()
	return ends
}

// completions race for the end of uploads: each ends once, by completion or by
// abort, and of those that want a key to themselves one gets it.
func completions(t *testing.T, x index.Index) {
	ctx := context.Background()
	makeBucket(t, x, "b", "ann")
	for round := range 5 {
		key := fmt.Sprint("k", round)
		var uploads []*index.Upload
		var parts []index.Part
		for i := range 3 {
			u := upload(t, x, "b", key, fmt.Sprintf("up%d-%d", round, i))
			p := part(1, "data")
			must(t, x.PutPart(ctx, u, p))
			uploads, parts = append(uploads, u), append(parts, p)
		}
		ends := outcomes(12, func(i int) error {
			u, p := uploads[i%3], parts[i%3]
			o := Object("b", key, "")
			o.Pieces, o.Upload = []index.Piece{p.Piece}, u.ID
			return x.Complete(ctx, u, []index.Part{p}, o, index.Condition{IfNoneMatch: true})
		})
		if ends[""] != 1 || ends["PreconditionFailed"]+ends["NoSuchUpload"] != 11 {
			t.Errorf("completions ended: %v", ends)
		}
		ends = outcomes(9, func(i int) error {
			if i%2 == 0 {
				return x.Abort(ctx, "b", key, uploads[i%3].ID)
			}
			return x.PutPart(ctx, uploads[i%3], part(i, "late"))
		})
		if ends[""] < 2 || ends[""]+ends["NoSuchUpload"] != 9 {
			t.Errorf("aborts and parts ended: %v", ends)
		}
	}
}

// contended keys are put, deleted and copied from many sides; Verify has the
// last word.
func contended(t *testing.T, x index.Index) {
	ctx := context.Background()
	makeBucket(t, x, "b", "ann")
	for _, state := range []string{"", index.Enabled, index.Suspended} {
		if state != "" {
			versioning(t, x, "b", state)
		}
		ends := outcomes(60, func(i int) error {
			key, other := fmt.Sprint("k", i%3), fmt.Sprint("k", (i+1)%3)
			switch i % 4 {
			case 0:
				_, err := x.Delete(ctx, "b", key, "", index.Condition{})
				return err
			case 1:
				from, err := x.Object(ctx, "b", other, "")
				if err != nil || from.Marker {
					return nil
				}
				o := Object("b", key, "")
				o.Pieces, o.Size = from.Pieces, from.Size
				return x.Put(ctx, o, index.Condition{Pin: &index.Pin{Bucket: "b", Key: other, Version: from.Version, ID: from.ID}})
			case 2:
				from, err := x.Object(ctx, "b", key, "")
				if err == nil {
					_, err = x.Delete(ctx, "b", key, from.Version, index.Condition{})
				}
				return err
			}
			return x.Put(ctx, Object("b", key, "data"), index.Condition{})
		})
		if ends[""]+ends["OperationAborted"]+ends["NoSuchKey"] != 60 {
			t.Errorf("versioning %q: ended %v", state, ends)
		}
	}
}
